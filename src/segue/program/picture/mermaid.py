"""A chart as Mermaid text, which many wikis and repositories draw by themselves.

Source: https://mermaid.js.org/syntax/flowchart.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from segue.program.picture.chart import Box, Chart, Counts, Fork, Item, Turns

_SHAPES: Final = {
    "begin": ("([", "])"),
    "wait": ("(", ")"),
    "send": ("[", "]"),
    "ask": ("{", "}"),
    "split": ("{{", "}}"),
    "repeat": ("{{", "}}"),
    "note": ("[/", "/]"),
    "end": ("((", "))"),
}


def draw_mermaid(chart: Chart, counts: Counts | None = None) -> str:
    """The rule as a flowchart from top to bottom."""
    return _Flow(counts).draw(chart)


class _Flow:
    """``loose`` are the ends that lead to whatever comes next: a box, and the label of the way out of it."""

    def __init__(self, counts: Counts | None) -> None:
        self._counts = counts
        self._lines: list[str] = []
        self._boxes = 0

    def draw(self, chart: Chart) -> str:
        loose = [(self._box(chart.begin), "")]
        loose = self._items(chart.items, loose)
        self._join(loose, self._box(Box("end", "end")))
        title = chart.title.replace('"', "'")
        return "\n".join(["---", f'title: "{title}"', "---", "flowchart TD", *self._lines, ""])

    def _items(self, items: Sequence[Item], loose: list[tuple[str, str]]) -> list[tuple[str, str]]:
        for item in items:
            match item:
                case Box():
                    here = self._box(item)
                    self._join(loose, here)
                    loose = [] if item.kind == "end" else [(here, "")]
                case Fork(box=box, ways=ways):
                    here = self._box(box)
                    self._join(loose, here)
                    loose = [end for way in ways for end in self._items(way.items, [(here, way.label)])]
                case Turns(box=box, items=inner):
                    here = self._box(box)
                    self._join(loose, here)
                    self._join(self._items(inner, [(here, "each time")]), here)
                    loose = [(here, "then")]
        return loose

    def _box(self, box: Box) -> str:
        self._boxes += 1
        name = f"n{self._boxes}"
        opening, closing = _SHAPES[box.kind]
        text = _escape(box.title) + (f"<br/><small>{_escape(box.detail)}</small>" if box.detail else "")
        if self._counts is not None and box.step is not None and (here := self._counts.here.get(box.step)):
            text += f"<br/><b>{here:,} here now</b>"
        self._lines.append(f'    {name}{opening}"{text}"{closing}')
        return name

    def _join(self, loose: Sequence[tuple[str, str]], to: str) -> None:
        for end, label in loose:
            arrow = f'-- "{_escape(label)}" -->' if label else "-->"
            self._lines.append(f"    {end} {arrow} {to}")


def _escape(text: str) -> str:
    """Mermaid takes HTML's entities, and ends a text at a quote."""
    return (
        text.replace("&", "&amp;")
        .replace('"', "&quot;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("#", "&num;")
    )
