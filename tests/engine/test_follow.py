"""``on edit follow``: where customers inside go on, from when their wait counts, and what they keep."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from segue.api import Period
from segue.engine.follow import follow
from segue.engine.journey import Choice, Decide, Note, Reported, Trace, Withdraw
from segue.language import model as m
from tests.engine.alone import MONDAY, Alone, rule
from tests.engine.stage import DAY, at, deliver, happened, hours, send


def day(number: int, clock: str = "10:00:00") -> str:
    return f"2026-01-{number:02}T{clock}Z"


def wait(days: int, unless: m.Expression | None = None) -> m.Wait:
    return m.Wait(Period(days=days), unless)


WEEK = rule(wait(7), send("push"))


@pytest.mark.parametrize(
    ("edited", "due"), [(5, day(10)), (10, day(15))], ids=["shortened to a moment to come", "lengthened"]
)
def test_a_wait_counts_from_when_it_was_reached(edited: int, due: str) -> None:
    alone = Alone(WEEK).enter().edit(rule(wait(edited), send("push")), day(8))
    assert alone.due == at(due)
    assert alone.effects == []
    assert alone.journey.program == alone.program.hash


def test_a_wait_shortened_to_the_past_is_over_when_the_edit_is_published() -> None:
    noted = rule(wait(7), m.Emit("pinged"), send("push"))
    alone = Alone(noted).enter().edit(rule(wait(1), m.Emit("pinged"), wait(1), send("push")), day(8))
    assert alone.due == at(day(9))  # the wait behind it counts from then
    alone = Alone(WEEK).enter().edit(rule(wait(1), send("push")), day(8))
    assert alone.sent == [("push", "hello")]


def test_a_wait_that_was_not_edited_stays_due() -> None:
    steps = (m.WaitUntil(m.AtClock(m.Clock(540), "tomorrow")), send("push"))
    alone = Alone(rule(*steps)).enter(day(5, "21:00:00")).edit(rule(*steps, send("sms")), day(6, "00:30:00"))
    assert alone.due == at(day(6, "09:00:00"))


@pytest.mark.parametrize(
    ("clock", "edited", "due"),
    [(600, day(6, "00:30:00"), day(6)), (480, day(6, "08:30:00"), None), (480, day(6, "07:30:00"), day(6, "08:00:00"))],
)
def test_another_clock_time_counts_from_when_the_wait_was_reached(clock: int, edited: str, due: str | None) -> None:
    def text(minute: int) -> m.Rule:
        return rule(m.WaitUntil(m.AtClock(m.Clock(minute), "tomorrow")), send("push"))

    alone = Alone(text(540)).enter(day(5, "21:00:00")).edit(text(clock), edited)
    assert alone.due == (at(due) if due else None)
    assert alone.sent == ([] if due else [("push", "hello")])


def test_another_window_is_waited_for_from_now() -> None:
    def text(start: int, end: int) -> m.Rule:
        return rule(m.WaitUntil(m.InWindow(m.Clock(start), m.Clock(end))), send("push"))

    alone = Alone(text(540, 1200)).enter(day(5, "22:00:00")).edit(text(1260, 1380), day(5, "23:30:00"))
    assert alone.due == at(day(6, "21:00:00"))


def test_another_date_that_was_past_already_ends_the_journey_with_the_reason() -> None:
    def text(days: int) -> m.Rule:
        return rule(m.WaitUntil(m.Offset(Period(days=days), "before", m.Trait("renewal", "date"))), send("push"))

    def edited(days: int) -> Alone:
        return Alone(text(2), traits={"renewal": day(20)}).enter().edit(text(days), day(8))

    assert edited(3).due == at(day(17))
    assert edited(14).sent == [("push", "hello")]  # on the 6th: not past when the wait was reached
    assert edited(30).journey.reason == "30d before the date was already past"


def test_a_wait_for_keeps_its_condition_and_gets_its_new_limit() -> None:
    def text(limit: int, *, forward: bool = False) -> m.Rule:
        return rule(m.WaitFor(happened("paid"), Period(days=limit), forward), send("push"))

    assert Alone(text(7)).enter().edit(text(5), day(8)).due == at(day(10))
    assert Alone(text(7)).enter().edit(text(1), day(8)).sent == [("push", "hello")]
    before = Alone(rule(wait(1), *text(7, forward=True).steps)).enter()
    before.event("paid", day(5, "12:00:00"))
    before.wake()
    assert before.due == at(day(13))
    assert before.edit(rule(wait(1), *text(7).steps), day(8)).sent == [("push", "hello")]  # looking back now


def test_from_a_removed_step_the_next_one_counts_from_the_edit() -> None:
    alone = Alone(rule(wait(7), send("sms"), wait(2), send("push"))).enter()
    alone.edit(rule(wait(2), send("push")), day(8))
    assert alone.due == at(day(10))
    alone = Alone(rule(m.WaitFor(happened("paid"), Period(days=7)), send("sms"), wait(2), send("push"))).enter()
    alone.edit(rule(wait(2), send("push")), day(8))
    assert alone.due == at(day(10))


def test_where_nothing_is_left_the_journey_finishes() -> None:
    alone = Alone(WEEK).enter().edit(rule(send("sms")), day(8))
    assert (alone.journey.state, alone.journey.ended) == ("finished", at(day(8)))
    assert [note.decision for note in alone.told(Note)] == ["finished"]


def test_guards_over_the_new_place_are_judged_at_once() -> None:
    alone = Alone(WEEK).enter().arrive("ordered", day(6))
    alone.edit(rule(wait(7, happened("ordered")), send("push")), day(8))
    assert (alone.journey.state, alone.journey.reason) == ("exited", "unless ordered")
    assert alone.told(Withdraw)


def test_a_guard_that_the_new_text_lacks_ends_nothing() -> None:
    alone = Alone(rule(wait(7, happened("ordered")), send("push"))).enter().edit(WEEK, day(6))
    assert alone.arrive("ordered", day(7)).journey.state == "inside"


def test_a_guard_is_judged_before_what_was_shortened_goes_on() -> None:
    alone = Alone(WEEK).enter().arrive("ordered", day(6))
    alone.edit(rule(wait(1), send("push"), until=happened("ordered")), day(8))
    assert alone.journey.reason == "until ordered"
    assert alone.sent == []


# Sends under way


TWO = rule(m.Send(((deliver("push"), deliver("sms")),)), wait(1), send("email"))


def test_a_message_under_way_settles_as_before() -> None:
    alone = Alone(TWO).enter().edit(rule(m.Set("vip", "boolean", m.Literal_(True)), *TWO.steps), day(5, "11:00:00"))
    assert alone.sent == []
    assert alone.settle(day(5, "12:00:00"), "failed").sent == [("sms", "hello")]
    assert alone.settle(day(5, "12:00:00")).due == at(day(6, "12:00:00"))


def test_a_message_whose_send_was_removed_goes_and_the_journey_does_not_wait_for_it() -> None:
    alone = Alone(TWO).enter().edit(rule(wait(1), send("email")), day(5, "11:00:00"))
    assert alone.due == at(day(6, "11:00:00"))
    assert alone.settle(day(5, "12:00:00"), "failed").sent == []
    assert alone.due == at(day(6, "11:00:00"))


def test_a_failure_reported_late_finds_its_next_channel_in_the_new_text() -> None:
    alone = Alone(TWO).enter().settle(MONDAY).edit(rule(wait(3), *TWO.steps), day(5, "11:00:00"))
    key = alone.journey.sends[0].key
    report = Reported(key, "undelivered", "push", "hello", at(day(5, "12:00:00")))
    assert alone.feed(report, day(5, "12:00:00")).sent == [("sms", "hello")]


def test_other_channels_in_its_place_are_not_fallen_back_to() -> None:
    other = rule(m.Send(((deliver("push"),), (deliver("sms"),))), wait(1), send("email"))
    alone = Alone(TWO).enter().edit(other, day(5, "11:00:00"))
    assert alone.settle(day(5, "12:00:00"), "failed").sent == []
    assert alone.due == at(day(6, "12:00:00"))


# Arms and turns


def offer(*arms: tuple[str, m.Step], name: str = "offer") -> m.Split:
    return m.Split(name, tuple(m.Arm(Decimal(100) / len(arms), arm, (step, send(arm))) for arm, step in arms))


def test_a_customer_in_an_arm_stays_in_it_and_leaves_a_removed_one() -> None:
    old = rule(offer(("email", wait(3)), ("sms", wait(3))), wait(1), send("push"))
    for key in ("ann", "bob", "carl", "dora"):
        alone = Alone(old, key=key).enter()
        (choice,) = alone.journey.choices
        alone.edit(rule(offer(("sms", wait(5)), ("letter", wait(9))), wait(1), send("push")), day(6))
        assert alone.journey.choices == (choice,)
        if choice.arm == "sms":
            assert alone.due == at(day(10))
            assert alone.wake().sent == [("sms", "hello")]
        else:
            assert alone.due == at(day(7))
            assert alone.wake().sent == [("push", "hello")]


def test_an_arm_follows_its_split_to_a_new_place() -> None:
    old = rule(offer(("email", wait(3)), name="1"), send("push"))
    new = rule(offer(("push", wait(9)), name="1"), offer(("email", wait(3)), name="2"), send("push"))
    alone = Alone(old).enter().edit(new, day(6))
    assert alone.journey.choices == (Choice("2", "email"),)
    assert alone.due == at(day(8))


def test_the_turns_of_a_repeat_are_kept() -> None:
    def text(times: int, days: int, *before: m.Step) -> m.Rule:
        return rule(*before, m.Repeat(times, (wait(days), m.Emit("pinged"))), send("push"))

    alone = Alone(text(3, 2)).enter().wake()
    assert alone.journey.turns == ((0, 2),)
    alone.edit(text(3, 1, send("sms")), day(7, "12:00:00"))
    assert alone.journey.turns == ((1, 2),)
    alone.wake()
    assert alone.wake().sent == [("push", "hello")]
    fewer = Alone(text(5, 2)).enter().wake().wake().edit(text(2, 2), day(9, "12:00:00"))
    assert fewer.wake().sent == [("push", "hello")]


def test_whoever_gets_into_a_repeat_by_an_edit_is_in_its_first_turn() -> None:
    alone = Alone(rule(wait(2), send("push"))).enter().edit(rule(m.Repeat(3, (wait(2), send("push")))), day(6))
    assert alone.journey.turns == ((0, 1),)


# The rest


def test_the_goal_of_the_new_text_counts_from_entry() -> None:
    week = {"goal": m.Goal(happened("ordered"), Period(days=7))}
    alone = Alone(WEEK).enter().edit(rule(*WEEK.steps, **week), day(8))
    assert alone.journey.goal_until == at(day(12))
    assert [note.decision for note in alone.arrive("ordered", day(9)).told(Note)] == ["converted"]
    assert Alone(rule(*WEEK.steps, **week)).enter().edit(WEEK, day(8)).journey.goal_until is None


def test_the_trace_keeps_saying_what_was() -> None:
    old = rule(wait(1), m.Emit("pinged"), send("sms"), wait(7), send("push"))
    alone = Alone(old).enter().wake().settle(day(6)).edit(rule(m.Emit("pinged"), wait(2), send("push")), day(7))
    assert alone.journey.trace == (
        Trace(at(day(6)), -1, "", "wait 1d"),
        Trace(at(day(6)), 0),
        Trace(at(day(6)), -1, "", "send sms"),
    )
    alone.wake()
    assert alone.journey.trace[-1] == Trace(at(day(8)), 1)
    gone = Alone(WEEK).enter().edit(rule(send("push")), day(6))
    assert gone.journey.trace == (Trace(at(day(6)), -1, "removed by an edit", "wait 7d"),)


def test_edit_after_edit_leads_back_to_where_it_was() -> None:
    longer = rule(send("sms"), wait(3), wait(9), send("push"))
    alone = Alone(rule(wait(7), send("push"))).enter()
    there_and_back = alone.edit(rule(wait(7), send("push"), send("sms")), day(6)).edit(WEEK, day(7))
    assert there_and_back.due == at(day(12))
    assert there_and_back.journey.step == 0
    assert alone.edit(longer, day(8)).journey.step in (1, 2)


def test_one_that_has_ended_and_one_that_did_not_change_are_left_alone() -> None:
    ended = Alone(rule(send("push"), goal=m.Goal(happened("ordered"), DAY))).enter().settle(MONDAY)
    before = ended.journey
    assert ended.edit(rule(send("sms")), day(6)).journey is before
    same = Alone(WEEK).enter()
    assert follow(same.program, same.program, same.journey, same.customer, at(day(6))) == (same.journey, [])


def test_no_message_is_decided_twice_by_an_edit() -> None:
    text: Any = rule(send("push"), wait(1), send("push"), wait(hours(0).days + 1), send("push"))
    alone = Alone(text).enter()
    keys = {effect.key for effect in alone.told(Decide)}
    alone.settle(MONDAY).edit(rule(wait(1), send("push"), wait(1), send("push")), day(5, "11:00:00"))
    for _ in range(2):
        if alone.due is not None:
            alone.wake()
        new = {effect.key for effect in alone.told(Decide)}
        assert not keys & new
        keys |= new
        if new:
            alone.settle(day(7))
