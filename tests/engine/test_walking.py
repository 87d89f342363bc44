"""Steps of the journey: turns of a repeat, `preferred`, best time, coupons, segments and rules that are crossed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from segue.api import Period, to_rfc3339
from segue.engine.journey import Claimed, Crossed, Decide, Emitted, Note, Pass
from segue.language import model as m
from tests.engine.alone import MONDAY, Alone, Known, rule
from tests.engine.stage import DAY, at, deliver, happened, hours, send


def preferred(message: str = "hello", **more: Any) -> m.Delivery:
    return m.Delivery(None, message, (), more.pop("kind", "promotional"), DAY, **more)


# Repeat


def test_a_repeat_takes_its_turns_and_goes_on() -> None:
    alone = Alone(rule(m.Repeat(3, (m.Emit("pinged"), m.Wait(DAY))), m.Emit("done"))).enter()
    seen = [effect.event for effect in alone.told(Emitted)]
    for day in (6, 7, 8):
        assert alone.due == at(f"2026-01-{day:02}T10:00:00Z")
        seen += [effect.event for effect in alone.wake().told(Emitted)]
    assert seen == ["pinged", "pinged", "pinged", "done"]
    assert alone.journey.state == "finished"
    assert alone.journey.turns == ()


def test_until_is_looked_at_before_each_turn_and_only_then() -> None:
    alone = Alone(rule(m.Repeat(3, (m.Emit("pinged"), m.Wait(DAY)), happened("ordered")), m.Wait(DAY))).enter()
    alone.arrive("ordered", "2026-01-05T11:00:00Z")
    assert alone.due == at("2026-01-06T10:00:00Z")  # the turn goes to its end
    assert not alone.wake().told(Emitted)
    assert alone.due == at("2026-01-07T10:00:00Z")


def test_until_that_holds_at_once_takes_no_turn() -> None:
    never = rule(m.Repeat(3, (m.Emit("pinged"),), m.Present(m.Trait("vip", "boolean"))))
    alone = Alone(never, traits={"vip": True}).enter()
    assert not alone.told(Emitted)
    assert alone.journey.state == "finished"


def test_a_repeat_within_a_repeat_begins_anew_each_time() -> None:
    nested = rule(m.Repeat(2, (m.Emit("outer"), m.Repeat(3, (m.Emit("inner"),)))))
    events = [effect.event for effect in Alone(nested).enter().told(Emitted)]
    assert events == ["outer", "inner", "inner", "inner"] * 2


def test_each_turn_sends_messages_of_its_own() -> None:
    alone = Alone(rule(m.Repeat(3, (send("push"),)))).enter()
    keys = [effect.key for effect in alone.told(Decide)]
    for _ in range(2):
        alone.settle(MONDAY)
        keys += [effect.key for effect in alone.told(Decide)]
    assert len(set(keys)) == 3


def test_a_repeat_without_waits_ends() -> None:
    alone = Alone(rule(m.Repeat(1000, (m.Set("level", "number", m.Literal_(1)),)))).enter()
    assert alone.journey.state == "finished"


def test_a_guard_in_a_turn_ends_the_journey_and_not_the_turn() -> None:
    alone = Alone(rule(m.Repeat(3, (m.Wait(DAY, happened("ordered")), send("push"))), send("sms"))).enter()
    alone.arrive("ordered", "2026-01-05T11:00:00Z")
    assert (alone.journey.state, alone.journey.reason) == ("exited", "unless ordered")


def test_what_many_turns_have_sent_is_not_carried_for_ever() -> None:
    alone = Alone(rule(m.Repeat(100, (send("push"), m.Wait(DAY))))).enter()
    for _ in range(60):
        alone.settle(to_rfc3339(alone.journey.since))
        alone.wake()
    assert len(alone.journey.sends) <= 21


# Preferred


def refuse(*channels: str) -> Any:
    return lambda channel, kind: f"no {channel}" if channel in channels else None


def sends(book: m.Rule, channels: Sequence[str], *refused: str) -> Alone:
    return Alone(book, known=Known(preferred=channels), refusal=refuse(*refused)).enter()


PREFERRED = rule(m.Send(((preferred(),),)))


def test_the_first_preferred_channel_that_reaches_the_customer_is_taken() -> None:
    assert sends(PREFERRED, ["push", "email"]).sent == [("push", "hello")]
    assert sends(PREFERRED, ["push", "email"], "push").sent == [("email", "hello")]


@pytest.mark.parametrize(
    ("channels", "reason"), [(["push", "email"], "no push; no email"), ([], "no channel has content for it")]
)
def test_where_none_reaches_the_send_is_skipped_with_the_reason(channels: list[str], reason: str) -> None:
    alone = sends(PREFERRED, channels, "push", "email")
    assert [(one.channel, one.reason) for one in alone.told(Pass)] == [("preferred", reason)]
    assert alone.journey.state == "finished"


def test_after_a_failure_the_next_channel_follows_and_none_is_tried_twice() -> None:
    book = rule(m.Send(((preferred(), deliver("push"), deliver("email")),)))
    alone = sends(book, ["push", "email"])
    assert alone.sent == [("push", "hello")]
    assert alone.settle(MONDAY, "failed").sent == [("email", "hello")]
    assert alone.settle(MONDAY, "failed").sent == []
    behind = rule(m.Send(((deliver("push"), preferred()),)))
    alone = sends(behind, ["push", "email"])
    assert alone.settle(MONDAY, "failed").sent == [("email", "hello")]


# Coupons


def test_coupons_are_kept_apart_from_the_values_of_a_message() -> None:
    values = (("name", m.Literal_("Ann")), ("code", m.Coupon("CART10")), ("other", m.Coupon("VIP")))
    (decided,) = Alone(rule(send("email", values=values))).enter().told(Decide)
    assert decided.values == {"name": "Ann"}
    assert decided.coupons == (("code", "CART10"), ("other", "VIP"))


# Best time


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-01-05T16:59:00Z", "2026-01-05T17:30:00Z"),
        ("2026-01-05T18:30:00Z", "2026-01-06T17:30:00Z"),
    ],
)
def test_best_time_is_the_next_time_of_the_customers_own_hour(now: str, due: str) -> None:
    alone = Alone(rule(m.WaitUntil(m.BestTime())), known=Known(best=19 * 60 + 30), zone="Europe/Helsinki").enter(now)
    assert alone.due == at(due)


def test_within_the_best_hour_it_goes_on_at_once() -> None:
    alone = Alone(rule(m.WaitUntil(m.BestTime())), known=Known(best=23 * 60 + 30)).enter("2026-01-05T00:10:00Z")
    assert alone.journey.state == "finished"


# Segments and rules that are crossed

SEGMENTS = {
    "paying": m.Segment("paying", None, happened("paid", m.Window("ever"))),
    "recent": m.Segment("recent", None, happened("ordered", m.Window("last", hours(2)))),
    "either": m.Segment("either", None, m.Any_((m.InSegment("paying"), m.InSegment("recent")))),
}


def test_a_wait_for_a_segment_continues_at_once_where_it_holds_already() -> None:
    alone = Alone(rule(m.WaitFor(m.InSegment("paying"), DAY), send("push")), segments=SEGMENTS)
    alone.event("paid", "2025-01-01T00:00Z")
    assert alone.enter().sent == [("push", "hello")]


def test_an_event_that_a_segment_reads_is_watched_through_it() -> None:
    alone = Alone(rule(m.Wait(DAY, m.InSegment("either"))), segments=SEGMENTS).enter()
    assert alone.program.watched == {"paid", "ordered"}
    assert alone.program.watched_names == {"either", "paying", "recent"}
    alone.arrive("paid", "2026-01-05T11:00:00Z")
    assert (alone.journey.state, alone.journey.reason) == ("exited", "unless in either")


def test_a_crossing_by_time_ends_a_wait_and_a_journey() -> None:
    left = m.Not(m.InSegment("recent"))
    for book, state in ((rule(m.Wait(DAY, left)), "exited"), (rule(m.WaitFor(left, DAY)), "finished")):
        alone = Alone(book, segments=SEGMENTS)
        alone.event("ordered", "2026-01-05T09:00:00Z")
        alone.enter()
        assert alone.feed(Crossed(frozenset({"recent"})), "2026-01-05T10:59:00Z").journey.state == "inside"
        assert alone.feed(Crossed(frozenset({"paying"})), "2026-01-05T11:00:01Z").journey.state == "inside"
        assert alone.feed(Crossed(frozenset({"recent"})), "2026-01-05T11:00:01Z").journey.state == state


def test_entering_another_rule_is_a_crossing_too() -> None:
    alone = Alone(rule(m.Wait(DAY, m.InRule("welcome")))).enter()
    assert alone.program.names == {"welcome"}
    alone.known.rules = ["welcome"]
    assert alone.feed(Crossed(frozenset({"welcome"})), MONDAY).journey.reason == "unless in welcome"


def test_a_crossing_may_meet_the_goal() -> None:
    alone = Alone(rule(send("push"), goal=m.Goal(m.InSegment("paying"), DAY)), segments=SEGMENTS).enter().settle(MONDAY)
    alone.event("paid", "2026-01-05T11:00:00Z")
    notes = alone.feed(Crossed(frozenset({"paying"})), "2026-01-05T11:00:00Z").told(Note)
    assert [note.decision for note in notes] == ["converted"]


def test_a_segment_that_was_edited_is_asked_again_in_the_moment_of_sending() -> None:
    alone = Alone(rule(m.Wait(hours(1), m.InSegment("paying")), send("push")), segments=SEGMENTS).enter().wake()
    assert alone.feed(Claimed(alone.told(Decide)[0].key), "2026-01-05T11:00:00Z").journey.state == "inside"
    alone.customer.segments = {**alone.customer.segments, "paying": lambda scene: True}
    assert alone.feed(Claimed("k"), "2026-01-05T11:00:00Z").journey.reason == "unless in paying"


def test_the_period_of_a_wait_is_the_calendars_after_a_turn_as_before() -> None:
    alone = Alone(rule(m.Repeat(2, (m.Wait(Period(days=1)),))), zone="Europe/Paris").enter("2026-03-28T11:00:00Z")
    assert alone.due == at("2026-03-29T10:00:00Z")
    assert alone.wake().due == at("2026-03-30T10:00:00Z")
