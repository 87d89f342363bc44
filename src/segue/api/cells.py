"""Values of tables, as drivers and files give them, in the forms that JSON has; and as spreadsheets may have them."""

from __future__ import annotations

import base64
import math
import re
import zoneinfo
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final

__all__ = ["harmless", "read_cell", "read_zone"]

_DEEPEST: Final = 32
_FAITHFUL: Final = 15
"""Digits that a JSON number keeps in every reader; a decimal with more becomes text."""
_FORMULA: Final = re.compile(r"^(?=[=+\-@\t\r\n＝＋－＠])|(?<=[;\t\r\n])(?=\"*[=+\-@＝＋－＠])")
"""Where a formula could begin: at the start of a cell, and behind what separates cells in a spreadsheet that splits
rows at semicolons, as those do where the comma is the decimal sign."""


def harmless(text: str) -> str:
    """A text as a cell of a CSV file, with an apostrophe before what a spreadsheet would take for a formula.
    Source: OWASP, "CSV Injection"."""
    return _FORMULA.sub("'", text)


def read_zone(name: str) -> tzinfo:
    """The zone that a setting ``zone`` names: that of times without one. Raises ValueError where it does not exist."""
    if name == "UTC":
        return UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f'`zone` {name!r} is not a time zone; write one such as "Europe/Helsinki"') from None


def read_cell(value: Any, zone: tzinfo, depth: int = 0) -> Any:
    """A value as an event's field or a trait has it; None where it is missing, as an empty text and NaN are.

    Decimals become numbers, times RFC 3339 in UTC (those without a zone are meant in ``zone``), bytes the text that
    they are, else base64. Raises ValueError for what no event may hold; its text goes on from the row: "holds a NUL
    byte".
    """
    match value:
        case None | bool() | int():
            return value
        case str():
            return _text(value)
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            return _number(value)
        case datetime():
            return _moment(value, zone)
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes() | bytearray() | memoryview():
            return _bytes(bytes(value))
        case list() | tuple() | dict():
            if depth >= _DEEPEST:
                raise ValueError(f"is nested more than {_DEEPEST} deep")
            if isinstance(value, Mapping):
                pairs = ((str(name), read_cell(one, zone, depth + 1)) for name, one in value.items())
                return {name: one for name, one in pairs if one is not None}
            return [read_cell(one, zone, depth + 1) for one in value]
        case _:
            return str(value)


def _text(value: str) -> str | None:
    if "\0" in value:
        raise ValueError("holds a NUL byte")
    return value or None


def _moment(value: datetime, zone: tzinfo) -> str:
    moment = value if value.tzinfo is not None else value.replace(tzinfo=zone)
    try:
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return value.isoformat()


def _number(value: Decimal) -> int | float | str | None:
    if not value.is_finite():
        return None
    if value == value.to_integral_value() and abs(value) < 10**_FAITHFUL:
        return int(value)
    return float(value) if len(value.normalize().as_tuple().digits) <= _FAITHFUL else format(value, "f")


def _bytes(value: bytes) -> str | None:
    try:
        return _text(value.decode("utf-8"))
    except UnicodeDecodeError:
        return base64.b64encode(value).decode("ascii")
