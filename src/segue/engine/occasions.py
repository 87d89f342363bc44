"""When recurring and dated triggers come round: the calendar's next occasion, or a customer's next date.

Moments strictly increase. A day that a month lacks is its last, a local time that does not exist moves forward, one
that exists twice is the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta, tzinfo
from typing import assert_never

from segue.api import Instant, Period
from segue.engine.moments import at_day, beside, place_of
from segue.language import model as m
from segue.program.calendar import at_wall, local, read_date, shift_months
from segue.program.facts import Customer


def next_occasion(trigger: m.OnSchedule | m.OnDate, zone: tzinfo, after: Instant) -> Instant | None:
    """The first moment strictly after an instant at which the calendar begins journeys; None where there is none any
    more. ``zone`` holds where the rule names none. A yearly trigger has no moment of its own: see `next_date`."""
    match trigger:
        case m.OnDate(day=day, clock=clock, zone=named):
            moment = at_day(day, clock, place_of(named, zone))
            return moment if isinstance(moment, int) and moment > after else None
        case m.OnSchedule(recurrence=recurrence, clock=clock, zone=named):
            place = place_of(named, zone)
            moments = (at_wall(day, clock.minute, place) for day in _days(recurrence, local(after, place).date()))
            try:
                return next((moment for moment in moments if moment > after), None)
            except (OverflowError, ValueError):
                return None  # the end of the calendar
        case _:
            assert_never(trigger)


def _days(recurrence: m.Weekdays | m.Monthly | m.Yearly, today: date) -> Iterator[date]:
    """The recurrence's days in order, from yesterday at the latest on, over more than one round of it."""
    match recurrence:
        case m.Weekdays(days=days):
            for ahead in range(-1, 9):
                day = today + timedelta(days=ahead)
                if day.weekday() in days:
                    yield day
        case m.Monthly(day=number):
            for months in range(-1, 3):
                first = shift_months(today.replace(day=1), months)
                yield shift_months(date(2000, 1, number), (first.year - 2000) * 12 + first.month - 1)
        case m.Yearly():
            raise ValueError("what comes round each year on a customer's date has no moment of its own")
        case _:
            assert_never(recurrence)


def next_date(trigger: m.OnOffset | m.OnSchedule, customer: Customer, after: Instant) -> Instant | None:
    """The first moment strictly after an instant at which a date trait of this customer begins a journey; None where
    they have no such date, or it is past and comes never again."""
    match trigger:
        case m.OnOffset(trait=trait, period=period, direction=direction, clock=clock, zone=named):
            date_ = _date_of(customer, trait)
            if date_ is None:
                return None
            try:
                moment = beside(date_, period, direction, clock, place_of(named, customer.zone))
            except (OverflowError, ValueError):
                return None
            return moment if moment > after else None
        case m.OnSchedule(recurrence=m.Yearly(trait=trait) as yearly, clock=clock, zone=named):
            date_ = _date_of(customer, trait)
            if date_ is None:
                return None
            place = place_of(named, customer.zone)
            return _next_anniversary(local(date_, customer.zone).date(), yearly, clock, place, after)
        case m.OnSchedule():
            raise ValueError("the calendar's own occasions hang on no date of a customer")
        case _:
            assert_never(trigger)


def _date_of(customer: Customer, trait: str) -> Instant | None:
    return read_date(customer.traits.get(trait), customer.zone)


def _next_anniversary(born: date, yearly: m.Yearly, clock: m.Clock, place: tzinfo, after: Instant) -> Instant | None:
    period = yearly.period or Period()
    sign = -1 if yearly.direction == "before" else 1
    margin = period.months // 12 + period.days // 365 + period.micros // (365 * 86_400_000_000) + 2
    this_year = local(after, place).year
    for year in range(this_year - margin, this_year + margin + 1):
        try:
            anniversary = shift_months(born, (year - born.year) * 12)
            day = shift_months(anniversary, sign * period.months) + timedelta(days=sign * period.days)
            moment = Instant(at_wall(day, clock.minute, place) + sign * period.micros)
        except (OverflowError, ValueError):
            continue  # beyond the calendar
        if moment > after:
            return moment
    return None
