"""Claims beside each other: several arms, small ones, and groups of whom all are alike."""

from __future__ import annotations

import pytest

from segue.measure.experiments.exposed import HELD_OUT, TREATED, Collected, Piece, collect
from segue.measure.experiments.result import Experiment, Lift, judge
from segue.measure.experiments.several import Method
from segue.measure.experiments.validity import check_ratio
from segue.measure.experiments.verdict import verdict
from tests.measure.experiments.test_result import bought, drawn


def arms(counts: dict[str, tuple[int, int]], shares: dict[str, float] | None = None) -> Collected:
    """Each arm as (customers, converted)."""
    parts = shares or {arm: 1 / len(counts) for arm in counts}
    return collect(
        Piece([drawn(arm, customers, parts)], bought(arm, met, parts, "10 EUR"))
        for arm, (customers, met) in counts.items()
    )


def difference(experiment: Experiment, arm: int = 0) -> tuple[float, float, float]:
    found = experiment.arms[arm].difference
    assert found is not None
    return found.low, found.estimate, found.high


COUNTS = {"a": (2000, 200), "b": (2000, 262), "c": (2000, 200), "d": (2000, 205), "e": (2000, 240)}


@pytest.mark.parametrize("method", ["holm", "benjamini-hochberg"])
def test_claims_of_several_arms_agree_with_their_intervals(method: Method) -> None:
    found = judge("r", "s", arms(COUNTS), list("abcde"), method=method)
    assert [one.arm for one in found.claims] == ["b"]
    for one in found.arms:
        assert one.difference is not None
        assert one.difference.settled == one.claimed
        assert one.difference.level == pytest.approx(1 - 0.05 / 4)
    assert verdict(found).count("brings") == 1


def test_two_claims_in_a_false_discovery_rate_make_the_intervals_narrower() -> None:
    counts = COUNTS | {"e": (2000, 258)}
    holm, fdr = (judge("r", "s", arms(counts), list("abcde"), method=how) for how in ("holm", "benjamini-hochberg"))
    assert [one.arm for one in holm.claims] == [one.arm for one in fdr.claims] == ["b", "e"]
    assert difference(holm)[0] < difference(fdr)[0]


def test_what_holm_claims_beyond_bonferroni_has_a_direction_only() -> None:
    counts = {"a": (2000, 200), "b": (2000, 300), "c": (2000, 300), "d": (2000, 300), "e": (2000, 240)}
    found = judge("r", "s", arms(counts), list("abcde"))
    assert [one.arm for one in found.claims] == ["b", "c", "d", "e"]
    assert difference(found, 3)[0] == 0.0


def test_a_small_arm_does_not_silence_the_others() -> None:
    shares = {"a": 0.49, "b": 0.49, "c": 0.02}
    found = judge("r", "s", arms({"a": (490, 20), "b": (490, 90), "c": (15, 15)}, shares), list("abc"))
    assert [one.arm for one in found.claims] == ["b"]


def test_an_arm_that_nobody_reached_yet_is_told_of() -> None:
    found = judge("r", "s", arms({"a": (30, 3), "b": (30, 3)}, {"a": 0.5, "b": 0.49, "c": 0.01}), list("abc"))
    assert [one.arm for one in found.arms] == ["b", "c"]
    assert found.sound


@pytest.mark.parametrize("held", [(20, 0), (19, 0), (21, 1), (60, 6), (60, 0)])
def test_the_lift_claims_what_the_verdict_does(held: tuple[int, int]) -> None:
    counts = {HELD_OUT: held, TREATED: (60, 18)}
    found = judge("r", "", arms(counts, {HELD_OUT: 0.4, TREATED: 0.6}))
    assert Lift.of(found).claimed == verdict(found).startswith("The rule brings ")


def test_a_group_that_brought_nothing_is_not_taken_for_certain() -> None:
    found = judge("r", "", arms({HELD_OUT: (20, 0), TREATED: (20, 3)}, {HELD_OUT: 0.5, TREATED: 0.5}))
    worth = found.arms[0].worth["EUR"]
    assert worth.estimate == pytest.approx(1.5)
    assert worth.low < 0


def test_an_arm_of_which_few_are_expected_gives_no_false_alarm() -> None:
    """Two of twenty where 0.2 were expected: chance does that once in sixty, which chi-squared takes for once in
    thousands."""
    sound = check_ratio({"a": 18, "b": 2, "c": 0}, {"a": 19.6, "b": 0.2, "c": 0.2})
    assert sound.sound
    assert not check_ratio({"a": 14, "b": 6, "c": 0}, {"a": 19.6, "b": 0.2, "c": 0.2}).sound
