"""From counted customers to a verdict: what is claimed, what is not, and that no number is ever missing its meaning."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.api import Instant
from segue.api.values import DAY
from segue.measure.experiments.exposed import HELD_OUT, TREATED, Buyer, Collected, Drawn, Piece, State, collect
from segue.measure.experiments.result import Experiment, Lift, judge
from segue.measure.experiments.tables import groups_table, verdicts_table, worth_table
from segue.measure.experiments.verdict import verdict
from segue.measure.table import Table

HALVES = {"a": 0.5, "b": 0.5}
CONTROL = {HELD_OUT: 0.2, TREATED: 0.8}


def drawn(arm: str, customers: int, shares: Mapping[str, float], state: State = "over", mixed: int = 0) -> Drawn:
    return Drawn(arm, json.dumps(shares), state, customers, mixed=mixed)


def bought(arm: str, customers: int, shares: Mapping[str, float], worth: str | None = None) -> list[Buyer]:
    return [Buyer(arm, json.dumps(shares), 0.0, [worth])] * customers


def holdout(
    held: tuple[int, int], treated: tuple[int, int], shares: Mapping[str, float] = CONTROL, worth: str | None = None
) -> Collected:
    """Both groups as (customers, converted), over ten days."""
    groups = {HELD_OUT: held, TREATED: treated}
    return collect(
        [
            Piece(
                [drawn(arm, n, shares) for arm, (n, _) in groups.items()],
                [one for arm, (_, met) in groups.items() for one in bought(arm, met, shares, worth)],
                Instant(0),
                Instant(10 * DAY),
            )
        ]
    )


def tables(experiment: Experiment) -> list[Table]:
    return [verdicts_table([experiment]), groups_table([experiment]), worth_table([experiment])]


def test_a_clear_difference_is_claimed_in_one_sentence() -> None:
    found = judge("carts", "", holdout((2000, 200), (8000, 1200)))
    assert verdict(found) == ("The rule brings 3.4 to 6.5 more conversions of 100 customers than without its messages.")
    assert Lift.of(found).claimed


def test_harm_is_claimed_as_well() -> None:
    assert "fewer conversions" in verdict(judge("carts", "", holdout((2000, 300), (8000, 800))))


def test_groups_of_the_wrong_size_claim_nothing_and_show_no_winner() -> None:
    found = judge("carts", "", holdout((1500, 150), (8500, 1700)))
    assert not found.sound
    assert "nothing can be claimed" in verdict(found)
    assert set(groups_table([found]).column("difference")) == {None}
    assert set(groups_table([found]).column("probability")) == {None}
    assert not Lift.of(found).claimed


def test_an_open_question_says_how_long_it_takes_at_this_pace() -> None:
    found = judge("carts", "", holdout((200, 20), (800, 100)))
    assert found.per_day == pytest.approx(100)
    assert verdict(found).startswith("Not enough evidence: against the holdout it may be anything from ")
    more = found.more_days
    assert more is not None
    assert verdict(found).endswith(f"it shows at this pace in {round(more)} more days.")
    # so many customers more, with the same rates, do show it
    times = (1000 + more * 100) / 1000
    later = judge(
        "carts", "", holdout((round(200 * times), round(20 * times)), (round(800 * times), round(100 * times)))
    )
    assert later.arms[0].difference is not None
    assert later.arms[0].difference.low == pytest.approx(0, abs=0.002)


def test_a_difference_of_nothing_does_not_promise_a_day() -> None:
    assert judge("carts", "", holdout((200, 20), (800, 80))).more_days is None


@pytest.mark.parametrize(
    ("held", "treated"),
    [
        ((0, 0), (0, 0)),
        ((0, 0), (30, 3)),
        ((4, 1), (0, 0)),
        ((200, 0), (800, 0)),
        ((200, 200), (800, 800)),
        ((1, 1), (4, 0)),
    ],
)
@pytest.mark.parametrize("at_any_time", [False, True])
def test_at_the_edges_there_is_a_sentence_and_no_number_that_is_none(
    held: tuple[int, int], treated: tuple[int, int], at_any_time: bool
) -> None:
    found = judge("carts", "", holdout(held, treated, worth="-1e300 EUR"), at_any_time=at_any_time)
    assert verdict(found).startswith("Not enough evidence: ")
    for table in tables(found):
        assert all(math.isfinite(cell) for row in table.rows for cell in row if isinstance(cell, float))
    assert not Lift.of(found).claimed


def test_an_experiment_nobody_came_into_and_one_with_a_single_arm() -> None:
    nobody = judge("carts", "words", collect([]), ["a", "b"])
    assert groups_table([nobody]).rows == ()
    alone = judge("carts", "words", collect([Piece([drawn("a", 50, {"a": 1.0})], [])]), ["a"])
    for found in (nobody, alone):
        assert verdict(found) == "Not enough evidence: nobody came into a second group."


def test_currencies_are_kept_apart_and_refunds_count_against_a_group() -> None:
    piece = Piece(
        [drawn(arm, 100, HALVES) for arm in HALVES],
        [
            *bought("a", 10, HALVES, "10 EUR"),
            *bought("b", 10, HALVES, "-5 EUR"),
            *bought("b", 10, HALVES, "7 USD"),
            *bought("b", 1, HALVES, "what?"),
            *bought("b", 1, HALVES, "inf EUR"),
            *bought("b", 1, HALVES, "0 usd"),
            *bought("b", 1, HALVES, "9 EURO"),
            *bought("b", 1, HALVES, "9"),
        ],
    )
    found = judge("carts", "words", collect([piece]), ["a", "b"])
    assert found.arms[0].group.values == {"EUR": -50.0, "USD": 70.0}
    assert found.arms[0].worth["EUR"].estimate == pytest.approx(-1.5)
    assert found.arms[0].worth["USD"].estimate == pytest.approx(0.7)


def test_one_customer_who_brought_nearly_all_is_pointed_at() -> None:
    buyers = [*bought("b", 30, HALVES, "20 EUR"), *bought("b", 1, HALVES, "50000 EUR")]
    found = judge("carts", "words", collect([Piece([drawn(arm, 100, HALVES) for arm in HALVES], buyers)]), ["a", "b"])
    assert "carts, words: one customer of b brought so much EUR that the difference hangs on them alone." in (
        worth_table([found]).notes
    )


def test_what_is_open_gone_and_mixed_is_told_and_not_counted() -> None:
    piece = Piece(
        [
            drawn("a", 40, HALVES),
            drawn("a", 5, HALVES, "open"),
            drawn("b", 41, HALVES, mixed=41),
            drawn("b", 3, HALVES, "gone"),
        ],
        [],
    )
    groups = collect([piece]).groups
    assert (groups["a"].drawn, groups["a"].open, groups["a"].rate.customers) == (45, 5, 40)
    assert (groups["b"].drawn, groups["b"].gone, groups["b"].mixed) == (44, 3, 41)


def test_an_arm_is_compared_with_those_who_could_have_come_into_it() -> None:
    """The new arm comes when everybody buys twice as often: beside the others of that time it does nothing."""
    late = {"a": 0.4, "b": 0.4, "c": 0.2}
    pieces = [
        Piece(
            [drawn("a", 5000, HALVES), drawn("b", 5000, HALVES)], bought("a", 500, HALVES) + bought("b", 500, HALVES)
        ),
        Piece(
            [drawn("a", 4000, late), drawn("b", 4000, late), drawn("c", 2000, late)],
            bought("a", 800, late) + bought("b", 800, late) + bought("c", 400, late),
        ),
    ]
    found = judge("carts", "words", collect(pieces), ["a", "b", "c"])
    added = found.arms[1]
    assert (added.arm, added.group.drawn) == ("c", 2000)
    assert added.difference is not None
    assert added.difference.estimate == pytest.approx(0)
    assert found.weighted
    assert found.sound


def _drifting(random: np.random.Generator, effect: float) -> Collected:
    """A split whose shares move towards b while everybody buys more and more."""
    pieces = []
    for day in range(20):
        share = 0.5 + 0.02 * day
        shares = {"a": 1 - share, "b": share}
        rate = 0.05 + 0.01 * day
        n = int(random.binomial(300, share))
        sizes = {"a": 300 - n, "b": n}
        met = {arm: int(random.binomial(size, rate + (effect if arm == "b" else 0))) for arm, size in sizes.items()}
        buyers = [one for arm in sizes for one in bought(arm, met[arm], shares, "1 EUR")]
        pieces.append(Piece([drawn(arm, size, shares) for arm, size in sizes.items()], buyers))
    return collect(pieces)


@pytest.mark.parametrize("effect", [0.0, 0.05])
def test_where_shares_and_times_moved_together_intervals_hold_the_truth_all_the_same(effect: float) -> None:
    random = np.random.default_rng(11)
    runs, held, plain = 150, 0, 0
    for _ in range(runs):
        collected = _drifting(random, effect)
        found = judge("carts", "words", collected, ["a", "b"])
        difference, worth = found.arms[0].difference, found.arms[0].worth["EUR"]
        assert difference is not None
        assert worth.estimate == pytest.approx(difference.estimate)
        held += difference.low <= effect <= difference.high
        groups = collected.groups
        a, b = groups["a"].rate.share, groups["b"].rate.share
        assert a is not None
        assert b is not None
        plain += b - a > effect
    assert 0.9 * runs <= held <= 0.99 * runs
    assert plain > 0.95 * runs  # without weights b looks better than it is, nearly always


def test_a_look_at_any_time_at_moved_shares_is_wider_than_one_look() -> None:
    collected = _drifting(np.random.default_rng(3), 0.05)
    one, any_time = (judge("r", "s", collected, ["a", "b"], at_any_time=way) for way in (False, True))
    first, second = one.arms[0].difference, any_time.arms[0].difference
    assert first is not None
    assert second is not None
    assert second.low < first.low < first.high < second.high
    assert one.arms[0].probability == any_time.arms[0].probability


def test_of_twenty_arms_that_do_nothing_none_is_claimed() -> None:
    random = np.random.default_rng(5)
    names = [f"arm{number:02d}" for number in range(21)]
    shares = dict.fromkeys(names, 1 / 21)
    claims = 0
    for _ in range(30):
        met = {arm: int(random.binomial(1000, 0.1)) for arm in names}
        piece = Piece(
            [drawn(arm, 1000, shares) for arm in names], [b for a in names for b in bought(a, met[a], shares)]
        )
        claims += "brings" in verdict(judge("carts", "words", collect([piece]), names))
    assert claims <= 6  # 5% of 30 are 1.5, and more than 6 of them as good as never


amounts: st.SearchStrategy[str | None] = st.one_of(
    st.none(), st.floats().map(lambda one: f"{one} EUR"), st.sampled_from(["", "x", "1", "1e308 USD", "-1e308 USD"])
)
shares_drawn = st.sampled_from([HALVES, {"a": 0.9, "b": 0.1}, {"a": 1.0, "b": 0.0}])


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(1, 60), shares_drawn, st.sampled_from(["over", "open", "gone"]))
    ),
    st.lists(amounts, max_size=8),
    st.sampled_from(["", "any time", "reduced"]),
)
@settings(max_examples=40, deadline=None)
def test_whatever_comes_there_is_a_verdict_and_every_number_is_one(
    sizes: Sequence[tuple[str, int, dict[str, float], State]], worths: list[str | None], way: str
) -> None:
    groups = [drawn(arm, n, shares, state) for arm, n, shares, state in sizes]
    over = [(arm, shares) for arm, n, shares, state in sizes if state == "over" and n > 8]
    buyers = [Buyer(arm, json.dumps(shares), 0.0, [worth]) for arm, shares in over for worth in worths]
    found = judge(
        "r", "s", collect([Piece(groups, buyers)]), ["a", "b"], at_any_time=way == "any time", reduced=way == "reduced"
    )
    told = verdict(found)
    assert told
    assert "nan" not in told
    assert "inf" not in told.replace("information", "")
    for one in found.arms:
        for difference in (one.difference, *one.worth.values()):
            if difference is not None:
                assert all(map(math.isfinite, (difference.estimate, difference.low, difference.high)))
                assert difference.low <= difference.estimate <= difference.high
