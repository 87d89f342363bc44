"""When a call happened: reading timestamps as clients write them, and undoing a wrong client clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from segue.api import Instant, from_datetime
from segue_segment.refusals import Refused

__all__ = ["Written", "corrected", "read_timestamp"]

Written = str | int | float | None
"""A timestamp as it stands in JSON."""

_SECOND = 1_000_000
_MILLISECONDS_FROM = 100_000_000_000
"""From here on a number counts milliseconds: as seconds it would be the year 5138, as milliseconds it is 1973."""
_LATEST_MILLISECONDS = 253_402_300_800_000
"""The end of the year 9999."""
_LEAP_SECOND = re.compile(r"^(.{10}[Tt ]\d\d:\d\d:)60(.*)$")


def read_timestamp(written: str | int | float, field: str) -> Instant:
    """The instant meant by ``written``: RFC 3339 with any number of decimals (without an offset it is UTC, as at
    Segment), or Unix time in seconds or milliseconds. Raises Refused for anything else, and for instants before 1970,
    which are always a client's unset clock."""
    if isinstance(written, str):
        try:
            moment = datetime.fromisoformat(written)
        except ValueError:
            moment, extra = _unusual(written, field)
        else:
            extra = 0
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        instant = from_datetime(moment) + extra
    else:
        milliseconds = written if abs(written) >= _MILLISECONDS_FROM else written * 1000
        if abs(milliseconds) >= _LATEST_MILLISECONDS:
            raise Refused(field, f"is {_shown(written)}, which is neither Unix seconds nor milliseconds")
        instant = round(milliseconds * 1000)
    if instant < 0:
        raise Refused(field, f"is {_shown(written)}, which lies before 1970")
    return Instant(instant)


def _unusual(written: str, field: str) -> tuple[datetime, int]:
    """What RFC 3339 allows and Python does not read: lower case, and a leap second (counted as the second after)."""
    extra = 0
    text = written.upper()
    if leap := _LEAP_SECOND.match(text):
        text, extra = f"{leap[1]}59{leap[2]}", _SECOND
    try:
        return datetime.fromisoformat(text), extra
    except ValueError:
        raise Refused(field, f"is {_shown(written)}, which is no RFC 3339 time such as 2026-11-27T08:00:00Z") from None


def corrected(original: Instant, sent: Instant | None, received: Instant) -> Instant:
    """The instant by our own clock: ``received - (sent - original)``, as Segment computes it, so that a phone whose
    clock is an hour wrong does no harm. Never later than the arrival.
    Source: https://segment.com/docs/connections/spec/common/#timestamps"""
    happened = original if sent is None else received - (sent - original)
    return Instant(max(0, min(happened, received)))


def _shown(written: str | int | float) -> str:
    return repr(written if not isinstance(written, str) or len(written) <= 40 else written[:40] + "…")
