"""The period that a command was asked for. A day is a day of the project's zone."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from segue.api import Instant, from_datetime
from segue.api.values import DAY, HOUR
from segue.cli.leaving import USAGE, fail
from segue.measure.period import Period
from segue.program.calendar import at_wall, local, shift_months

_SPAN: Final = re.compile(r"([1-9]\d{0,3})(h|d|w|mo|y)")
_ELAPSED: Final = {"h": HOUR, "d": DAY, "w": 7 * DAY}
BEGINNING: Final = Instant(0)
"""1970: before anything that a store holds."""


def read_period(
    since: str | None, until: str | None, last: str | None, *, zone: tzinfo, now: Instant, otherwise: str | None = None
) -> Period:
    """The period that ``--since``, ``--until`` and ``--last`` name.

    ``--until`` with a day is through the end of that day. ``--last 30d`` is today so far and the 29 days before it, or,
    with ``--until``, the 30 days that end there; ``12h`` is by the hour. With none of them it is ``otherwise``, a span
    as for ``--last``, or all until now. Ends the command where an option makes no sense.
    """
    if last is not None and since is not None:
        fail("give --since or --last, not both", USAGE)
    end = now if until is None else _moment("--until", until, zone, last=True)
    span = last if last is not None or since is not None else otherwise
    if span is not None:
        return Period(_back(span, end, zone), end)
    begin = BEGINNING if since is None else _moment("--since", since, zone)
    if begin >= end:
        fail(f"nothing lies between --since {since} and {f'--until {until}' if until else 'now'}", USAGE)
    return Period(begin, end)


def read_span(option: str, text: str) -> int:
    """How many microseconds the span of an option is, such as ``30d``, where a day is 24 hours. Ends the command where
    it is none."""
    found = _SPAN.fullmatch(text)
    if found is None or found[2] not in _ELAPSED:
        fail(f"{option} {text}: write a number and h, d or w, such as 30d", USAGE)
    return int(found[1]) * _ELAPSED[found[2]]


def _moment(option: str, text: str, zone: tzinfo, *, last: bool = False) -> Instant:
    try:
        if len(text) == len("2026-03-02"):
            day = date.fromisoformat(text)
            return at_wall(day + timedelta(days=1) if last else day, 0, zone)
        moment = datetime.fromisoformat(text)
        return from_datetime(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))
    except (ValueError, OverflowError):
        fail(f"{option} {text}: write a day or a time such as 2026-03-02 or 2026-03-02T10:00", USAGE)


def _back(span: str, end: Instant, zone: tzinfo) -> Instant:
    found = _SPAN.fullmatch(span)
    if found is None:
        fail(f"--last {span}: write a number and h, d, w, mo or y, such as 30d", USAGE)
    number, unit = int(found[1]), found[2]
    if unit == "h":
        return Instant(end - number * HOUR)
    ends = local(Instant(end - 1), zone).date() + timedelta(days=1)
    try:
        match unit:
            case "mo" | "y":
                first = shift_months(ends, -number * (12 if unit == "y" else 1))
            case _:
                first = ends - timedelta(days=number * (7 if unit == "w" else 1))
        return max(BEGINNING, at_wall(first, 0, zone))
    except (ValueError, OverflowError):
        return BEGINNING
