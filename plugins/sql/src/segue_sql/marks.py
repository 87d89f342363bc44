"""Watermarks and keys as they are kept in a position: each with its type, so that it is bound as what it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

__all__ = ["Mark", "before", "decode_mark", "encode_mark", "kind_of", "name_mark"]

Mark = tuple[str, str]
"""The type of a value, and the value as text."""


def encode_mark(value: Any) -> Mark | None:
    """A value as a mark; None for one that nothing can be ordered by."""
    match value:
        case bool() | None:
            return None
        case int():
            return ("int", str(value))
        case Decimal():
            return ("decimal", str(value))
        case datetime():
            return ("instant" if value.tzinfo is not None else "clock", _normal(value).isoformat())
        case date():
            return ("date", value.isoformat())
        case str():
            return ("text", value)
        case bytes() | bytearray() | memoryview():
            return ("bytes", bytes(value).hex())
        case _:
            return ("text", str(value))  # a uuid, for one: databases read it from its text


def _normal(value: datetime) -> datetime:
    return value.astimezone(UTC) if value.tzinfo is not None else value


_READ: Final[dict[str, Callable[[str], Any]]] = {
    "int": int,
    "decimal": Decimal,
    "instant": datetime.fromisoformat,
    "clock": datetime.fromisoformat,
    "date": date.fromisoformat,
    "text": str,
    "bytes": bytes.fromhex,
}


def decode_mark(mark: Mark) -> Any:
    """The value of a mark."""
    return _READ[mark[0]](mark[1])


def name_mark(mark: Mark) -> str:
    """A mark as it stands in a message id."""
    return mark[1]


def kind_of(mark: Mark) -> str:
    """What a mark is, in words."""
    return {"instant": "a time with a zone", "clock": "a time without a zone", "int": "a whole number"}.get(
        mark[0], f"a {mark[0]}"
    )


def before(value: Any, overlap: float) -> Any:
    """So much before a watermark: seconds of a time, whole days of a date, that many of a number; a text stays."""
    match value:
        case datetime():
            return _minus(value, timedelta(seconds=overlap))
        case date():
            return _minus(value, timedelta(days=-(-overlap // 86_400)))
        case int() | Decimal():
            return value - int(overlap)
        case _:
            return value


def _minus(value: Any, span: timedelta) -> Any:
    try:
        return value - span
    except OverflowError:
        return value
