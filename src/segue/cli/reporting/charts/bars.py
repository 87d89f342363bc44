"""Horizontal bars, each below its name: also as a funnel, and with intervals."""

from __future__ import annotations

from typing import Final

import msgspec

from segue.cli.reporting.charts.chart import cut, percent, picture, text
from segue.cli.tabling.shown import Shown
from segue.diagnostics.render.printable import width
from segue.measure.table import Kind, Table

_ROW: Final = 42
_HEAD: Final = 26
_HIGH: Final = 12
_NAME: Final = 46
"""Columns of a name and its value together, on a phone."""


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
    """Bars on one axis from 0. ``whole`` is the value that fills the width (None: the largest one)."""

    title: str
    said: str
    table: Table
    bars: tuple[Bar, ...]
    kind: Kind = "count"
    currency: str | None = None
    whole: float | None = None

    def draw(self, shown: Shown, mark: str) -> str:
        whole = self.whole or max((max(bar.value or 0, bar.high or 0) for bar in self.bars), default=0)
        parts: list[str] = []
        y, group = 0.0, ""
        for bar in self.bars:
            if bar.group and bar.group != group:
                parts.append(text("0", y + 16, cut(bar.group, 44), kind="group"))
                y += _HEAD
            group = bar.group
            value = shown.said(bar.value, self.kind, self.currency)
            said = f"{value} {bar.note}".strip() if bar.note else value
            parts.append(text("0", y + 13, cut(bar.name, max(12, _NAME - width(said)))))
            parts.append(text("100%", y + 13, said, kind="value", anchor="end"))
            parts.append(f'<rect class="ground" x="0" y="{y + 20:g}" width="100%" height="{_HIGH}" rx="2"/>')
            if bar.value:
                wide = max(0.4, percent(bar.value, whole))
                parts.append(
                    f'<rect class="c{bar.colour}" x="0" y="{y + 20:g}" width="{wide:g}%" height="{_HIGH}" rx="2"/>'
                )
            if bar.low is not None and bar.high is not None:
                parts.append(_whisker(percent(bar.low, whole), percent(bar.high, whole), y + 20 + _HIGH / 2))
            y += _ROW
        return picture(mark, self.title, self.said, max(y - 4, 20), parts)


def _whisker(low: float, high: float, y: float) -> str:
    ends = "".join(
        f'<line class="whisker" x1="{at:g}%" x2="{at:g}%" y1="{y - 5:g}" y2="{y + 5:g}"/>' for at in (low, high)
    )
    return f'<line class="whisker" x1="{low:g}%" x2="{high:g}%" y1="{y:g}" y2="{y:g}"/>{ends}'
