"""The kit for attribution models: a good model passes it, and each way of being broken fails the check meant for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from segue.api import AttributionSpec, Credit, Path
from segue.testing import AttributionConformance


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


Shares = Callable[[Path], Sequence[float]]


def model(shares: Shares) -> Callable[[Sequence[Path], Any], Sequence[Credit]]:
    def credit(paths: Sequence[Path], options: Any) -> list[Credit]:
        found: defaultdict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for path in paths:
            for channel, share in zip(path.channels, shares(path), strict=True):
                found[channel][0] += share * path.conversions
                found[channel][1] += share * path.value
        return [Credit(channel, *figures) for channel, figures in found.items()]

    return credit


equal = model(lambda path: [1 / len(path.channels)] * len(path.channels) if path.channels else [])

SPEC = AttributionSpec(name="equal", doc="Equal shares", config=Options, credit=equal)


class TestEqual(AttributionConformance):
    def make(self) -> tuple[AttributionSpec, Options]:
        return SPEC, Options()


def first_path_only(paths: Sequence[Path], options: Any) -> Sequence[Credit]:
    total = sum(path.conversions for path in paths)
    value = sum(path.value for path in paths)
    names = list(dict.fromkeys(channel for path in paths for channel in path.channels))
    return [Credit(name, 0 if place else total, 0 if place else value) for place, name in enumerate(names)]


def by_count(paths: Sequence[Path], options: Any) -> Sequence[Credit]:
    """Gives each path, whatever its count, the same weight within the total."""
    touched = [path for path in paths if path.channels]
    total, value = sum(path.conversions for path in touched), sum(path.value for path in touched)
    found: defaultdict[str, float] = defaultdict(float)
    for path in touched:
        for channel in path.channels:
            found[channel] += 1 / len(path.channels) / len(touched)
    return [Credit(name, share * total, share * value) for name, share in found.items()]


def with_times(paths: Sequence[Path], options: Any) -> Sequence[Credit]:
    if any(path.channels and not path.times for path in paths):
        raise ValueError
    return equal(paths, options)


calls: list[int] = []


def moody(paths: Sequence[Path], options: Any) -> Sequence[Credit]:
    calls.append(1)
    return [msgspec.structs.replace(one, value=one.value + len(calls)) for one in equal(paths, options)]


@pytest.mark.parametrize(
    ("check", "credit", "said"),
    [
        ("test_no_paths_give_no_credit", lambda paths, options: [Credit("email", 0, 0)], "there were no paths"),
        ("test_a_single_touch_gets_everything", model(lambda path: [0.5] * len(path.channels)), "should be 1"),
        ("test_credits_add_up", model(lambda path: [1.0] * len(path.channels)), "the sum of all channels"),
        ("test_credits_add_up", lambda paths, options: [{"email": 1}], "credit holds something that is a dict"),
        ("test_credits_add_up", lambda paths, options: [Credit("a", "1", 0)], "Expected `float`"),  # type: ignore[arg-type]
        ("test_credits_add_up", lambda paths, options: [Credit("a", float("nan"), 0)], "not finite"),
        ("test_credits_add_up", lambda paths, options: [Credit("a", 1, 0), Credit("a", 1, 0)], "two credits"),
        ("test_credits_add_up", lambda paths, options: [Credit("a", 1, 0, 7.0)], "outside 0 to 1"),
        (
            "test_paths_without_a_touch_give_credit_to_nobody",
            lambda paths, options: [*equal(paths, options), Credit("none", 5, 500)],
            "the sum of all channels",
        ),
        (
            "test_paths_that_never_converted_give_none",
            lambda paths, options: [Credit("email", 1, 0)],
            "without any conversion",
        ),
        (
            "test_each_channel_that_occurs_has_one_credit",
            lambda paths, options: [one for one in equal(paths, options) if one.conversions],
            "the channels that occur are",
        ),
        ("test_the_order_of_paths_means_nothing", first_path_only, "in another order"),
        ("test_the_same_paths_give_the_same_credit", moody, "asked again"),
        ("test_paths_counted_together_are_the_same_as_one_by_one", by_count, "counted together"),
        ("test_aggregated_paths_are_credited_or_refused_in_words", with_times, "without a word"),
        ("test_the_declaration_is_valid", None, "must be something to call"),
    ],
)
def test_a_broken_model_fails(check: str, credit: Any, said: str) -> None:
    class Suite(AttributionConformance):
        def make(self) -> tuple[AttributionSpec, Options]:
            return msgspec.structs.replace(SPEC, credit=credit), Options()

    with pytest.raises(AssertionError, match=said):
        getattr(Suite(), check)()
