"""What reading a table gives, row by row, and what makes a file that cannot be one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import msgspec

__all__ = ["MOST_COLUMNS", "BadRow", "Row", "Table", "Unreadable"]

MOST_COLUMNS = 2_000
"""Columns of a table: far more than any export has, far fewer than take memory."""


class Row(msgspec.Struct, frozen=True):
    """A row: its values by column, empty ones left out. ``place`` finds it again, ``raw`` is it as it came, ``end`` the
    position after it."""

    place: str
    values: dict[str, Any]
    raw: bytes
    end: int


class BadRow(msgspec.Struct, frozen=True):
    """A row that cannot be read, and why."""

    place: str
    reason: str
    raw: bytes
    end: int


class Unreadable(ValueError):
    """A file that cannot be read at all, or no further; the text is a sentence that goes on from its name."""


class Table(Protocol):
    """A table that is read from a position on: a number that grows with every row, 0 the first."""

    columns: tuple[str, ...]

    def rows(self, position: int) -> Iterator[Row | BadRow]:
        """The rows after a position. Raises Unreadable where it goes no further."""
        ...
