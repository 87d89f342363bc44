"""Local time, by trying every offset that a zone might have."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from segue.api import Period
from segue.language import model as m

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment_of(instant: int) -> datetime:
    return EPOCH + timedelta(microseconds=instant)


def shift(moment: datetime, period: Period, zone: ZoneInfo, sign: int = 1, *, calendar: bool = True) -> datetime:
    """``moment`` and a period: months and days by the wall clock. Without ``calendar`` a day is 24 hours."""
    days = period.days if calendar else 0
    elapsed = timedelta(microseconds=period.micros, days=0 if calendar else period.days)
    if period.months or days:
        wall = moment.astimezone(zone)
        year, month, day = wall.year, wall.month, wall.day
        for _ in range(period.months):
            month += sign
            if month in (0, 13):
                year, month = year + (1 if month == 13 else -1), 1 if month == 13 else 12
        day = min(day, monthrange(year, month)[1])
        moment = on_wall(date(year, month, day) + sign * timedelta(days=days), wall.time(), zone)
    return moment + sign * elapsed


def on_wall(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The first instant at which the wall clock shows this; where it never does, moved forward by the gap."""
    moment = datetime.combine(day, clock, tzinfo=UTC)
    found = []
    for offset in {(moment + timedelta(hours=hour)).astimezone(zone).utcoffset() for hour in range(-30, 31)}:
        assert offset is not None
        candidate = moment - offset
        if candidate.astimezone(zone).replace(tzinfo=None) == moment.replace(tzinfo=None):
            found.append(candidate)
    if found:
        return min(found)
    before = (moment - timedelta(hours=30)).astimezone(zone).utcoffset()
    assert before is not None
    return moment - before


def next_clock(moment: datetime, clock: m.Clock, day: int | str | None, zone: ZoneInfo) -> datetime:
    today = moment.astimezone(zone).date()
    shown = time(clock.minute // 60, clock.minute % 60)
    if day == "tomorrow":
        return on_wall(today + timedelta(days=1), shown, zone)
    ahead = 0
    while True:
        there = today + timedelta(days=ahead)
        candidate = on_wall(there, shown, zone)
        if candidate > moment and (day is None or there.weekday() == day):
            return candidate
        ahead += 1


def clock_time(clock: m.Clock) -> time:
    return time(clock.minute // 60, clock.minute % 60)


def comes(recurrence: m.Weekdays | m.Monthly, day: date) -> bool:
    if isinstance(recurrence, m.Weekdays):
        return day.weekday() in recurrence.days
    return day.day == min(recurrence.day, monthrange(day.year, day.month)[1])


def inside_window(moment: datetime, start: m.Clock, end: m.Clock, zone: ZoneInfo) -> bool:
    wall = moment.astimezone(zone)
    minute = wall.hour * 60 + wall.minute
    if start.minute == end.minute:
        return True
    if start.minute < end.minute:
        return start.minute <= minute < end.minute
    return minute >= start.minute or minute < end.minute
