"""Lines over days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Final

import msgspec

from segue.cli.reporting.charts.chart import cut, percent, picture, text, top_of
from segue.cli.tabling.shown import Shown
from segue.measure.table import Kind, Table

_HIGH: Final = 190
_TOP: Final = 24
_BOTTOM: Final = 24
_LETTER: Final = 15
_STROKES: Final = {0: "╌", 2: "┅"}
"""Lines that are dashed, so that colours are not all that tells them apart."""


class Line(msgspec.Struct, frozen=True):
    """A line: its name, and a value for each day (None: nothing to say). ``colour`` 0 is a quiet, dashed one, for what
    is only compared with."""

    name: str
    values: tuple[float | None, ...]
    colour: int = 1


class Lines(msgspec.Struct, frozen=True):
    """Lines on one axis from 0. ``days`` are what stands below: ISO dates."""

    title: str
    said: str
    table: Table
    days: tuple[str, ...]
    lines: tuple[Line, ...]
    kind: Kind = "count"
    currency: str | None = None

    def draw(self, shown: Shown, mark: str) -> str:
        most = max((value for line in self.lines for value in line.values if value is not None), default=0.0)
        top = top_of(most, self.kind)
        deep = _HIGH - _TOP - _BOTTOM

        def y(value: float) -> float:
            return _TOP + deep * (1 - percent(value, top) / 100)

        parts: list[str] = []
        for value in (0.0, top / 2, top):
            parts.append(f'<line class="axis" x1="0" x2="100%" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        parts.append(
            f'<svg x="0" y="{_TOP}" width="100%" height="{deep}" viewBox="0 0 1000 {deep}" '
            'preserveAspectRatio="none" overflow="visible">'
        )
        # What is compared with lies below.
        for line in sorted(self.lines, key=lambda one: one.colour != 0):
            parts += _path(line, len(self.days), lambda value: y(value) - _TOP, deep, filled=len(self.lines) == 1)
        parts.append("</svg>")
        for value in (top / 2, top):
            parts.append(text("0", y(value) - 4, shown.short(value, self.kind, self.currency), kind="tick"))
        parts += self._names()
        for place, anchor in _ticks(len(self.days)):
            at = 50 if len(self.days) == 1 else place / (len(self.days) - 1) * 100
            said = shown.day(self.days[place], year=self.days[0][:4] != self.days[-1][:4])
            parts.append(text(f"{at:g}%", _HIGH - 6, said, kind="tick", anchor=anchor))
        return picture(mark, self.title, self.said, _HIGH, parts)

    def key(self) -> str:
        """Lines have their names beside them."""
        return ""

    def _names(self) -> list[str]:
        """The names of several lines, above the chart at its right, in their colours."""
        if len(self.lines) < 2:
            return []
        words = " ".join(
            f'<tspan class="c{line.colour}" dx="{0 if place == 0 else 8}">{_STROKES.get(line.colour, "━")}</tspan> '
            f"<tspan>{escape(cut(line.name, 24))}</tspan>"
            for place, line in enumerate(self.lines)
        )
        return [f'<text class="names" x="100%" y="{_LETTER - 2}" text-anchor="end">{words}</text>']


def _path(line: Line, days: int, y: Callable[[float], float], deep: float, *, filled: bool) -> list[str]:
    parts: list[str] = []
    for stretch in _stretches(line.values):
        points = [(place / max(1, days - 1) * 1000, y(value)) for place, value in stretch]
        if len(points) == 1:  # a day alone would be no line
            points = [(max(0, points[0][0] - 8), points[0][1]), (min(1000, points[0][0] + 8), points[0][1])]
            if days == 1:
                points = [(0, points[0][1]), (1000, points[0][1])]
        said = " ".join(f"{x:.1f},{down:.1f}" for x, down in points)
        if filled:
            parts.append(
                f'<polygon class="area" points="{points[0][0]:.1f},{deep} {said} {points[-1][0]:.1f},{deep}"/>'
            )
        parts.append(f'<polyline class="line c{line.colour}" points="{said}"/>')
    return parts


def _stretches(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """The parts of a line between gaps."""
    found: list[list[tuple[int, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            found.append([])
        else:
            found[-1].append((place, value))
    return [one for one in found if one]


def _ticks(count: int) -> list[tuple[int, str]]:
    """Which of so many days are named below, and how each is anchored."""
    if count == 1:
        return [(0, "middle")]
    if count < 5:
        return [(0, "start"), (count - 1, "end")]
    return [(0, "start"), ((count - 1) // 2, "middle"), (count - 1, "end")]
