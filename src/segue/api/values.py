"""Values that rules, plugins and the engine share: instants, periods, money.

All are immutable. Time inside Segue is an ``Instant``; a plugin that wants a
``datetime`` converts with `to_datetime`, and always gets an aware one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, NewType

import msgspec

Instant = NewType("Instant", int)
"""Microseconds since 1970-01-01T00:00:00Z. An integer, so that a million of them sort and store cheaply."""

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def from_datetime(moment: datetime) -> Instant:
    """The instant of an aware datetime. Raises ValueError for a naive one: Segue never guesses a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    return Instant((moment - _EPOCH) // _MICROSECOND)


def to_datetime(instant: Instant) -> datetime:
    """The instant as an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=instant)


def to_rfc3339(instant: Instant) -> str:
    """The instant in RFC 3339, in UTC with ``Z``; a fraction is written only where there is one."""
    return to_datetime(instant).isoformat().replace("+00:00", "Z")


class Period(msgspec.Struct, frozen=True):
    """A written duration such as ``1mo 3d 6h``, kept in the three parts that calendars treat differently.

    ``months`` and ``days`` (weeks are seven days) follow the calendar in waits; ``micros`` is elapsed time.
    """

    months: int = 0
    days: int = 0
    micros: int = 0


class Money(msgspec.Struct, frozen=True):
    """An amount in one currency (ISO 4217, upper case). Two currencies never compare or add."""

    amount: Decimal
    currency: str
