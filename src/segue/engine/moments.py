"""The moment that a ``wait until`` waits for. Recurring and dated triggers compute theirs by the same code."""

from __future__ import annotations

from datetime import tzinfo
from typing import Literal, assert_never

from segue.api import Instant, Period
from segue.language import model as m
from segue.program.calendar import add, at_wall, find_zone, local, next_clock, read_date, window_opens
from segue.program.facts import Customer
from segue.program.wording import word_period

NO_DATE = "the date to wait for is missing"
_HOUR = 60


def find_moment(moment: m.Moment, date: Instant | None, customer: Customer, now: Instant) -> Instant | str:
    """The instant, which may be past (then the wait is over), or the reason why the journey exits instead.

    ``date`` is the value of the moment's date, where it has one; the customer's zone holds where the rule names none.
    """
    zone = customer.zone
    match moment:
        case m.AtClock(clock=clock, day=day, date=fixed, zone=named):
            place = place_of(named, zone)
            return next_clock(now, clock.minute, place, day) if fixed is None else at_day(fixed, clock, place)
        case m.InWindow(start=start, end=end, zone=named):
            return window_opens(now, start.minute, end.minute, place_of(named, zone))
        case m.BestTime():
            hour = customer.standing.best_minute(now)
            return window_opens(now, hour, (hour + _HOUR) % (24 * _HOUR), zone)
        case m.AtDate():
            return date if date is not None else NO_DATE
        case m.Offset(period=period, direction=direction, clock=clock, zone=named):
            if date is None:
                return NO_DATE
            found = beside(date, period, direction, clock, place_of(named, zone))
            if direction == "before" and found < now:
                return f"{word_period(period)} before the date was already past"
            return found
        case _:
            assert_never(moment)


def find_again(
    moment: m.Moment, date: Instant | None, customer: Customer, reached: Instant, now: Instant
) -> Instant | str:
    """The moment of a wait that was reached at an earlier instant, after a change of what it hangs on: a date, or the
    customer's zone. A clock time that is past in the new zone comes again."""
    if not isinstance(moment, m.AtClock) or moment.date is not None:
        return find_moment(moment, date, customer, now)
    place = place_of(moment.zone, customer.zone)
    found = next_clock(reached, moment.clock.minute, place, moment.day)
    if found > now:
        return found
    return next_clock(now, moment.clock.minute, place, None if moment.day == "tomorrow" else moment.day)


def at_day(day: m.Day, clock: m.Clock, place: tzinfo) -> Instant | str:
    """A clock time on a written day."""
    midnight = read_date(day.iso, place)
    return at_wall(local(midnight, place).date(), clock.minute, place) if midnight is not None else NO_DATE


def beside(
    date: Instant, period: Period, direction: Literal["before", "after"], clock: m.Clock | None, place: tzinfo
) -> Instant:
    """So long before or after a date, at a clock time of that day where one is written."""
    found = add(date, period, place, -1 if direction == "before" else 1)
    return at_wall(local(found, place).date(), clock.minute, place) if clock is not None else found


def place_of(named: str | None, zone: tzinfo) -> tzinfo:
    """A zone written in the rule, else the customer's."""
    return (find_zone(named) if named else None) or zone
