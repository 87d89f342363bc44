"""Charts of a plan, drawn as SVG: one of each channel, what runs beside what would."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape

_WIDTH, _HEIGHT = 360, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 8, 10, 22


def chart(days: Sequence[str], before: Sequence[int], after: Sequence[int], said: str, end: str = "") -> str:
    """Messages by day: the old book as a dashed line, the new one as a line over its area. ``said`` is what the chart
    says, for those who cannot see it; ``end`` is the day of the last event, which is marked."""
    top = nice_top(max([*before, *after, 1]))
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def x(place: int) -> float:
        return _LEFT + (wide * place / (len(days) - 1) if len(days) > 1 else wide / 2)

    def y(value: int) -> float:
        return _TOP + high * (1 - value / top)

    def line(values: Sequence[int]) -> str:
        if len(values) == 1:  # a day alone would be no line
            return f"{_LEFT},{y(values[0]):.1f} {_WIDTH - _RIGHT},{y(values[0]):.1f}"
        return " ".join(f"{x(place):.1f},{y(value):.1f}" for place, value in enumerate(values))

    ground = y(0)
    first, last = (x(0), x(len(days) - 1)) if len(days) > 1 else (_LEFT, _WIDTH - _RIGHT)
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(said, quote=True)}">',
        *(
            f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
            f'<text x="{_LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:,}</text>'
            for value in dict.fromkeys((0, top // 2, top))
        ),
        f'<polygon class="area" points="{first:.1f},{ground:.1f} {line(after)} {last:.1f},{ground:.1f}"/>',
        *(
            f'<line class="end" x1="{x(place):.1f}" x2="{x(place):.1f}" y1="{_TOP}" y2="{ground:.1f}"/>'
            for place, day in enumerate(days[:-1])
            if day == end
        ),
        f'<polyline class="before" points="{line(before)}"/>',
        f'<polyline class="after" points="{line(after)}"/>',
        *(
            f'<text x="{x(place):.1f}" y="{_HEIGHT - 6}" text-anchor="{anchor}">{word_day(days[place])}</text>'
            for place, anchor in ticks(len(days))
        ),
        "</svg>",
    ]
    return "".join(parts)


def nice_top(most: int) -> int:
    """The end of an axis: even, and one, two or five times a power of ten at least ``most``."""
    size = 2
    while True:
        for step in (1, 2, 5):
            if size * step >= most:
                return size * step
        size *= 10


def ticks(count: int) -> list[tuple[int, str]]:
    """Which of so many days are named below a chart, and how each is anchored."""
    if count == 1:
        return [(0, "middle")]
    if count < 8:
        return [(0, "start"), (count - 1, "end")]
    return [(0, "start"), (count // 2, "middle"), (count - 1, "end")]


def word_day(day: str) -> str:
    """``27 Nov``."""
    read = date.fromisoformat(day)
    return f"{read.day} {_MONTHS[read.month - 1]}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
