"""A chart as lines of text, for a terminal."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from segue.program.picture.chart import Box, Chart, Counts, Fork, Item, Turns, Way

SIGNS = {
    "begin": "●",
    "wait": "◷",
    "send": "✉",
    "ask": "◇",
    "split": "⑂",
    "repeat": "↻",
    "note": "✎",
    "end": "■",
}


_NARROWEST: Final = 20
"""Columns that a text gets even where the tree has taken them all."""

_HANGING: Final = {"├─ ": "│  ", "╰─ ": "   ", "■ ": "  "}
"""What stands on a line's further rows in place of its sign; the trunk goes on under every other."""

_BEGINNING: Final = re.compile(rf"([│ ]*)([├╰]─ |[{''.join(SIGNS.values())}] |)")


def draw_text(chart: Chart, counts: Counts | None = None, columns: int | None = None) -> str:
    """The rule as a tree, one box a line; with ``counts``, who is where now. Lines are broken at ``columns``."""
    lines = [f"{chart.title}  ({chart.rule})" if chart.title != chart.rule else chart.title]
    lines += [f"  {term}" for term in chart.terms]
    lines += ["", _line(chart.begin, counts)]
    if counts is not None:
        lines[-1] += f"  {counts.entered:,} entered"
    lines += _items(chart.items, "", counts)
    end = "■ The end"
    if counts is not None:
        end += (
            f"  {counts.inside:,} inside, {counts.finished:,} finished, {counts.exited:,} exited, "
            f"{counts.failed:,} failed; {counts.converted:,} converted"
        )
    lines += ["│", end]
    if columns is not None:
        lines = [row for line in lines for row in _broken(line, columns)]
    return "\n".join([*lines, ""])


def _broken(line: str, columns: int) -> list[str]:
    """A line in rows of so many columns, the further ones below its text."""
    beginning = _BEGINNING.match(line)
    assert beginning is not None
    indent, sign = beginning.groups()
    rows = textwrap.wrap(
        line[beginning.end() :], max(columns - len(indent + sign), _NARROWEST), break_on_hyphens=False
    ) or [""]
    under = indent + _HANGING.get(sign, "│ " if sign else "")
    return [f"{indent}{sign}{rows[0]}", *(f"{under}{row}" for row in rows[1:])]


def _items(items: Sequence[Item], indent: str, counts: Counts | None) -> Iterator[str]:
    for item in items:
        yield f"{indent}│"
        match item:
            case Box():
                yield indent + _line(item, counts)
            case Fork(box=box, ways=ways):
                yield indent + _line(box, counts)
                yield from _ways(ways, indent, counts)
            case Turns(box=box, items=inner):
                yield indent + _line(box, counts)
                yield from _way(Way("each time", inner), indent, counts, last=True)


def _ways(ways: Sequence[Way], indent: str, counts: Counts | None) -> Iterator[str]:
    for way in ways:
        yield from _way(way, indent, counts, last=way is ways[-1])


def _way(way: Way, indent: str, counts: Counts | None, *, last: bool) -> Iterator[str]:
    yield f"{indent}{'╰' if last else '├'}─ {way.label}{'' if way.items else ': go on'}"
    yield from _items(way.items, f"{indent}{' ' if last else '│'}    ", counts)


def _line(box: Box, counts: Counts | None) -> str:
    detail = f"  {box.detail}" if box.detail else ""
    here = counts.here.get(box.step, 0) if counts is not None and box.step is not None else 0
    return f"{SIGNS[box.kind]} {box.title}{detail}" + (f"  ← {here:,} here now" if here else "")
