"""The moments of `wait until`: written to checked."""

from __future__ import annotations

from typing import assert_never

from segue.language import model
from segue.language import tree as t
from segue.language.expressions import Expressions


def read_moment(moment: t.Moment, read: Expressions) -> model.Moment | None:
    """The moment, None where something is wrong with it (and told)."""
    match moment:
        case t.ClockMoment(day=day, clock=clock, zone=zone):
            time, place = read.clock(clock), read.zone(zone)
            match day:
                case t.DayOfWeek(day=number):
                    return model.AtClock(time, day=number, zone=place)
                case t.Date(iso=iso):
                    return model.AtClock(time, date=model.Day(iso), zone=place)
                case "tomorrow" | None:
                    return model.AtClock(time, day=day, zone=place)
                case _:
                    assert_never(day)
        case t.WindowMoment(first=first, last=last, zone=zone):
            return model.InWindow(read.clock(first), read.clock(last), read.zone(zone))
        case t.DateMoment(date=date):
            at = read.date(date)
            return model.AtDate(at) if at is not None else None
        case t.OffsetMoment(duration=duration, side=side, date=date, at=clock_at):
            base = read.date(date)
            clock_time = read.clock(clock_at.clock) if clock_at else None
            zone_name = read.zone(clock_at.zone) if clock_at else None
            return model.Offset(duration.period, side, base, clock_time, zone_name) if base is not None else None
        case t.BestTime():
            return model.BestTime()
        case _:
            assert_never(moment)
