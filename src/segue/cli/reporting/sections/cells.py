"""What the sections have in common: cells of tables as numbers, and a day that is not over."""

from __future__ import annotations

from segue.cli.reporting.material import Material
from segue.measure.experiments.exposed import HELD_OUT
from segue.measure.table import Cell
from segue.program.calendar import local


def whole(cell: Cell) -> int:
    """A count; an empty cell is 0."""
    return int(cell) if isinstance(cell, int | float) else 0


def real(cell: Cell) -> float:
    """A number; an empty cell is 0."""
    return float(cell) if isinstance(cell, int | float) else 0.0


def unfinished(material: Material) -> str:
    """A sentence where the last day of the period is not a whole one, which on a chart looks like a fall."""
    end = local(material.period.until, material.zone)
    day = end.date().isoformat()
    return f" {material.shown.day(day)} is counted until {end:%H:%M}." if (end.hour, end.minute) != (0, 0) else ""


def plain(reason: str) -> str:
    """Why something did not go, where the ledger's word for it is not a reader's."""
    return "in a control group: held out to measure what messages cause" if reason == HELD_OUT else reason
