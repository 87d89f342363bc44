"""The moment that a ``wait until`` waits for. Recurring and dated triggers compute theirs by the same code."""

from __future__ import annotations

from datetime import tzinfo
from typing import assert_never

from segue.api import Instant
from segue.language import model as m
from segue.program.calendar import add, at_wall, find_zone, local, next_clock, read_date, window_opens
from segue.program.wording import word_period

NO_DATE = "the date to wait for is missing"


def find_moment(moment: m.Moment, date: Instant | None, zone: tzinfo, now: Instant) -> Instant | str:
    """The instant, which may be past (then the wait is over), or the reason why the journey exits instead.

    ``date`` is the value of the moment's date, where it has one; ``zone`` the customer's,
    which holds where the rule names none.
    """
    match moment:
        case m.AtClock(clock=clock, day=day, date=fixed, zone=named):
            place = _zone(named, zone)
            if fixed is None:
                return next_clock(now, clock.minute, place, day)
            midnight = read_date(fixed.iso, place)
            return at_wall(local(midnight, place).date(), clock.minute, place) if midnight is not None else NO_DATE
        case m.InWindow(start=start, end=end, zone=named):
            return window_opens(now, start.minute, end.minute, _zone(named, zone))
        case m.AtDate():
            return date if date is not None else NO_DATE
        case m.Offset(period=period, direction=direction, clock=clock, zone=named):
            if date is None:
                return NO_DATE
            place = _zone(named, zone)
            found = add(date, period, place, -1 if direction == "before" else 1)
            if clock is not None:
                found = at_wall(local(found, place).date(), clock.minute, place)
            if direction == "before" and found < now:
                return f"{word_period(period)} before the date was already past"
            return found
        case _:
            assert_never(moment)


def _zone(named: str | None, zone: tzinfo) -> tzinfo:
    return (find_zone(named) if named else None) or zone
