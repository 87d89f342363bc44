"""Shapley attribution: each channel's average contribution to all coalitions of channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from segue.api import AttributionSpec, Credit, Paths, plugin

__all__ = ["SHAPLEY", "Options", "shapley"]

MOST: Final = 20
"""Channels whose coalitions, a million of them, are all looked at for ``worth=rate``."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a coalition of channels is worth: the ``conversions`` of all journeys that met no other channel; or the
    ``rate`` at which these journeys converted."""

    worth: Literal["conversions", "rate"] = "conversions"


def shapley(paths: Paths, options: Options) -> Sequence[Credit]:
    import numpy as np

    if not len(paths.channels):
        return []
    occurring = np.unique(paths.channels)
    figures = _by_conversions(paths) if options.worth == "conversions" else _by_rate(paths, occurring)
    return [
        Credit(paths.names[channel], float(conversions), float(value))
        for channel, conversions, value in zip(occurring, *figures, strict=True)
    ]


def _by_conversions(paths: Paths) -> list[Any]:
    """The game is a sum of one game for each path, won by every coalition that holds all of the path's channels. In
    such a game these channels are alike and the others idle, so that Shapley's axioms give each of them the same; and
    the value of a sum of games is the sum of their values."""
    import numpy as np

    alike = paths.alike()
    parts = 1 / (alike * paths.per_touch(paths.per_path(1 / alike)))
    touched = np.bincount(paths.channels, minlength=len(paths.names)) > 0
    return [
        np.bincount(paths.channels, parts * paths.per_touch(of_paths), len(paths.names))[touched]
        for of_paths in (paths.conversions, paths.values)
    ]


def _by_rate(paths: Paths, occurring: Any) -> list[Any]:
    import numpy as np

    count = len(occurring)
    if count > MOST:
        raise ValueError(
            f"there are {count:,} different channels, and with worth=rate it can look at the coalitions of {MOST} at "
            "most; group channels before they are counted, or leave worth at conversions, which has no such bound"
        )
    ranks = np.zeros(len(paths.names), np.int64)
    ranks[occurring] = np.arange(count)
    met = np.bitwise_or.reduceat(1 << ranks[paths.channels], paths.first)
    journeys, conversions, values = (
        _within(np.bincount(met, of_paths, 1 << count), count)
        for of_paths in (paths.counts, paths.conversions, paths.values)
    )
    return [
        _contributions(np.divide(won, journeys, out=np.zeros_like(won), where=journeys > 0) * journeys[-1], count)
        for won in (conversions, values)
    ]


def _within(exactly: Any, count: int) -> Any:
    """For each coalition, the sum over all coalitions within it."""
    for channel in range(count):
        halves = exactly.reshape(-1, 2, 1 << channel)
        halves[:, 1] += halves[:, 0]
    return exactly


def _contributions(worth: Any, count: int) -> Any:
    """Shapley's formula: each channel's contribution to a coalition of s others counts s! (n - s - 1)! / n!."""
    import numpy as np

    coalitions = np.arange(1 << count)
    sizes = np.zeros(1 << count, np.int64)
    for channel in range(count):
        sizes += coalitions >> channel & 1
    weights = np.array([1 / (count * math.comb(count - 1, size)) for size in range(count)])
    found = []
    for channel in range(count):
        halves = worth.reshape(-1, 2, 1 << channel)
        weight = weights[sizes.reshape(-1, 2, 1 << channel)[:, 0]]
        found.append(float(((halves[:, 1] - halves[:, 0]) * weight).sum()))
    return np.array(found)


SHAPLEY = AttributionSpec(
    name="shapley",
    doc="By contribution to coalitions: linear over distinct channels, or with worth=rate by conversion rates",
    config=Options,
    credit=shapley,
)


@plugin
def segue_attribution_models() -> Sequence[AttributionSpec]:
    return [SHAPLEY]
