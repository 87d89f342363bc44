"""The exact instants at which one thing ends and another begins, and of two things at one instant which comes first."""

from __future__ import annotations

from typing import Any

import pytest

from segue.api import Period
from segue.language import model as m
from tests.engine.stage import DAY, ENTRY, REACH, arrival, happened, hours, play, send, told

MONDAY = "2026-01-05T10:00:00Z"


def rule(*steps: m.Step, **more: Any) -> m.Rule:
    return m.Rule("any", None, more.pop("events", ("cart",)), steps, **more)


def day(number: int, clock: str = "10:00:00") -> str:
    return f"2026-01-{number:02}T{clock}Z"


@pytest.mark.parametrize(("again", "decision"), [("09:59:59", "ignored"), ("10:00:00", "entered")])
def test_once_per_day_counts_24_hours_from_entry(again: str, decision: str) -> None:
    lines = play(
        [rule(send("push"), once=m.Once(DAY))], [arrival("1", "cart", MONDAY), arrival("2", "cart", day(6, again))]
    )
    assert lines[-1 if decision == "ignored" else 3].decision == decision


@pytest.mark.parametrize(("when", "converts"), [("11:00:00", True), ("11:00:00.000001", False)])
def test_a_goal_is_met_up_to_the_last_instant_of_its_window(when: str, converts: bool) -> None:
    goal = m.Goal(happened("ordered"), hours(1))
    lines = play([rule(send("push"), goal=goal)], [arrival("1", "cart", MONDAY), arrival("2", "ordered", day(5, when))])
    assert ("converted" in [line.decision for line in lines]) is converts


@pytest.mark.parametrize(
    ("arrived", "converts"), [("06T11:00:00", True), ("06T11:00:00.000001", False), ("05T12:00:00", True)]
)
def test_an_order_told_up_to_a_day_late_still_converts(arrived: str, converts: bool) -> None:
    goal = m.Goal(happened("ordered"), hours(1))
    late = arrival("2", "ordered", f"2026-01-{arrived}Z", happened_at=day(5, "10:30:00"))
    lines = play([rule(send("push"), goal=goal)], [arrival("1", "cart", MONDAY), late])
    assert told(lines)[3:] == ([("05T10:30:00", "converted", "ordered")] if converts else [])


def test_a_second_order_does_not_fall_to_the_journey_before() -> None:
    goal = m.Goal(happened("ordered"), Period(days=7))
    lines = play(
        [rule(m.Wait(hours(30)), goal=goal)],
        [
            arrival("1", "cart", MONDAY),
            arrival("2", "cart", day(7)),
            arrival("3", "ordered", day(8)),
            arrival("4", "ordered", day(9)),
        ],
    )
    assert [line.decision for line in lines].count("converted") == 1


def test_an_event_at_the_instant_a_wait_ends_comes_first() -> None:
    guarded = rule(m.Wait(DAY, happened("ordered")), send("push"))
    lines = play([guarded], [arrival("1", "cart", MONDAY), arrival("2", "ordered", day(6))])
    assert told(lines) == [("05T10:00:00", "entered", ""), ("06T10:00:00", "exited", "unless ordered")]


def test_a_wait_that_ended_an_instant_before_an_event_is_over() -> None:
    guarded = rule(m.Wait(DAY, happened("ordered")), send("push"))
    lines = play([guarded], [arrival("1", "cart", MONDAY), arrival("2", "ordered", day(6, "10:00:00.000001"))])
    assert [line.decision for line in lines] == ["entered", "sent", "finished"]


def test_what_happened_before_the_wait_for_the_next_does_not_count() -> None:
    waiting = rule(m.Wait(hours(2)), m.WaitFor(happened("ordered"), DAY, True), send("push"))
    arrivals = [arrival("1", "cart", MONDAY), arrival("2", "ordered", day(5, "11:00:00"))]
    assert told(play([waiting], arrivals))[1:] == [("06T12:00:00", "sent", "push"), ("06T12:00:00", "finished", "")]
    looking_back = rule(m.Wait(hours(2)), m.WaitFor(happened("ordered"), DAY), send("push"))
    assert told(play([looking_back], arrivals))[1] == ("05T12:00:00", "sent", "push")


def test_the_event_that_ends_one_wait_is_not_the_next_one() -> None:
    twice = rule(m.WaitFor(happened("ordered"), DAY), m.WaitFor(happened("ordered"), DAY, True), send("push"))
    arrivals = [arrival("1", "cart", MONDAY), arrival("2", "ordered", day(5, "11:00:00"))]
    assert told(play([twice], arrivals))[1] == ("06T11:00:00", "sent", "push")
    both = [*arrivals, arrival("3", "ordered", day(5, "11:00:00"))]
    assert told(play([twice], both))[1] == ("05T11:00:00", "sent", "push")


def test_an_event_of_another_value_ends_no_journey_and_one_without_a_value_ends_all() -> None:
    guarded = rule(m.Wait(DAY, happened("ordered")), send("push"), per="key")
    begin = [arrival("1", "cart", MONDAY, key="a"), arrival("2", "cart", MONDAY, key="b")]
    one = play([guarded], [*begin, arrival("3", "ordered", day(5, "12:00:00"), key="a")])
    assert [line.decision for line in one][2:] == ["exited", "sent", "finished"]
    everyone = play([guarded], [*begin, arrival("3", "ordered", day(5, "12:00:00"))])
    assert [line.decision for line in everyone][2:] == ["exited", "exited"]


