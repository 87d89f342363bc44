"""Reading moments as other systems write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from segue.api.values import SECOND, Instant, from_datetime

__all__ = ["read_instant"]

_MILLISECONDS_FROM: Final = 100_000_000_000
"""From here on a number counts milliseconds: as seconds it would be the year 5138, as milliseconds it is 1973."""
_LATEST_MILLISECONDS: Final = 253_402_300_800_000
"""The end of the year 9999."""
_LEAP_SECOND: Final = re.compile(r"^(.{10}[Tt ]\d\d:\d\d:)60(.*)$")


def read_instant(written: str | int | float) -> Instant:
    """The instant meant by RFC 3339 with any number of decimals (without an offset it is UTC), or by Unix time in
    seconds or milliseconds. Raises ValueError for anything else, and for instants before 1970, which are always an
    unset clock; its text goes on from the field's name: "is '…', which …"."""
    if isinstance(written, str):
        try:
            moment = datetime.fromisoformat(written)
        except ValueError:
            moment, extra = _unusual(written)
        else:
            extra = 0
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        instant = from_datetime(moment) + extra
    else:
        milliseconds = written if abs(written) >= _MILLISECONDS_FROM else written * 1000
        if not abs(milliseconds) < _LATEST_MILLISECONDS:
            raise ValueError(f"is {_shown(written)}, which is neither Unix seconds nor milliseconds")
        instant = round(milliseconds * 1000)
    if instant < 0:
        raise ValueError(f"is {_shown(written)}, which lies before 1970")
    return Instant(instant)


def _unusual(written: str) -> tuple[datetime, int]:
    """What RFC 3339 allows and Python does not read: lower case, and a leap second (counted as the second after)."""
    extra = 0
    text = written.upper()
    if leap := _LEAP_SECOND.match(text):
        text, extra = f"{leap[1]}59{leap[2]}", SECOND
    try:
        return datetime.fromisoformat(text), extra
    except ValueError:
        raise ValueError(f"is {_shown(written)}, which is no RFC 3339 time such as 2026-11-27T08:00:00Z") from None


def _shown(written: str | int | float) -> str:
    return repr(written if not isinstance(written, str) or len(written) <= 40 else written[:40] + "…")
