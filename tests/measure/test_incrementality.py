"""Evidence beside attribution: what may be claimed, and how far money moves by it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from segue.measure.experiments.groups import Difference
from segue.measure.experiments.result import Lift
from segue.measure.incrementality import Evidence, evidence_table, say, suggest


def evidence(
    each: tuple[float, float, float] | None = (0.1, 0.05, 0.15),
    worth: tuple[float, float, float] | None = (900.0, 500.0, 1300.0),
    *,
    cost: float = 100.0,
    sound: bool = True,
    held_out: int = 100,
    attributed: dict[str, float] | None = None,
    per_day: float | None = None,
    waiting: int = 0,
    lopsided: tuple[str, ...] = (),
) -> Evidence:
    difference = Difference(*each, 0.01, 0.95) if each is not None else None
    brought = {"EUR": Difference(*worth, 0.01, 0.95)} if worth is not None else {}
    claimed = sound and difference is not None and difference.settled
    lift = Lift(
        *("carts", 1000, held_out, difference, difference.times(1000) if difference else None, brought, sound, claimed),
        per_day=per_day,
        waiting=waiting,
        lopsided=lopsided,
    )
    return Evidence("carts", lift, attributed or {}, {"EUR": cost} if cost else {})


def test_what_was_measured_is_said_beside_what_models_attribute() -> None:
    one = evidence(attributed={"last": 120.0, "linear": 80.0})
    assert one.strength == "strong"
    assert say(one) == "Strong evidence: it caused 50 to 150 conversions; models attribute 80 to 120 conversions."


def test_models_that_are_all_wrong_are_said_to_be() -> None:
    assert "every model is wrong" in say(evidence(attributed={"last": 400.0, "linear": 380.0}))
    assert "every model is wrong" in say(evidence(attributed={"last": 4.0, "linear": 2.0}))
    assert "wrong" not in say(evidence(attributed={"last": 400.0, "linear": 120.0}))


def test_harm_is_said_to_be_harm() -> None:
    assert say(evidence((-0.1, -0.15, -0.05))) == "Strong evidence that it does harm: it cost 50 to 150 conversions."


@pytest.mark.parametrize(
    ("changed", "strength", "words"),
    [
        ({"each": (0.1, -0.05, 0.2)}, "weak", "may have caused nothing"),
        ({"each": None}, "none", "too few are held out"),
        ({"held_out": 5}, "none", "too few are held out"),
        ({"sound": False}, "none", "not the size they should be"),
    ],
)
def test_what_is_not_measured_is_not_claimed(changed: dict[str, Any], strength: str, words: str) -> None:
    one = evidence(**changed)
    assert one.strength == strength
    assert words in say(one)
    assert "Strong" not in say(one)


def test_only_a_measured_response_moves_money_and_by_a_bounded_step() -> None:
    assert suggest(evidence(), "EUR").startswith("up to 20% more")
    assert suggest(evidence(worth=(50.0, 10.0, 90.0)), "EUR").startswith("20% less")
    open_question = (150.0, 60.0, 240.0)  # 50 ± 90 net of cost: 3.24 times as many of the 1,100 customers show it
    assert suggest(evidence(worth=open_question), "EUR").startswith("not enough evidence")
    assert "about 25 more days" in suggest(evidence(worth=open_question, per_day=100.0), "EUR")
    assert "days" not in suggest(evidence(worth=open_question, per_day=0.1), "EUR")
    assert "no budget to move" in suggest(evidence(cost=0.0), "EUR")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"sound": False}, "find out why the groups are not the size they should be (`segue experiment carts`)"),
        ({"held_out": 5}, "hold out more customers"),
        ({"held_out": 5, "cost": 0.0}, "hold out more customers"),
        ({"worth": None}, "name their amount in the goal (`worth total`)"),
        ({"lopsided": ("EUR",)}, "hangs on one customer alone"),
    ],
)
def test_where_a_budget_cannot_be_moved_the_missing_evidence_is_named(changed: dict[str, Any], words: str) -> None:
    said = suggest(evidence(**changed), "EUR")
    assert said.startswith("not enough evidence: ")
    assert words in said


def test_customers_whose_time_is_not_over_make_no_model_wrong() -> None:
    """Of 1,000 who count it caused 50 to 150; models also share out what 1,000 others bought already."""
    assert "wrong" not in say(evidence(attributed={"last": 290.0, "linear": 260.0}, waiting=1000))
    assert "wrong" in say(evidence(attributed={"last": 390.0, "linear": 310.0}, waiting=1000))


def test_money_is_net_of_cost_and_never_of_another_currency() -> None:
    one = evidence()
    net = one.net("EUR")
    assert net is not None
    assert (net.estimate, net.low, net.high) == (800.0, 400.0, 1200.0)
    assert one.give_back("EUR") == pytest.approx(9.0)
    assert one.net("USD") is None
    assert one.give_back("USD") is None
    mixed = Evidence("carts", one.lift, {}, {"EUR": 100.0, "USD": 7.0})
    assert [(row["currency"], row["cost"]) for row in evidence_table([mixed]).records()] == [
        ("EUR", 100.0),
        ("USD", 7.0),
    ]


def test_a_table_has_a_line_for_a_rule_of_which_nothing_is_known() -> None:
    table = evidence_table([evidence(None, None, cost=0.0)])
    (row,) = table.records()
    assert row["currency"] == ""
    assert row["caused"] is None
    assert row["evidence"] == "none"
    assert all(not isinstance(cell, float) or math.isfinite(cell) for cell in row.values())
    assert evidence_table([]).rows == ()
