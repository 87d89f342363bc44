"""What the daemon has done since it started."""

from __future__ import annotations

from collections import Counter

import msgspec


class Counts(msgspec.Struct):
    """What the daemon has done since it started, for the metrics."""

    events: int = 0
    duplicates: int = 0
    refused: int = 0
    fired: int = 0
    reported: Counter[str] = msgspec.field(default_factory=Counter)
    """Reports and messages of customers that channels brought, by channel."""
    decisions: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
