"""Shares against Shapley's own definition: the average over all orders in which channels can join."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.api import Path, Paths
from segue_attribution_shapley import SHAPLEY, Options, segue_attribution_models, shapley

PATHS = st.lists(
    st.builds(
        lambda channels, won, lost: Path(tuple(channels), won, 10.0 * won, won + lost),
        st.lists(st.sampled_from(["email", "sms", "ads", "push"]), min_size=1, max_size=5),
        st.integers(0, 5),
        st.integers(0, 5),
    ),
    max_size=8,
)


def within(paths: list[Path], coalition: frozenset[str]) -> list[Path]:
    return [path for path in paths if coalition.issuperset(path.channels)]


def conversions(paths: list[Path], coalition: frozenset[str]) -> Fraction:
    return sum((Fraction(path.conversions) for path in within(paths, coalition)), Fraction(0))


def rate(paths: list[Path], coalition: frozenset[str]) -> Fraction:
    journeys = sum(Fraction(path.count) for path in within(paths, coalition))
    return (
        conversions(paths, coalition) / journeys * sum(Fraction(path.count) for path in paths)
        if journeys
        else Fraction(0)
    )


def joining(paths: list[Path], worth: Callable[[list[Path], frozenset[str]], Fraction]) -> dict[str, Fraction]:
    channels = sorted({channel for path in paths for channel in path.channels})
    found = dict.fromkeys(channels, Fraction(0))
    orders = list(permutations(channels))
    for order in orders:
        for place, channel in enumerate(order):
            before, after = frozenset(order[:place]), frozenset(order[: place + 1])
            found[channel] += (worth(paths, after) - worth(paths, before)) / len(orders)
    return found


@pytest.mark.parametrize(
    ("options", "worth"), [(Options(), conversions), (Options(worth="rate"), rate)], ids=["conversions", "rate"]
)
@settings(deadline=None)
@given(paths=PATHS)
def test_shares_are_the_average_over_all_orders_of_joining(
    options: Options, worth: Callable[[list[Path], frozenset[str]], Fraction], paths: list[Path]
) -> None:
    found = {credit.channel: credit.conversions for credit in shapley(Paths.of(paths), options)}
    expected = joining(paths, worth)
    assert found == {channel: pytest.approx(float(share), abs=1e-9) for channel, share in expected.items()}


def test_a_channel_that_lowers_the_rate_gets_less_than_nothing() -> None:
    paths = [Path(("email",), 10, 10.0, 10), Path(("email", "ads"), 0, 0.0, 10)]
    found = {credit.channel: credit.conversions for credit in shapley(Paths.of(paths), Options(worth="rate"))}
    assert found == {"email": pytest.approx(15), "ads": pytest.approx(-5)}


def test_by_rate_there_is_a_bound_on_channels_and_by_conversions_there_is_none() -> None:
    paths = Paths.of([Path((str(place), "email"), 1, 1.0, 2) for place in range(20)])
    assert len(shapley(paths, Options())) == 21
    with pytest.raises(ValueError, match="21 different channels"):
        shapley(paths, Options(worth="rate"))


def test_the_plugin_declares_one_model() -> None:
    assert list(segue_attribution_models()) == [SHAPLEY]
