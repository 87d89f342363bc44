"""Ranges with dots on them: how far models disagree, or a difference with its interval beside zero."""

from __future__ import annotations

from html import escape
from typing import Final

import msgspec

from segue.cli.reporting.charts.chart import cut, picture, text
from segue.cli.tabling.shown import Shown
from segue.diagnostics.render.printable import printable
from segue.measure.table import Kind, Table

_ROW: Final = 44
_FOOT: Final = 22
_COLOURS: Final = 6


class Dot(msgspec.Struct, frozen=True):
    """A value on a range, and whose it is."""

    name: str
    value: float


class Range(msgspec.Struct, frozen=True):
    """A line of the chart: a band from ``low`` to ``high``, with dots. ``note`` is said at the right."""

    name: str
    low: float
    high: float
    dots: tuple[Dot, ...]
    note: str = ""


class Ranges(msgspec.Struct, frozen=True):
    """Ranges on one axis. ``zero`` is the words for the line where nothing differs; empty: the axis begins at 0."""

    title: str
    said: str
    table: Table
    ranges: tuple[Range, ...]
    kind: Kind = "number"
    currency: str | None = None
    zero: str = ""

    def draw(self, shown: Shown, mark: str) -> str:
        values = [value for one in self.ranges for value in (one.low, one.high, *(dot.value for dot in one.dots))]
        low, high = min([0.0, *values]), max([0.0, *values])
        if self.zero:
            reach = max(-low, high) or 1.0
            low, high = (-reach, reach) if low < 0 < high else (min(low, -0.15 * reach), max(high, 0.15 * reach))
        spread = (high - low) or 1.0

        def x(value: float) -> float:
            return round(1.5 + (value - low) / spread * 97, 3)

        names = list(dict.fromkeys(dot.name for one in self.ranges for dot in one.dots))
        down = 0.0
        parts: list[str] = []
        for one in self.ranges:
            parts.append(text("0", down + 13, cut(one.name, 30)))
            parts.append(text("100%", down + 13, one.note, kind="value", anchor="end"))
            middle = down + 28
            parts.append(f'<line class="axis" x1="0" x2="100%" y1="{middle:g}" y2="{middle:g}"/>')
            wide = max(0.4, x(one.high) - x(one.low))
            parts.append(
                f'<rect class="band" x="{x(one.low):g}%" y="{middle - 6:g}" width="{wide:g}%" height="12" rx="6"/>'
            )
            for dot in one.dots:
                number = names.index(dot.name) % _COLOURS + 1
                said = f"{dot.name}: {shown.said(dot.value, self.kind, self.currency)}" if dot.name else ""
                parts.append(_dot(x(dot.value), middle, number, said))
            down += _ROW
        parts.append(
            f'<line class="zero" x1="{x(0):g}%" x2="{x(0):g}%" y1="18" y2="{down - 4:g}"/>' if self.zero else ""
        )
        parts += self._axis(shown, low, high, x(0), down + 10)
        return picture(mark, self.title, self.said, down + _FOOT, parts)

    def _axis(self, shown: Shown, low: float, high: float, zero: float, y: float) -> list[str]:
        words = {0.0: shown.short(low, self.kind, self.currency), 100.0: shown.short(high, self.kind, self.currency)}
        found = [text("0", y, words[0.0], kind="tick"), text("100%", y, words[100.0], kind="tick", anchor="end")]
        if self.zero and 22 < zero < 78:
            found.append(text(f"{zero:g}%", y, self.zero, kind="tick", anchor="middle"))
        return found

    def names(self) -> list[tuple[int, str]]:
        """The dots' names with the numbers of their colours, for a key; empty where there is but one sort."""
        found = [name for name in dict.fromkeys(dot.name for one in self.ranges for dot in one.dots) if name]
        return [(place % _COLOURS + 1, name) for place, name in enumerate(found)] if len(found) > 1 else []


def _dot(x: float, y: float, number: int, said: str) -> str:
    """A dot; every second sort is hollow, so that colours are not all that tells them apart."""
    hollow = " hollow" if number % 2 == 0 else ""
    title = f"<title>{escape(printable(said))}</title>" if said else ""
    return f'<circle class="dot c{number}{hollow}" cx="{x:g}%" cy="{y:g}" r="5">{title}</circle>'
