"""What a measurement says, as a table: one value for the terminal, for JSON, CSV and Parquet, and for the page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import Any, Literal

import msgspec
from msgspec.structs import force_setattr

Kind = Literal["text", "count", "number", "share", "money", "duration", "instant"]
"""What the cells of a column are:

``text``; ``count``, a whole number; ``number``; ``share``, 0 to 1, shown as a percentage (a difference of shares may be
below 0); ``money``, in whole units of the currency that stands in the column ``currency`` of the same table;
``duration``, in seconds; ``instant``, RFC 3339 text in UTC.
"""
Cell = str | int | float | None


class Column(msgspec.Struct, frozen=True):
    """A column: the ``name`` that files and JSON have, the ``title`` that people read, and what its cells are."""

    name: str
    title: str
    kind: Kind = "text"


class Table(msgspec.Struct, frozen=True):
    """A table: ``name`` for programs, ``title`` for people, its columns and rows, and ``notes``: sentences on what was
    left out, or why a cell is empty.

    A cell is None where there is nothing to say, such as a share of nothing: a number that is not finite becomes None,
    so that no renderer ever meets one. Numbers of numpy become those of Python. Raises ValueError where a row does not
    have as many cells as there are columns, or two columns have one name.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        width = len(self.columns)
        if len({column.name for column in self.columns}) != width:
            raise ValueError(f"table {self.name}: two columns have one name")
        for row in self.rows:
            if len(row) != width:
                raise ValueError(f"table {self.name}: a row of {len(row)} cells, for {width} columns")
        if any(not _plain(cell) for row in self.rows for cell in row):
            force_setattr(self, "rows", tuple(tuple(map(_cell, row)) for row in self.rows))

    def records(self) -> Iterator[dict[str, Cell]]:
        """The rows, each by the names of its columns."""
        names = [column.name for column in self.columns]
        for row in self.rows:
            yield dict(zip(names, row, strict=True))

    def first(self, most: int) -> Table:
        """The first rows."""
        return Table(self.name, self.title, self.columns, self.rows[:most], self.notes)

    def only(self, places: Sequence[int]) -> Table:
        """The columns at these places, in their order."""
        rows = tuple(tuple(row[at] for at in places) for row in self.rows)
        return Table(self.name, self.title, tuple(self.columns[at] for at in places), rows, self.notes)

    def column(self, name: str) -> tuple[Cell, ...]:
        """The cells of one column. Raises KeyError."""
        for at, column in enumerate(self.columns):
            if column.name == name:
                return tuple(row[at] for row in self.rows)
        raise KeyError(name)


def _plain(cell: object) -> bool:
    kind = type(cell)
    return kind is str or kind is int or cell is None or (kind is float and math.isfinite(cell))  # type: ignore[arg-type]


def _cell(cell: Any) -> Cell:
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, Integral):
        return int(cell)
    number = float(cell)
    return number if math.isfinite(number) else None
