"""Local time and calendar arithmetic, pure.

The laws: ``s min h`` are elapsed time; days, weeks and months keep the wall-clock time, and a day that a month lacks is
its last. A local time that does not exist moves forward by the gap; one that exists twice is the first. The end of a
window is exclusive, and a window may cross midnight.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from segue.api import Instant, Period, from_datetime
from segue.api.values import DAY, SECOND, to_datetime

_FIRST, _LAST = -62_135_596_800_000_000 + DAY, 253_402_300_799_999_999 - DAY
"""0001-01-02 and 9999-12-30: within them every zone can show the instant."""


@lru_cache(maxsize=1024)
def find_zone(name: str) -> tzinfo | None:
    """The zone of an IANA name, None where there is none. UTC is the fixed one, which is faster."""
    if name in ("UTC", "Etc/UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return None


def local(instant: Instant, zone: tzinfo) -> datetime:
    """The instant on the wall clock of a zone."""
    return to_datetime(instant).astimezone(zone)


def at_wall(day: date, minute: int, zone: tzinfo) -> Instant:
    """The instant of a clock time on a day; ``minute`` counts from midnight.
    See the laws above for changes of the clock."""
    moment = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=zone)
    return from_datetime(moment)


def add(instant: Instant, period: Period, zone: tzinfo, sign: int = 1) -> Instant:
    """``instant`` plus (or, with ``sign`` -1, minus) a period by the calendar. Months first, then days,
    then elapsed time."""
    if period.months or period.days:
        if zone is UTC and not period.months:
            moved = instant + sign * period.days * 86_400 * SECOND
        else:
            wall = local(instant, zone)
            day = shift_months(wall.date(), sign * period.months) + timedelta(days=sign * period.days)
            moved = from_datetime(datetime.combine(day, wall.time().replace(fold=0), tzinfo=zone))
    else:
        moved = instant
    return _in_calendar(moved + sign * period.micros)


def add_elapsed(instant: Instant, period: Period, zone: tzinfo, sign: int = 1) -> Instant:
    """As `add`, but a day is 24 hours: the meaning in ``in last``, ``within``, ``per`` and ``space``.
    Months stay calendar."""
    micros = period.days * 86_400 * SECOND + period.micros
    if period.months:
        return add(instant, Period(period.months, 0, micros), zone, sign)
    return _in_calendar(instant + sign * micros)


def _in_calendar(micros: int) -> Instant:
    if not _FIRST <= micros <= _LAST:
        raise OverflowError("the date lies beyond the calendar")
    return Instant(micros)


def shift_months(day: date, months: int) -> date:
    """The same day ``months`` later, or the last of a month that lacks it."""
    if not months:
        return day
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def next_clock(instant: Instant, minute: int, zone: tzinfo, day: int | str | None = None) -> Instant:
    """The next time the clock shows ``minute``, strictly after ``instant``; on a weekday (0 is Monday),
    or ``tomorrow``."""
    today = local(instant, zone).date()
    if day == "tomorrow":
        return at_wall(today + timedelta(days=1), minute, zone)
    for ahead in range(9):
        candidate = today + timedelta(days=ahead)
        if day is not None and candidate.weekday() != day:
            continue
        moment = at_wall(candidate, minute, zone)
        if moment > instant:
            return moment
    raise AssertionError("nine days hold every weekday twice or its successor")


def within_window(instant: Instant, start: int, end: int, zone: tzinfo) -> bool:
    """Whether the wall clock is in [start, end), both minutes from midnight; may cross midnight.
    Equal ends are all day."""
    wall = local(instant, zone)
    minute = wall.hour * 60 + wall.minute
    if start == end:
        return True
    if start < end:
        return start <= minute < end
    return minute >= start or minute < end


def window_opens(instant: Instant, start: int, end: int, zone: tzinfo) -> Instant:
    """``instant`` itself inside the window, else the next start."""
    if within_window(instant, start, end, zone):
        return instant
    return next_clock(instant, start, zone)


def window_closes(instant: Instant, start: int, end: int, zone: tzinfo) -> Instant | None:
    """``instant`` itself outside the window, else the first moment at which the wall clock has left it; None where it
    never does. Where the clock is set back into the window, the window goes on."""
    if not within_window(instant, start, end, zone):
        return instant
    if start == end:
        return None
    today = local(instant, zone).date()
    moments = {Instant(instant + ahead * DAY) for ahead in range(1, 3)}
    for ahead in range(3):
        wall = datetime.combine(today + timedelta(days=ahead), time(end // 60, end % 60), tzinfo=zone)
        moments |= {from_datetime(wall), from_datetime(wall.replace(fold=1))}
    later = sorted(moment for moment in moments if moment > instant)
    for before, after in pairwise((instant, *later)):
        if (change := _clock_change(before, after, zone)) is not None:
            later.append(change)
    return min((moment for moment in later if not within_window(moment, start, end, zone)), default=None)


def _clock_change(before: Instant, after: Instant, zone: tzinfo) -> Instant | None:
    """The first moment of the zone's other offset, between two moments that show different ones."""
    offset = local(before, zone).utcoffset()
    if local(after, zone).utcoffset() == offset:
        return None
    while after - before > SECOND:
        middle = Instant((before + after) // 2)
        before, after = (middle, after) if local(middle, zone).utcoffset() == offset else (before, middle)
    return Instant(after - after % SECOND)


def read_date(value: Any, zone: tzinfo) -> Instant | None:
    """The instant a date value means: RFC 3339, a plain day (its midnight in ``zone``), a time without offset (in
    ``zone``), or Unix seconds. None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        micros = value * SECOND
        return Instant(int(micros)) if _FIRST <= micros <= _LAST else None
    if not isinstance(value, str):
        return None
    text = value.strip().upper()  # RFC 3339 allows `t` and `z` too
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        return _in_calendar(from_datetime(moment))
    except OverflowError:
        return None


def read_clock(value: Any) -> int | None:
    """Minutes from midnight of ``09:30`` or ``09:30:00``; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        moment = time.fromisoformat(value.strip())
    except ValueError:
        return None
    return moment.hour * 60 + moment.minute


def elapsed(period: Period) -> int:
    """A period's length in microseconds where only an order is asked for: a month counts as 30 days."""
    return (period.months * 30 + period.days) * 86_400 * SECOND + period.micros


def longest(period: Period) -> int:
    """A period's length in microseconds where it must not be taken for shorter than it is: a month counts as 31
    days."""
    return (period.months * 31 + period.days) * 86_400 * SECOND + period.micros
