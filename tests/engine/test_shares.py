"""Shares by hash: who is rolled out, held out, and in which arm; what an arm learns."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Period
from segue.engine.journey import (
    Assign,
    Changed,
    Choice,
    Crossed,
    Decide,
    Emitted,
    Input,
    Learn,
    Note,
    Pass,
    Reported,
    SetTrait,
)
from segue.language import model as m
from tests.engine.alone import MONDAY, Alone, Known, rule
from tests.engine.stage import DAY, at, deliver, happened, hours, send


def split(*arms: tuple[Any, str], towards: m.Expression | None = None, name: str = "offer") -> m.Split:
    return m.Split(name, tuple(m.Arm(Decimal(percent), arm, (send(arm),)) for percent, arm in arms), towards)


HALVES = split((50, "email"), (50, "sms"))


def channel_of(key: str, book: m.Rule, **more: Any) -> str:
    alone = Alone(book, key=key, **more).enter()
    return alone.sent[0][0]


def entered(key: str, percent: object) -> bool:
    admission = Alone(rule(send("push"), rollout=Decimal(str(percent))), key=key)
    found = admission.admit(admission.event("cart", MONDAY))
    assert found is not None
    if found.entered is None:
        assert found.ignored is not None
        assert found.ignored.reason == f"not among the {percent}% rolled out"
    return found.entered is not None


def holds_out(key: str, percent: object, **more: Any) -> bool:
    return Alone(rule(send("push"), holdout=Decimal(str(percent)), **more), key=key).enter().journey.holdout


KEYS = [f"customer {number}" for number in range(2000)]


def test_arms_get_what_their_percentages_say() -> None:
    shares = Counter(channel_of(key, rule(split((10, "email"), (60, "sms"), (30, "push")))) for key in KEYS)
    assert 140 < shares["email"] < 260
    assert 1110 < shares["sms"] < 1290


def test_an_arm_of_nothing_gets_nobody_and_one_of_all_gets_everybody() -> None:
    assert {channel_of(key, rule(split((0, "email"), (100, "sms"), (0, "push")))) for key in KEYS[:300]} == {"sms"}


def test_a_customer_has_the_same_arm_on_re_entry_and_after_a_step_is_inserted() -> None:
    longer = rule(m.Set("vip", "boolean", m.Literal_(True)), HALVES)
    for key in KEYS[:50]:
        arm = channel_of(key, rule(HALVES))
        assert channel_of(key, rule(HALVES)) == channel_of(key, longer) == arm


def test_another_split_and_another_rule_draw_anew() -> None:
    other = m.Rule("other", None, ("cart",), (HALVES,))
    renamed = rule(split((50, "email"), (50, "sms"), name="again"))
    for book in (other, renamed):
        differs = sum(channel_of(key, rule(HALVES)) != channel_of(key, book) for key in KEYS[:400])
        assert 140 < differs < 260


def test_shares_hang_on_the_first_key_that_a_customer_was_known_by() -> None:
    for key in KEYS[:50]:
        assert channel_of("ann", rule(HALVES), known=Known(seed=key)) == channel_of(key, rule(HALVES))


def test_an_assigned_arm_stays_whatever_the_percentages_say_now() -> None:
    for key in KEYS[:20]:
        alone = Alone(rule(split((0, "email"), (100, "sms"))), key=key, known=Known(arms={"offer": "email"})).enter()
        assert alone.sent == [("email", "hello")]
        assert alone.told(Assign) == []


def test_an_arm_that_is_no_more_is_assigned_anew() -> None:
    alone = Alone(rule(HALVES), known=Known(arms={"offer": "letter"})).enter()
    (assigned,) = alone.told(Assign)
    assert assigned.arm in ("email", "sms")


def test_a_split_in_a_repeat_gives_the_same_arm_each_turn() -> None:
    looped = rule(m.Repeat(3, (m.Split("offer", tuple(m.Arm(Decimal(50), arm, (m.Emit(arm),)) for arm in "ab")),)))
    alone = Alone(looped).enter()
    assert len({effect.event for effect in alone.told(Emitted)}) == 1
    assert len(alone.told(Assign)) == 1
    assert len(alone.journey.choices) == 1


def test_a_learned_weight_moves_new_customers_only() -> None:
    learning = rule(split((50, "email"), (50, "sms"), towards=happened("ordered")))
    grown = Known(weights={"email": 0.9, "sms": 0.1})
    shares = Counter(channel_of(key, learning, known=grown) for key in KEYS[:1000])
    assert 860 < shares["email"] < 940
    assert channel_of("ann", learning, known=Known(arms={"offer": "sms"}, weights={"email": 1.0})) == "sms"


def test_a_draw_tells_the_moment_and_the_probabilities_of_all_arms() -> None:
    later = rule(m.Wait(DAY), split((30, "email"), (70, "sms"), towards=happened("ordered")))
    (drawn,) = Alone(later).enter().wake().told(Assign)
    assert (drawn.at, dict(drawn.shares)) == (at("2026-01-06T10:00:00Z"), {"email": 0.3, "sms": 0.7})
    (drawn,) = Alone(later, known=Known(weights={"email": 0.95, "sms": 0.05})).enter().wake().told(Assign)
    assert dict(drawn.shares) == {"email": 0.95, "sms": 0.05}


def test_weights_of_arms_that_are_no_more_leave_the_written_ones() -> None:
    assert channel_of("ann", rule(HALVES), known=Known(weights={"letter": 1.0})) == channel_of("ann", rule(HALVES))


# Towards


def learning(*steps: m.Step, **more: Any) -> m.Rule:
    grows = split((100, "email"), towards=happened("ordered"))
    return rule(*steps, grows, m.Wait(Period(days=30)), **more)


def test_an_order_within_a_week_of_the_split_is_learned_once() -> None:
    alone = Alone(learning()).enter().settle(MONDAY)
    alone.arrive("ordered", "2026-01-12T10:00:00Z")
    assert alone.told(Learn) == [Learn("offer", "email", at("2026-01-12T10:00:00Z"))]
    alone.arrive("ordered", "2026-01-12T10:00:00Z")
    assert alone.told(Learn) == []


@pytest.mark.parametrize(("goal", "learned"), [(None, False), (m.Goal(happened("paid"), Period(days=10)), True)])
def test_it_counts_to_the_goals_window_where_there_is_one(goal: m.Goal | None, learned: bool) -> None:
    alone = Alone(learning(goal=goal)).enter().settle(MONDAY)
    alone.arrive("ordered", "2026-01-14T10:00:00Z")
    assert bool(alone.told(Learn)) is learned


def test_a_week_counts_from_the_split() -> None:
    alone = Alone(learning(m.Wait(DAY))).enter().wake().settle("2026-01-06T10:00:00Z")
    assert alone.arrive("ordered", "2026-01-13T10:00:00Z").told(Learn)


def test_it_is_learned_also_after_the_journey_has_ended_while_its_window_is_open() -> None:
    short = rule(split((100, "email"), towards=happened("ordered")))
    alone = Alone(short).enter().settle(MONDAY)
    assert alone.journey.state == "finished"
    assert alone.due == at("2026-01-13T10:00:00Z")  # a day after the window: a late event still counts
    assert alone.arrive("ordered", "2026-01-12T09:00:00Z").told(Learn)


def test_a_reaction_a_trait_and_a_segment_are_learned_from_as_well() -> None:
    segments = {"buyers": m.Segment("buyers", None, m.Present(m.Trait("buyer", "boolean")))}
    cases: list[tuple[m.Expression, Input]] = [
        (m.Reacted("clicked"), Reported("k", "clicked", "email", "hello", at(MONDAY))),
        (m.Present(m.Trait("buyer", "boolean")), Changed(frozenset({"buyer"}))),
        (m.InSegment("buyers"), Crossed(frozenset({"buyers"}))),
    ]
    for towards, happening in cases:
        grows = rule(split((100, "email"), towards=towards), m.Wait(DAY))
        alone = Alone(grows, traits={"buyer": True}, segments=segments).enter().settle(MONDAY)
        assert alone.feed(happening, MONDAY).told(Learn) == [Learn("offer", "email", at("2026-01-12T10:00:00Z"))]


# Rollout and holdout


@given(st.text(min_size=1, max_size=8), st.integers(0, 100), st.integers(0, 100))
def test_raising_a_rollout_keeps_those_in_it(key: str, one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert entered(key, high) or not entered(key, low)
    assert entered(key, 100)
    assert not entered(key, 0)


def test_a_rollout_lets_in_its_share() -> None:
    assert 140 < sum(entered(key, 10) for key in KEYS) < 260


def test_the_holdout_is_a_share_of_those_rolled_out_and_hangs_on_the_name_of_the_rule() -> None:
    inside = [key for key in KEYS if entered(key, 50)]
    held = [key for key in inside if holds_out(key, 20, rollout=Decimal(50))]
    assert 0.15 < len(held) / len(inside) < 0.25
    assert [key for key in inside if holds_out(key, 20, rollout=Decimal(100), once=m.Once())] == held


VIP = m.Present(m.Trait("vip", "boolean"))
HELD: dict[str, Any] = {"holdout": Decimal(100)}


def test_a_journey_in_the_holdout_runs_and_touches_nothing() -> None:
    steps = (
        m.Set("vip", "boolean", m.Literal_(True)),
        m.Emit("pinged"),
        m.Send(((deliver("email", values=(("code", m.Coupon("CART10")),)), deliver("sms")),)),
        m.Wait(DAY),
        send("push"),
    )
    alone = Alone(rule(*steps, goal=m.Goal(happened("ordered"), DAY), **HELD)).enter()
    assert not alone.told(SetTrait) + alone.told(Emitted) + alone.told(Decide)
    assert [(one.channel, one.reason) for one in alone.told(Pass)] == [("email", "holdout")]
    assert alone.due == at("2026-01-06T10:00:00Z")
    assert [note.decision for note in alone.arrive("ordered", "2026-01-05T12:00:00Z").told(Note)] == ["converted"]
    assert [one.channel for one in alone.wake().told(Pass)] == ["push"]
    assert alone.journey.state == "finished"


def test_who_is_held_out_and_unreachable_is_told_so() -> None:
    alone = Alone(rule(send("email"), **HELD), refusal=lambda channel, kind: "no email").enter()
    assert [one.reason for one in alone.told(Pass)] == ["no email"]


def test_a_guard_on_a_trait_that_a_holdout_did_not_set_stays_as_it_is() -> None:
    guarded = rule(
        m.Wait(hours(1), m.Present(m.Trait("vip", "boolean"))),
        m.Set("vip", "boolean", m.Literal_(True)),
        send("push"),
        **HELD,
    )
    assert Alone(guarded).enter().wake().journey.state == "finished"


def test_the_holdout_is_in_arms_and_teaches_them_nothing() -> None:
    alone = Alone(learning(**HELD)).enter()
    assert alone.told(Assign) == [Assign("offer", "email", at(MONDAY), {"email": 1.0}, until=None)]
    assert alone.journey.choices == (Choice("offer", "email"),)
    assert alone.arrive("ordered", "2026-01-05T12:00:00Z").told(Learn) == []
