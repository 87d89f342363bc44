"""Ranges with dots on them: how far models disagree, or a difference with its interval beside zero."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Final

import msgspec

from segue.cli.reporting.charts.chart import key, row, rows, text, ticks
from segue.cli.tabling.shown import Shown
from segue.diagnostics.render.printable import printable
from segue.measure.table import Kind, Table

_HIGH: Final = 16
_COLOURS: Final = 6
_EDGE: Final = 1.8
"""Per cent at both ends that are kept free, so that a dot there is whole."""
_LETTERS: Final = 36
"""Letters that the numbers below an axis may have together, on a phone."""


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
        axis = ticks(min([0.0, *values]), max([0.0, *values]), self.kind)
        low, spread = axis[0], (axis[-1] - axis[0]) or 1.0

        def x(value: float) -> float:
            return round(_EDGE + (value - low) / spread * (100 - 2 * _EDGE), 3)

        names = self._names()
        lines = [
            row(one.name, one.note, _HIGH, self._strip(shown, one, x, [x(value) for value in axis], names))
            for one in self.ranges
        ]
        return rows([*lines, f'<li aria-hidden="true">{self._axis(shown, axis, x)}</li>'])

    def _strip(
        self, shown: Shown, one: Range, x: Callable[[float], float], grid: Sequence[float], names: Sequence[str]
    ) -> Iterator[str]:
        for at in grid:
            yield f'<line class="axis" x1="{at:g}%" x2="{at:g}%" y1="-3" y2="{_HIGH + 3}"/>'
        if self.zero:
            yield f'<line class="zero" x1="{x(0):g}%" x2="{x(0):g}%" y1="-3" y2="{_HIGH + 3}"/>'
        wide = max(0.4, x(one.high) - x(one.low))
        yield f'<rect class="band" x="{x(one.low):g}%" y="{_HIGH / 2 - 6:g}" width="{wide:g}%" height="12" rx="6"/>'
        for dot in one.dots:
            said = f"{dot.name}: {shown.said(dot.value, self.kind, self.currency)}" if dot.name else ""
            title = f"<title>{escape(printable(said))}</title>" if said else ""
            drawing = _dot(names.index(dot.name), title)
            yield f'<svg class="mark" x="{x(dot.value):g}%" y="{_HIGH / 2:g}" overflow="visible">{drawing}</svg>'

    def _axis(self, shown: Shown, axis: Sequence[float], x: Callable[[float], float]) -> str:
        """The numbers below. Those between the ends are left out where they could run into each other."""
        said = [shown.short(value, self.kind, self.currency) for value in axis]
        kept = range(0, len(axis), 1 if sum(map(len, said)) <= _LETTERS else max(1, len(axis) - 1))
        parts = []
        for place in kept:
            at = x(axis[place])
            anchor = "start" if place == 0 else "end" if place == len(axis) - 1 else "middle"
            words = self.zero if self.zero and axis[place] == 0 and 22 < at < 78 else said[place]
            parts.append(
                text(
                    "0" if place == 0 else f"{at + _EDGE if anchor == 'end' else at:g}%",
                    13,
                    words,
                    kind="tick",
                    anchor=anchor,
                )
            )
        return f'<svg class="strip" width="100%" height="17">{"".join(parts)}</svg>'

    def _names(self) -> list[str]:
        return list(dict.fromkeys(dot.name for one in self.ranges for dot in one.dots))

    def key(self) -> str:
        """Whose the dots are, where there are several sorts."""
        found = [(_dot(place), name) for place, name in enumerate(self._names()) if name]
        return key(found) if len(found) > 1 else ""


def _dot(place: int, title: str = "") -> str:
    """A dot around nothing. Sorts differ in form as well as in colour, and every second one is hollow."""
    number = place % _COLOURS + 1
    kind = f'class="dot c{number}{" hollow" if number % 2 == 0 else ""}"'
    match number:
        case 1 | 2:
            return f'<circle {kind} r="5">{title}</circle>'
        case 3 | 4:
            return f'<rect {kind} x="-4.5" y="-4.5" width="9" height="9">{title}</rect>'
        case _:
            return f'<path {kind} d="M0-6 6 0 0 6-6 0Z">{title}</path>'
