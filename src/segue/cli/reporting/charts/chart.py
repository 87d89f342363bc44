"""What all charts have in common: the frame, the ends of axes, and how names are cut."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable
from html import escape
from typing import Final, Protocol

from segue.cli.tabling.shown import Shown
from segue.diagnostics.render.printable import printable, width
from segue.measure.table import Kind, Table

_LONGEST: Final = 160
"""Columns of the longest name that is shown whole."""


class Chart(Protocol):
    """A chart: its title, what it says in one sentence, the table behind it, and its picture."""

    @property
    def title(self) -> str: ...
    @property
    def said(self) -> str: ...
    @property
    def table(self) -> Table: ...

    def draw(self, shown: Shown, mark: str) -> str:
        """The markup. ``mark`` is unique in the page."""
        ...

    def key(self) -> str:
        """What its colours and shapes mean, as markup; empty where it says so itself."""
        ...


def picture(mark: str, title: str, said: str, height: float, parts: Iterable[str]) -> str:
    """The frame of a chart: ``height`` in pixels, as wide as there is room."""
    return (
        f'<svg class="chart" role="img" aria-labelledby="{mark}-t {mark}-d" width="100%" height="{height:g}">'
        f'<title id="{mark}-t">{escape(printable(title))}</title><desc id="{mark}-d">{escape(printable(said))}</desc>'
        f"{''.join(parts)}</svg>"
    )


def text(x: str, y: float, words: str, *, kind: str = "", anchor: str = "") -> str:
    """Words at a place; ``anchor`` is start, middle or end."""
    anchored = f' text-anchor="{anchor}"' if anchor and anchor != "start" else ""
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y:g}"{named}{anchored}>{escape(printable(words))}</text>'


def rows(lines: Iterable[str]) -> str:
    """Lines of a chart that are read as a list: whatever their names are, they wrap and are never cut off."""
    return f'<ul class="rows">{"".join(lines)}</ul>'


def row(name: str, value: str, high: float, parts: Iterable[str]) -> str:
    """A line of a chart: a name, what is said of it, and a strip of ``high`` pixels below."""
    strip = f'<svg class="strip" aria-hidden="true" width="100%" height="{high:g}">{"".join(parts)}</svg>'
    return f"<li><p><bdi>{escape(cut(name, _LONGEST))}</bdi> <span>{escape(printable(value))}</span></p>{strip}</li>"


def group(name: str) -> str:
    """A heading among the lines of a chart."""
    return f'<li class="group"><bdi>{escape(cut(name, _LONGEST))}</bdi></li>'


def key(entries: Iterable[tuple[str, str]]) -> str:
    """What markings mean: the drawing of each, which is centred on nothing, and its words."""
    said = "".join(
        f'<span><svg aria-hidden="true" width="14" height="14" viewBox="-7 -7 14 14">{drawing}</svg>'
        f"{escape(printable(words))}</span>"
        for drawing, words in entries
    )
    return f'<p class="key">{said}</p>'


def cut(words: str, most: int) -> str:
    """Words of at most so many columns; what is longer ends in an ellipsis."""
    words = printable(words)
    if width(words) <= most:
        return words
    kept, taken = "", 0
    for character in words:
        taken += 0 if unicodedata.combining(character) else width(character)
        if taken > most - 1:
            break
        kept += character
    return kept.rstrip() + "…"


def percent(part: float, whole: float) -> float:
    """A part of a whole as a percentage between 0 and 100."""
    return round(min(100.0, max(0.0, part / whole * 100)), 3) if whole > 0 else 0.0


def ticks(low: float, high: float, kind: Kind) -> list[float]:
    """Round numbers, three to seven of them at equal distances, the first at most ``low`` and the last at least
    ``high``."""
    spread = high - low
    if not math.isfinite(spread) or spread < 1e-9:
        return [low, low + 1.0]
    size = 10.0 ** math.floor(math.log10(spread / 4))
    step = next(size * one for one in (1, 2, 2.5, 5, 10) if size * one >= spread / 4 * 0.999999)
    step = max(1.0, math.ceil(step)) if kind == "count" else step
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [place * step for place in range(first, last + 1)]


def top_of(most: float, kind: Kind) -> float:
    """The end of an axis that begins at 0: one, two or five times a power of ten, and for counts even."""
    if most < 1e-9:
        return 2.0 if kind == "count" else 1.0
    size: float = 10.0 ** math.floor(math.log10(most))
    found = next(size * step for step in (1, 2, 2.5, 4, 5, 10) if size * step >= most * 0.999999)
    return max(2.0, 2 * math.ceil(found / 2)) if kind == "count" else min(found, 1.0) if kind == "share" else found
