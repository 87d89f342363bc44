"""Cells of tables as numbers."""

from __future__ import annotations

from segue.measure.table import Cell


def whole(cell: Cell) -> int:
    """A count; an empty cell is 0."""
    return int(cell) if isinstance(cell, int | float) else 0


def real(cell: Cell) -> float:
    """A number; an empty cell is 0."""
    return float(cell) if isinstance(cell, int | float) else 0.0
