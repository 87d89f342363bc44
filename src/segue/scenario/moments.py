"""When the test of a rule begins, which instants its moments mean, and how an instant is written again.

A test begins on Monday, 5 January 2026, at 09:00 in the project's zone. Where the test or the rule's trigger names a
day, it begins at 09:00 on the Monday before the first of them; where the rule enters customers only from a day on, not
before that day, unless the test itself names an earlier one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta, tzinfo
from typing import Any, Final

from segue.api import Instant, Period
from segue.api.values import SECOND
from segue.language import model as m
from segue.program.calendar import add, at_wall, find_zone, local, read_date
from segue.program.wording import word_clock, word_period

_FIRST: Final = date(2026, 1, 5)
_MORNING: Final = 9 * 60


def find_start(test: m.Test, rule: m.Rule, traits: Mapping[str, Any], zone: tzinfo, own: tzinfo) -> Instant:
    """When a test begins. ``zone`` is the project's, ``own`` the customer's."""
    named = [
        resolve(moment, Instant(0), own)
        for moment in (*(one.at for one in test.happens), *(_moment_of(one) for one in test.expects))
        if moment is not None and moment.day is not None
    ]
    occasion = _occasion(rule.trigger, traits, own)
    days = named if occasion is None else [*named, occasion]
    start = _monday_before(min(days), zone) if days else at_wall(_FIRST, _MORNING, zone)
    if rule.active is None:
        return start
    first = date.fromisoformat(rule.active.first.iso)
    opens = at_wall(first, 0, own)
    if (start >= opens and _still_open(rule.active, start, own)) or (named and min(named) < opens):
        return start
    if days:
        morning = at_wall(first, _MORNING, own)
        return morning if morning <= min(days) else opens
    monday = at_wall(first + timedelta(days=-first.weekday() % 7), _MORNING, zone)
    return monday if _still_open(rule.active, monday, own) else at_wall(first, _MORNING, own)


def _moment_of(expected: m.ExpectNone | m.ExpectOne | m.ExpectCount) -> m.TestMoment | None:
    return expected.at if isinstance(expected, m.ExpectOne) else None


def _occasion(trigger: m.Trigger | None, traits: Mapping[str, Any], own: tzinfo) -> Instant | None:
    """The day that a trigger names, or that the trait it hangs on was given."""
    match trigger:
        case m.OnDate(day=day, clock=clock, zone=name):
            return at_wall(date.fromisoformat(day.iso), clock.minute, (find_zone(name) if name else None) or own)
        case m.OnOffset(period=period, direction=direction, trait=trait):
            date_of = read_date(traits.get(trait), own)
            return None if date_of is None else add(date_of, period, own, -1 if direction == "before" else 1)
        case _:
            return None


def _monday_before(moment: Instant, zone: tzinfo) -> Instant:
    day = local(moment, zone).date()
    monday = at_wall(day - timedelta(days=day.weekday()), _MORNING, zone)
    return monday if monday < moment else at_wall(day - timedelta(days=day.weekday() + 7), _MORNING, zone)


def _still_open(active: m.Active, moment: Instant, own: tzinfo) -> bool:
    return active.last is None or local(moment, own).date() <= date.fromisoformat(active.last.iso)


def resolve(moment: m.TestMoment, start: Instant, own: tzinfo) -> Instant:
    """The instant that a moment of a test means; of a day without a clock time the midnight that begins it. Days and
    months after the start are calendar, as in a `wait`."""
    if moment.day is not None:
        clock = moment.clock.minute if moment.clock is not None else 0
        return at_wall(date.fromisoformat(moment.day.iso), clock, own)
    return add(start, moment.after or Period(), own)


def last_of(moment: m.TestMoment, start: Instant, own: tzinfo) -> Instant:
    """The last instant that a moment of a test means: of a day without a clock time its end."""
    at = resolve(moment, start, own)
    return at if moment.day is None or moment.clock is not None else Instant(add(at, Period(days=1), own) - 1)


def means(moment: m.TestMoment, at: Instant, start: Instant, own: tzinfo) -> bool:
    """Whether an instant is the one that a moment means, to the second; a day without a clock time means all of it."""
    first = resolve(moment, start, own)
    return first <= at <= max(first + SECOND - 1, last_of(moment, start, own))


def word_after(at: Instant, start: Instant, own: tzinfo) -> str:
    """How long after the start an instant is, to the second, as a moment of a test: ``1d 2h``, ``0h``."""
    days = max((local(at, own).date() - local(start, own).date()).days, 0)
    while days and add(start, Period(days=days), own) > at:
        days -= 1
    rest = (at - add(start, Period(days=days), own)) // SECOND * SECOND
    if not days and not rest:
        return "0h"
    parts = [f"{days}d"] if days else []
    return " ".join(parts + ([word_period(Period(micros=rest))] if rest else []))


def word_moment(moment: m.TestMoment) -> str:
    """A moment as it is written: ``2h``, ``2026-11-27 08:00``."""
    if moment.day is None:
        after = moment.after or Period()
        return word_period(after) if after != Period() else "0h"
    return f"{moment.day.iso} {word_clock(moment.clock)}" if moment.clock is not None else moment.day.iso


def word_local(at: Instant, start: Instant, own: tzinfo) -> str:
    """The customer's clock: ``Mon 5 Jan 09:00``, with seconds where there are any, and the year where it is another
    than that of the start."""
    wall = local(at, own)
    year = f" {wall.year}" if wall.year != local(start, own).year else ""
    seconds = f":{wall.second:02}" if wall.second else ""
    return f"{wall:%a} {wall.day} {wall:%b}{year} {wall:%H:%M}{seconds}"
