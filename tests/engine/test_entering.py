"""Who enters, beyond what events and ``once`` say: dates, audiences, pauses, occasions without an event."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from segue.api import Instant, Period
from segue.engine.journey import Arrived
from segue.language import model as m
from tests.engine.alone import MONDAY, Alone, Known, rule
from tests.engine.stage import DAY, at, happened, send


def outcome(alone: Alone, when: str = MONDAY, now: str = "", name: str = "cart", **more: Any) -> str:
    """``entered``, the reason why it was ignored, or ``unconcerned``."""
    fields = more.pop("fields", {})
    found = alone.admit(alone.event(name, when, **fields), now, **more)
    if found is None:
        return "unconcerned"
    return found.ignored.reason if found.ignored is not None else "entered"


NOVEMBER = m.Active(m.Day("2026-11-20"), m.Day("2026-11-30"))


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-11-19T21:59:59.999999Z", "entries only from 2026-11-20 to 2026-11-30"),
        ("2026-11-19T22:00:00Z", "entered"),
        ("2026-11-30T21:59:59.999999Z", "entered"),
        ("2026-11-30T22:00:00Z", "entries only from 2026-11-20 to 2026-11-30"),
    ],
)
def test_both_days_are_included_in_the_customers_zone(when: str, expected: str) -> None:
    assert outcome(Alone(rule(send("push"), active=NOVEMBER), zone="Europe/Helsinki"), when) == expected


def test_a_late_event_of_the_last_day_still_enters() -> None:
    alone = Alone(rule(send("push"), active=NOVEMBER))
    assert outcome(alone, "2026-11-30T23:00:00Z", "2026-12-01T05:00:00Z") == "entered"


def test_dates_without_an_end_hold_for_ever() -> None:
    alone = Alone(rule(send("push"), active=m.Active(m.Day("2026-11-20"))))
    assert outcome(alone) == "entries only from 2026-11-20"
    assert outcome(alone, "2031-01-01T00:00:00Z") == "entered"


def test_whoever_is_not_in_the_audience_is_not_concerned() -> None:
    segments = {"members": m.Segment("members", None, m.Present(m.Trait("member", "boolean")))}
    book = rule(
        send("push"), audience="members", where=m.Compare(">", m.TriggerField("total", "number"), m.Literal_(5))
    )
    assert outcome(Alone(book, segments=segments), fields={"total": 9}) == "unconcerned"
    member: dict[str, Any] = {"segments": segments, "traits": {"member": True}}
    assert outcome(Alone(book, **member), fields={"total": 9}) == "entered"
    assert outcome(Alone(book, **member), fields={"total": 1}) == "unconcerned"


def test_while_entries_are_paused_nobody_enters_and_those_inside_stay() -> None:
    alone = Alone(rule(m.Wait(DAY), on_repeat="restart")).enter()
    assert outcome(alone, paused=True) == "entries are paused: far more than expected"
    assert alone.journey.state == "inside"


@pytest.mark.parametrize(
    ("order", "reason"), [(-1, "its moment was missed by too much"), (7, "the event was too old on arrival")]
)
def test_what_is_more_than_a_day_late_begins_nothing_and_says_what_it_was(order: int, reason: str) -> None:
    alone = Alone(rule(send("push"), events=(), trigger=m.OnMembership("enters", "lapsed")))
    late = Arrived("", at(MONDAY), order, b"", {}, "why")
    for now, expected in (("2026-01-06T10:00:00Z", None), ("2026-01-06T10:00:00.000001Z", reason)):
        admission = alone.admit(late, now)
        assert admission is not None
        assert (admission.ignored.reason if admission.ignored is not None else None) == expected


def occasion(alone: Alone, key: str, when: str = MONDAY, raw: bytes = b"{}", **fields: Any) -> Arrived:
    return Arrived("", at(when), -1, raw, fields, key)


def test_each_occasion_of_each_customer_is_a_journey_of_its_own() -> None:
    book = rule(m.Wait(DAY), events=(), trigger=m.OnSchedule(m.Weekdays((0,))))
    keys = set()
    for customer in ("ann", "bob"):
        for day in ("5", "12", "12"):
            alone = Alone(book, key=customer)
            admission = alone.admit(occasion(alone, day))
            assert admission is not None
            assert admission.entered is not None
            keys.add(admission.entered.key)
    assert len(keys) == 4


def test_an_occasion_counts_from_its_own_moment_and_all_history_before_it_is_past() -> None:
    book = rule(m.Wait(DAY, happened("ordered")), send("push"), events=(), trigger=m.OnDate(m.Day("2026-01-05")))
    alone = Alone(book)
    alone.event("ordered", "2026-01-05T09:59:59Z")
    admission = alone.admit(occasion(alone, "once"), "2026-01-05T10:00:02Z")
    assert admission is not None
    assert admission.entered is not None
    assert admission.entered.entered == at(MONDAY)
    assert admission.entered.due == at("2026-01-06T10:00:00Z")


@pytest.mark.parametrize(("new", "expected"), [("gold", "entered"), ("silver", "unconcerned"), (None, "unconcerned")])
def test_a_change_to_a_value_is_asked_of_the_new_one(new: str | None, expected: str) -> None:
    trigger = m.OnChange("plan", "text", m.Literal_("gold"))
    alone = Alone(rule(send("push"), events=(), trigger=trigger))
    assert outcome(alone, name="", fields={"old": "basic", "new": new}) == expected
    assert alone.program.entry_traits == {"plan"}


def test_a_change_may_be_asked_for_its_old_value() -> None:
    left_gold = m.Compare("=", m.TriggerField("old", "text"), m.Literal_("gold"))
    alone = Alone(rule(send("push"), events=(), trigger=m.OnChange("plan", "text"), where=left_gold))
    assert outcome(alone, name="", fields={"old": "gold", "new": None}) == "entered"
    assert outcome(alone, name="", fields={"old": "basic", "new": "gold"}) == "unconcerned"


def test_once_holds_for_occasions_too() -> None:
    alone = Alone(
        rule(m.Wait(DAY), events=(), trigger=m.OnMembership("enters", "lapsed"), once=m.Once(Period(days=30)))
    )
    assert outcome(alone, name="", last=Instant(at(MONDAY) - 1)) == "once per 30d"


def test_who_is_refused_a_new_start_stays_in_the_one_they_had() -> None:
    alone = Alone(rule(m.Wait(DAY), on_repeat="restart")).enter()
    alone.program = Alone(rule(m.Wait(DAY), on_repeat="restart", rollout=Decimal(0))).program
    assert outcome(alone) == "not among the 0% rolled out"


def test_a_rule_asks_whether_a_customer_is_inside_another() -> None:
    book = rule(send("push"), where=m.Not(m.InRule("welcome")))
    assert outcome(Alone(book)) == "entered"
    assert outcome(Alone(book, known=Known(inside=["welcome"]))) == "unconcerned"
