"""What a schedule or a wait comes to from now: the dates that an editor shows beside the words."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo

from segue.api import Instant, Period
from segue.language import tree as t
from segue.program.calendar import add, at_wall, find_zone, local, next_clock, shift_months, window_opens

_SOON = 366 * 2


def next_dates(node: t.OnSchedule | t.OnDate, now: Instant, zone: tzinfo, most: int = 3) -> list[datetime]:
    """The next moments of a recurring or dated trigger; none where they differ from customer to customer."""
    wall = _zone(node.at.zone, zone) if node.at else zone
    minute = node.at.clock.minute if node.at else 0
    if isinstance(node, t.OnDate):
        moment = at_wall(date.fromisoformat(node.date.iso), minute, wall)
        return [local(moment, wall)] if moment > now else []
    if isinstance(node.recurrence, t.Yearly):
        return []
    found: list[datetime] = []
    today = local(now, wall).date()
    for ahead in range(_SOON):
        day = today + timedelta(days=ahead)
        moment = at_wall(day, minute, wall)
        if moment > now and _is_due(node.recurrence, day):
            found.append(local(moment, wall))
            if len(found) == most:
                break
    return found


def _is_due(recurrence: t.Weekdays | t.Monthly, day: date) -> bool:
    match recurrence:
        case t.Weekdays(days=days):
            return not days or day.weekday() in {one.day for one in days}
        case t.Monthly(day=wanted):
            # A day that a month lacks is its last.
            last = shift_months(day.replace(day=1), 1) - timedelta(days=1)
            return day.day == min(wanted, last.day)


def wait_ends(step: t.Wait | t.WaitUntil | t.WaitFor, now: Instant, zone: tzinfo) -> datetime | None:
    """When a wait that begins now would end, at the latest; None where that depends on the customer."""
    try:
        match step:
            case t.Wait(duration=duration) | t.WaitFor(up_to=duration):
                return local(add(now, duration.period, zone), zone)
            case t.WaitUntil(moment=moment):
                return _moment(moment, now, zone)
    except OverflowError:
        return None


def _moment(moment: t.Moment, now: Instant, zone: tzinfo) -> datetime | None:
    match moment:
        case t.ClockMoment(day=day, clock=clock, zone=written):
            wall = _zone(written, zone)
            match day:
                case t.Date(iso=iso):
                    return local(at_wall(date.fromisoformat(iso), clock.minute, wall), wall)
                case t.DayOfWeek(day=weekday):
                    return local(next_clock(now, clock.minute, wall, weekday), wall)
                case "tomorrow" | None:
                    return local(next_clock(now, clock.minute, wall, day), wall)
        case t.WindowMoment(first=first, last=last, zone=written):
            wall = _zone(written, zone)
            return local(window_opens(now, first.minute, last.minute, wall), wall)
        case t.DateMoment(date=t.Date(iso=iso)):
            return local(at_wall(date.fromisoformat(iso), 0, zone), zone)
        case t.OffsetMoment(date=t.Date(iso=iso), duration=duration, side=side, at=None):
            moment_ = at_wall(date.fromisoformat(iso), 0, zone)
            return local(add(moment_, duration.period, zone, -1 if side == "before" else 1), zone)
        case _:
            return None


def after(period: Period, now: Instant, zone: tzinfo) -> datetime | None:
    """That long from now."""
    try:
        return local(add(now, period, zone), zone)
    except OverflowError:
        return None


def shown(moment: datetime) -> str:
    """``Mon 30 Nov 2026 09:00``."""
    return f"{_DAYS[moment.weekday()]} {moment.day} {_MONTHS[moment.month - 1]} {moment.year} {moment:%H:%M}"


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _zone(written: t.Zone | None, otherwise: tzinfo) -> tzinfo:
    """`local` is the customer's own zone: the project's stands for it."""
    if written is None or written.name is None:
        return otherwise
    return find_zone(written.name) or otherwise
