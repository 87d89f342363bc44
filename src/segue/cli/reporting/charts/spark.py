"""A line as small as a word, without axis or numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_HIGH: Final = 28


def spark(values: Sequence[float]) -> str:
    """The SVG; empty where there are too few days to draw a line. What it says stands beside it, so that it is hidden
    from those who listen."""
    most = max(values, default=0)
    if len(values) < 3 or most <= 0:
        return ""
    points = " ".join(
        f"{place / (len(values) - 1) * 100:.2f},{_HIGH - 2 - max(0.0, value) / most * (_HIGH - 4):.1f}"
        for place, value in enumerate(values)
    )
    return (
        f'<svg class="spark" aria-hidden="true" width="100%" height="{_HIGH}" viewBox="0 0 100 {_HIGH}" '
        f'preserveAspectRatio="none"><polygon class="area" points="0,{_HIGH} {points} 100,{_HIGH}"/>'
        f'<polyline class="line c1" points="{points}"/></svg>'
    )
