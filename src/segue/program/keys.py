"""``per``: which journeys of a customer an event reaches."""

from __future__ import annotations

from typing import Any


def reaches(fields: Any, per: str, value: str | None) -> bool:
    """Whether an event reaches the journey of one ``per`` value: it names that value, or none at all."""
    named = per_value(fields, per)
    return named is None or named == value


def per_value(fields: Any, per: str) -> str | None:
    """The value of the ``per`` field as text, None where the event has none."""
    raw = fields.get(per)
    if raw is None or raw == "":
        return None
    if isinstance(raw, str):
        return raw
    return str(raw) if isinstance(raw, (int, float)) else None
