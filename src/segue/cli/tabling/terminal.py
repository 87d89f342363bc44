"""A table on the terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from textwrap import wrap
from typing import IO, Final

from segue.cli.tabling.shown import Shown
from segue.diagnostics.render.printable import printable, width
from segue.measure.table import Table

WIDTH: Final = 80
"""Columns of a terminal that says nothing of its width, and of a file."""
_WIDEST: Final = 28
"""What a column of text takes at the most, where columns are many; longer texts go on in the next line."""
_GAP: Final = 3
"""Columns between two: the padding of both, and what stands between them."""


def print_table(table: Table, shown: Shown | None = None, file: IO[str] | None = None) -> None:
    """Print a table with its title and notes. A table that is too wide goes on below, with its first columns again, so
    that no number is ever cut. What names hold can't drive the terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as Drawn
    from rich.text import Text

    out = sys.stdout if file is None else file
    columns = max(40, shutil.get_terminal_size((WIDTH, 24)).columns) if out.isatty() else WIDTH
    console = Console(file=out, width=columns, highlight=False, emoji=False, markup=False)
    console.print(Text(printable(table.title), style="bold"))
    cells = [[printable(cell) for cell in row] for row in (shown or Shown()).cells(table)]
    if not table.rows:
        console.print(Text("  nothing"))
    else:
        widths = [_width_of(table, cells, at) for at in range(len(table.columns))]
        for piece in _pieces(table, widths, columns):
            drawn = Drawn(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
            for at in piece:
                column = table.columns[at]
                drawn.add_column(
                    Text("\n".join(wrap(printable(column.title), widths[at]))),
                    justify="left" if column.kind in ("text", "instant") else "right",
                    no_wrap=column.kind != "text",
                    overflow="fold",
                )
            for row in cells:
                drawn.add_row(*(Text(row[at]) for at in piece))
            console.print(drawn)
    for note in table.notes:
        console.print(Text(printable(note), style="dim"))
    console.print()


def _pieces(table: Table, widths: Sequence[int], columns: int) -> list[list[int]]:
    """The columns of each part of a table, so that every part fits: the leading columns of text stand in each."""
    taken = [one + _GAP for one in widths]
    keys: list[int] = []
    for at, column in enumerate(table.columns):
        if column.kind not in ("text", "instant") or sum(taken[key] for key in (*keys, at)) > columns // 2:
            break
        keys.append(at)
    pieces: list[list[int]] = []
    piece = list(keys)
    for at in range(len(keys), len(widths)):
        if len(piece) > len(keys) and sum(taken[one] for one in (*piece, at)) - _GAP > columns:
            pieces.append(piece)
            piece = list(keys)
        piece.append(at)
    return [*pieces, piece]


def _width_of(table: Table, cells: Sequence[Sequence[str]], at: int) -> int:
    column = table.columns[at]
    title = max(map(width, printable(column.title).split() or [""]))
    widest = max((width(row[at]) for row in cells), default=0)
    return max(title, min(widest, _WIDEST) if column.kind == "text" else widest)
