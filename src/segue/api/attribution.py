"""Attribution models: who gets the credit for a conversion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from segue.api.values import Instant


class Path(msgspec.Struct, frozen=True):
    """The touches of ``count`` equal journeys, oldest first, and what came of them.

    ``times`` has the instant of each touch, and is empty where paths were aggregated. ``conversions`` and ``value`` are
    totals over those journeys (0 and 0.0 for a path that never converted). ``converted_at`` is None where unknown.
    """

    channels: tuple[str, ...]
    conversions: float
    value: float
    count: float = 1
    times: tuple[Instant, ...] = ()
    converted_at: Instant | None = None


class Credit(msgspec.Struct, frozen=True):
    """What one channel gets: conversions, value, and for Markov models its removal effect (0 to 1)."""

    channel: str
    conversions: float
    value: float
    removal_effect: float | None = None


class AttributionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A model. ``credit(paths, options)`` is pure and returns one Credit per channel that occurs; conversions and
    values add up to those of the paths that have at least one touch. ``config`` is the Struct of its options
    (``--set half_life=7d``)."""

    name: str
    doc: str
    config: type[msgspec.Struct]
    credit: Callable[[Sequence[Path], Any], Sequence[Credit]]
    api: int = 1
