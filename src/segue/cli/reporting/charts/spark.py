"""A line as small as a word, without axis or numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_HIGH: Final = 28


def spark(values: Sequence[float]) -> str:
    """The SVG; empty where there are too few days to draw a line. What it says stands beside it, so that it is hidden
    from those who listen."""
    low, high = min([0.0, *values]), max([0.0, *values])
    if len(values) < 3 or low == high:
        return ""

    def y(value: float) -> float:
        return round(2 + (high - value) / (high - low) * (_HIGH - 4), 1)

    points = " ".join(f"{place / (len(values) - 1) * 100:.2f},{y(value):g}" for place, value in enumerate(values))
    return (
        f'<svg class="spark" aria-hidden="true" width="100%" height="{_HIGH}" viewBox="0 0 100 {_HIGH}" '
        f'preserveAspectRatio="none"><polygon class="area" points="0,{y(0):g} {points} 100,{y(0):g}"/>'
        f'<polyline class="line c1" points="{points}"/></svg>'
    )
