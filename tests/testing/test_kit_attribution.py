"""The kit for attribution models: a good model passes it, and each way of being broken fails the check meant for it."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from segue.api import AttributionSpec, Credit, Paths
from segue.testing import AttributionConformance


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


def equal(paths: Paths, options: Any) -> Any:
    return 1 / paths.per_touch(paths.lengths)


SPEC = AttributionSpec(name="equal", doc="Equal shares", config=Options, weights=equal)


class TestEqual(AttributionConformance):
    def make(self) -> tuple[AttributionSpec, Options]:
        return SPEC, Options()


def credit(*credits: Credit) -> AttributionSpec:
    return AttributionSpec(name="test", doc="Test", config=Options, credit=lambda paths, options: credits)


def shared(paths: Paths, parts: Any) -> list[Credit]:
    """Shares of the whole, for each channel in its order."""
    whole, value, parts = paths.conversions.sum(), paths.values.sum(), np.asarray(parts, np.float64)
    parts = parts / parts.sum() if len(parts) else parts
    return [
        Credit(name, float(whole * part), float(value * part)) for name, part in zip(paths.names, parts, strict=True)
    ]


def first_channel_only(paths: Paths, options: Any) -> list[Credit]:
    return shared(paths, [int(place == 0) for place in range(len(paths.names))])


def by_line(paths: Paths, options: Any) -> list[Credit]:
    """Gives each path, whatever its count, the same weight within the total."""
    return shared(paths, np.bincount(paths.channels, 1 / paths.per_touch(paths.lengths), len(paths.names)))


def with_times(paths: Paths, options: Any) -> Any:
    if paths.times is None:
        raise ValueError
    return equal(paths, options)


def without_a_word(paths: Paths, options: Any) -> Any:
    if paths.times is None:
        raise KeyError("times")
    return equal(paths, options)


def greedy(paths: Paths, options: Any) -> Any:
    paths.values[:] = 1
    return equal(paths, options)


calls: list[int] = []


def moody(paths: Paths, options: Any) -> list[Credit]:
    calls.append(1)
    return shared(paths, [1 + (place == 0) * len(calls) for place in range(len(paths.names))])


def whole(function: Any) -> AttributionSpec:
    return msgspec.structs.replace(SPEC, weights=None, credit=function)


def weights(function: Any) -> AttributionSpec:
    return msgspec.structs.replace(SPEC, weights=function)


@pytest.mark.parametrize(
    ("check", "spec", "said"),
    [
        ("test_no_paths_give_no_credit", credit(Credit("email", 0, 0)), "exactly one share"),
        ("test_a_single_touch_gets_everything", weights(lambda paths, options: paths.counts * 0.5), "add up to 0.5"),
        ("test_every_channel_has_its_credit_and_all_add_up", credit(Credit("email", 1, 0)), "exactly one share"),
        (
            "test_paths_that_never_converted_give_none",
            credit(Credit("email", 1, 0), Credit("sms", 0, 0)),
            "add up to 1",
        ),
        (
            "test_paths_that_never_converted_give_none",
            credit(Credit("email", 1, 0), Credit("sms", -1, 0)),
            "without any conversion",
        ),
        ("test_the_order_of_paths_means_nothing", whole(first_channel_only), "in another order"),
        ("test_the_same_paths_give_the_same_credit", whole(moody), "asked again"),
        ("test_paths_counted_together_are_the_same_as_one_by_one", whole(by_line), "counted together"),
        ("test_aggregated_paths_are_credited_or_refused_in_words", weights(with_times), "without a word"),
        ("test_aggregated_paths_are_credited_or_refused_in_words", weights(without_a_word), "without a word"),
        ("test_the_paths_are_left_as_they_were", weights(greedy), "changed the paths"),
        ("test_the_declaration_is_valid", weights(1), "must be something to call"),
        ("test_the_declaration_is_valid", weights(None), "a model says one of the two"),
    ],
)
def test_a_broken_model_fails(check: str, spec: AttributionSpec, said: str) -> None:
    class Suite(AttributionConformance):
        def make(self) -> tuple[AttributionSpec, Options]:
            return spec, Options()

    with pytest.raises(AssertionError, match=said):
        getattr(Suite(), check)()
