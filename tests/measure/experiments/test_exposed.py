"""Customers are counted into groups, in whatever pieces they come."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.measure.experiments.exposed import Buyer, Collected, Drawn, Piece, collect
from segue.measure.experiments.weighing import compare_weighted

HALF = json.dumps({"a": 0.5, "b": 0.5})
MOST = json.dumps({"a": 0.1, "b": 0.9})
THREE = json.dumps({"a": 0.25, "b": 0.25, "c": 0.5})
SHARES = [HALF, MOST, THREE]


def piece(draws: list[tuple[str, str, int, int]], worth: str | None = "5 EUR") -> Piece:
    """Of each (arm, shares) so many customers, of whom some bought."""
    return Piece(
        [Drawn(arm, shares, "over", met + more) for arm, shares, met, more in draws],
        [Buyer(arm, shares, 0.0, [worth]) for arm, shares, met, _ in draws for _ in range(met)],
    )


draws = st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(SHARES), st.integers(0, 5), st.integers(0, 20))


@given(st.lists(draws, max_size=20), st.integers(0, 20))
@settings(max_examples=40, deadline=None)
def test_nobody_is_lost_however_they_come_in_pieces(found: list[tuple[str, str, int, int]], cut: int) -> None:
    whole, parts = collect([piece(found)]), collect([piece(found[:cut]), piece(found[cut:])])
    everybody = sum(met + more for _, _, met, more in found)
    for arm, group in whole.groups.items():
        other = parts.groups[arm]
        assert (group.drawn, group.rate, group.values) == (other.drawn, other.rate, other.values)
        assert group.weighted.wy == pytest.approx(other.weighted.wy)
    assert parts.groups.keys() == whole.groups.keys()
    assert sum(group.drawn for group in whole.groups.values()) == everybody
    assert sum(whole.expected.values()) == pytest.approx(everybody)
    assert whole.among("a", ["b"]).drawn + whole.among("b", ["a"]).drawn == everybody


@given(st.lists(draws.filter(lambda one: one[1] == HALF), min_size=1, max_size=20))
@settings(max_examples=30, deadline=None)
def test_with_shares_that_stood_still_weights_are_plain_means(found: list[tuple[str, str, int, int]]) -> None:
    everybody = collect([piece(found)])
    assert not everybody.moved
    for group in everybody.groups.values():
        assert group.weighted.mean == (None if group.rate.share is None else pytest.approx(group.rate.share))


def test_whoever_came_before_an_arm_was_there_is_not_compared_with_it() -> None:
    found = collect([piece([("a", HALF, 2, 8), ("b", HALF, 2, 8)]), piece([("a", THREE, 1, 0), ("c", THREE, 0, 1)])])
    assert found.among("a", ["c"]).drawn == 1
    assert found.among("a", ["b"]).drawn == 11
    assert found.among("b", ["nobody"]).drawn == 0


@pytest.mark.parametrize("worth", ["inf EUR", "nan EUR", "1e300 EUR", "EUR", "", "twelve EUR", None])
def test_what_is_no_amount_counts_as_a_conversion_and_brings_nothing(worth: str | None) -> None:
    group = collect([piece([("a", HALF, 1, 0)], worth)]).groups["a"]
    assert (group.rate.met, group.worth) == (1, {})


def test_what_was_given_back_counts_against_a_group_and_its_interval_is_one() -> None:
    found = collect([piece([("a", HALF, 30, 70)], "-20 EUR"), piece([("b", HALF, 30, 70)], "20 EUR")])
    assert found.groups["a"].values == {"EUR": -600.0}
    difference = compare_weighted(found.groups["a"].of("EUR").weighted, found.groups["b"].of("EUR").weighted)
    assert difference is not None
    assert difference.estimate == pytest.approx(12.0)
    assert 0 < difference.low < difference.estimate < difference.high


def test_nobody_at_all_is_no_groups() -> None:
    assert Collected().groups == {}
    assert Collected().among("a", ["b"]).drawn == 0