@pytest.mark.parametrize("date", ["2025-12-01", "2026-01-05T09:59:59Z"])
def test_a_wait_after_a_date_long_past_counts_from_when_it_was_reached(date: str) -> None:
    steps = (m.WaitUntil(m.AtDate(m.TriggerField("due", "date"))), m.Wait(DAY), send("push"))
    assert told(play([rule(*steps)], [arrival("1", "cart", MONDAY, due=date)]))[1] == ("06T10:00:00", "sent", "push")


def test_a_date_that_is_moved_into_the_past_ends_its_wait_now() -> None:
    steps = (m.WaitUntil(m.AtDate(m.Trait("due", "date"))), m.Wait(DAY), send("push"))
    lines = play(
        [rule(*steps)],
        [
            arrival("1", None, MONDAY, traits={"due": day(20)}),
            arrival("2", "cart", MONDAY),
            arrival("3", None, day(8), traits={"due": day(1)}),
        ],
    )
    assert told(lines)[1] == ("09T10:00:00", "sent", "push")


def test_a_journey_that_begins_late_counts_from_the_event_itself() -> None:
    late = arrival("1", "cart", day(5, "12:00:00"), happened_at=MONDAY)
    assert told(play([rule(m.Wait(DAY), send("push"))], [late]))[:2] == [
        ("05T10:00:00", "entered", ""),
        ("06T10:00:00", "sent", "push"),
    ]


@pytest.mark.parametrize(("arrived", "decision"), [("06T10:00:00", "entered"), ("06T10:00:00.000001", "ignored")])
def test_an_event_more_than_a_day_old_begins_nothing(arrived: str, decision: str) -> None:
    late = arrival("1", "cart", f"2026-01-{arrived}Z", happened_at=MONDAY)
    assert play([rule(send("push"))], [late])[0].decision == decision


def test_an_order_made_before_the_cart_and_told_after_it_does_not_count() -> None:
    guarded = rule(m.Wait(DAY, happened("ordered")), send("push"))
    late = arrival("2", "ordered", day(5, "12:00:00"), happened_at=day(5, "09:59:59"))
    assert [line.decision for line in play([guarded], [arrival("1", "cart", MONDAY), late])][1] == "sent"


def test_an_event_with_a_time_to_come_happened_when_it_arrived() -> None:
    early = arrival("1", "cart", MONDAY, happened_at=day(9))
    assert told(play([rule(m.Wait(DAY), send("push"))], [early]))[1] == ("06T10:00:00", "sent", "push")


def test_a_guard_ends_with_its_block() -> None:
    branch = m.If((m.Branch(m.Not(happened("paid")), (m.Wait(DAY, happened("ordered")), send("push"))),))
    lines = play(
        [rule(branch, m.Wait(DAY), send("sms"))],
        [arrival("1", "cart", MONDAY), arrival("2", "ordered", day(7, "09:00:00"))],
    )
    assert told(lines)[1:3] == [("06T10:00:00", "sent", "push"), ("07T10:00:00", "sent", "sms")]


def test_the_limit_wins() -> None:
    waiting = rule(
        m.WaitFor(happened("paid"), DAY), m.If((m.Branch(happened("paid"), (send("email"),)),), (send("sms"),))
    )
    lines = play([waiting], [arrival("1", "cart", MONDAY), arrival("2", "paid", day(12))])
    assert told(lines)[1:] == [("06T10:00:00", "sent", "sms"), ("06T10:00:00", "finished", "")]


def test_a_trigger_that_ends_the_journey_begins_the_next() -> None:
    repeated = rule(m.Wait(Period(days=3)), send("push"), events=("ordered",), until=m.Happened("ordered", ENTRY))
    lines = play([repeated], [arrival("1", "ordered", MONDAY), arrival("2", "ordered", day(7))])
    assert told(lines) == [
        ("05T10:00:00", "entered", ""),
        ("07T10:00:00", "exited", "until ordered"),
        ("07T10:00:00", "entered", ""),
        ("10T10:00:00", "sent", "push"),
        ("10T10:00:00", "finished", ""),
    ]


def test_a_wait_until_a_channel_reaches_the_customer_ends_when_the_address_is_known() -> None:
    waiting = rule(m.WaitFor(m.CanGet("sms"), Period(days=2)), send("sms"))
    phone = arrival("2", None, day(6, "08:00:00"), traits={"phone": "+358401234567"})
    assert told(play([waiting], [arrival("1", "cart", MONDAY), phone], reach=REACH))[1] == (
        "06T08:00:00",
        "sent",
        "sms",
    )


def test_a_guard_on_reach_ends_the_journey_when_consent_is_withdrawn() -> None:
    guarded = rule(m.Wait(Period(days=7), m.Not(m.CanGet("push"))), send("push"))
    stop = arrival("2", "unsubscribed", day(6, "08:00:00"), channel="push")
    assert told(play([guarded], [arrival("1", "cart", MONDAY), stop]))[1:] == [
        ("06T08:00:00", "exited", "unless not can get push")
    ]
