"""A heat map: rows and columns of shares, the larger the darker, each with its number."""

from __future__ import annotations

from typing import Final

import msgspec

from segue.cli.reporting.charts.chart import cut, percent, picture, text
from segue.cli.tabling.shown import Shown
from segue.measure.table import Table

_ROW: Final = 30
_HEAD: Final = 22
_LEFT: Final = 27.0
_FAINT, _STRONG = 0.06, 0.54
"""How far the largest cell is from the ground: ink stays readable on it, light and dark (WCAG AA)."""


class Heat(msgspec.Struct, frozen=True):
    """Cells by row and column; None is an empty one. ``rows`` have a name and a note below it."""

    title: str
    said: str
    table: Table
    columns: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[float | None, ...]], ...]

    def draw(self, shown: Shown, mark: str) -> str:
        most = max((cell for _, _, cells in self.rows for cell in cells if cell is not None), default=0.0)
        wide = (100 - _LEFT) / max(1, len(self.columns))
        parts = [
            text(f"{_LEFT + (place + 0.5) * wide:g}%", 13, name, kind="tick", anchor="middle")
            for place, name in enumerate(self.columns)
        ]
        for row, (name, note, cells) in enumerate(self.rows):
            y = _HEAD + row * _ROW
            parts.append(text("0", y + 13, cut(name, 14)))
            parts.append(text("0", y + 25, cut(note, 16), kind="tick"))
            for place, cell in enumerate(cells):
                if cell is None:
                    continue
                left = _LEFT + place * wide
                strength = percent(cell, most) / 100
                parts.append(
                    f'<rect class="heat" x="{left + 0.2:g}%" y="{y + 1}" width="{wide - 0.4:g}%" height="{_ROW - 2}" '
                    f'rx="2" fill-opacity="{_FAINT + _STRONG * strength:.2f}"/>'
                )
                parts.append(text(f"{left + wide / 2:g}%", y + 20, shown.brief(cell), kind="in", anchor="middle"))
        return picture(mark, self.title, self.said, _HEAD + len(self.rows) * _ROW, parts)

    def key(self) -> str:
        """Each cell has its number."""
        return ""
