"""Horizontal bars, each below its name: also as a funnel, and with intervals."""

from __future__ import annotations

from typing import Final

import msgspec

from segue.cli.reporting.charts.chart import group, key, percent, row, rows
from segue.cli.tabling.shown import Shown
from segue.measure.table import Kind, Table

_HIGH: Final = 12
_MOST: Final = 0.5
"""A share from which on a chart of shares goes to all of it."""


class Bar(msgspec.Struct, frozen=True):
    """A bar. ``note`` is said beside its value; ``low`` and ``high`` are the ends of its interval; ``colour`` 0 is a
    quiet one, for what is only compared with. ``group``, where it differs from that of the bar before, is a heading."""

    name: str
    value: float | None
    note: str = ""
    low: float | None = None
    high: float | None = None
    colour: int = 1
    group: str = ""


class Bars(msgspec.Struct, frozen=True):
    """Bars on one axis from 0. ``whole`` is the value that fills the width (None: the largest one; of shares all of it,
    where one is large). Only what has a whole has a ground that shows it. ``colours`` says what colours mean."""

    title: str
    said: str
    table: Table
    bars: tuple[Bar, ...]
    kind: Kind = "count"
    currency: str | None = None
    whole: float | None = None
    colours: tuple[tuple[int, str], ...] = ()

    def draw(self, shown: Shown, mark: str) -> str:
        most = max((max(bar.value or 0, bar.high or 0) for bar in self.bars), default=0)
        known = self.whole or (1.0 if self.kind == "share" and most > _MOST else None)
        whole = known or most
        lines: list[str] = []
        last = ""
        for bar in self.bars:
            if bar.group and bar.group != last:
                lines.append(group(bar.group))
            last = bar.group
            value = shown.said(bar.value, self.kind, self.currency)
            lines.append(row(bar.name, f"{value} {bar.note}".strip(), _HIGH, _strip(bar, whole, ground=bool(known))))
        return rows(lines)

    def key(self) -> str:
        """What the colours mean."""
        drawn = tuple(
            (f'<rect class="c{colour}" x="-6" y="-5" width="12" height="10" rx="2"/>', words)
            for colour, words in self.colours
            if any(bar.colour == colour for bar in self.bars)
        )
        return key(drawn) if len(drawn) > 1 else ""


def _strip(bar: Bar, whole: float, *, ground: bool) -> list[str]:
    parts = [f'<rect class="ground" width="100%" height="{_HIGH}" rx="2"/>'] if ground else []
    if bar.value is not None and bar.value > 0:
        wide = max(0.4, percent(bar.value, whole))
        parts.append(f'<rect class="c{bar.colour}" width="{wide:g}%" height="{_HIGH}" rx="2"/>')
    if bar.low is not None and bar.high is not None:
        parts.append(_whisker(percent(bar.low, whole), percent(bar.high, whole), _HIGH / 2))
    return parts


def _whisker(low: float, high: float, y: float) -> str:
    """An interval, with a rim of the ground's colour so that it is seen on a bar as well."""
    return "".join(_crossed(low, high, y, kind) for kind in ("rim", "whisker"))


def _crossed(low: float, high: float, y: float, kind: str) -> str:
    ends = "".join(
        f'<line class="{kind}" x1="{at:g}%" x2="{at:g}%" y1="{y - 5:g}" y2="{y + 5:g}"/>' for at in (low, high)
    )
    return f'<line class="{kind}" x1="{low:g}%" x2="{high:g}%" y1="{y:g}" y2="{y:g}"/>{ends}'
