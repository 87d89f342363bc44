"""A customer and a moment by hand: what conditions are judged against in the tests of this room."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from segue.api import Instant
from segue.program.calendar import find_zone
from segue.program.facts import Customer, Past, Reaction, Scene
from tests.engine.stage import at

NOW = at("2026-03-29T12:00Z")
"""A Sunday: Paris changed its clock in the morning."""


def past(when: str | Instant, order: int, **fields: Any) -> Past:
    """An event that happened; ``order`` is its place among all arrivals."""
    moment = at(when) if isinstance(when, str) else when
    return Past(moment, order, msgspec.json.encode(fields) if fields else b"")


def scene(
    *,
    traits: Mapping[str, Any] | None = None,
    zone: str = "UTC",
    history: Mapping[str, Sequence[Past]] | None = None,
    refusal: Callable[[str, str], str | None] = lambda channel, kind: None,
    trigger: Mapping[str, Any] | None = None,
    now: Instant = NOW,
    start: tuple[Instant, int] | None = None,
    reactions: Sequence[Reaction] = (),
    **more: Any,
) -> Scene:
    """A scene of Ann's, with nothing known but what is given."""
    place = find_zone(zone)
    assert place is not None
    ann = Customer("u:ann", traits or {}, place, "EUR", history or {}, refusal)
    raw = msgspec.json.encode(trigger) if trigger is not None else b""
    return Scene(ann, now, start, raw, reactions=reactions, **more)
