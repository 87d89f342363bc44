"""The funnels of all rules as tables of a report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from segue.cli.funnels.reading import Read
from segue.measure.funnels import losses, results, tables
from segue.measure.funnels.cohorts import cohorts_table
from segue.measure.table import Table


def funnel_tables(read: Sequence[Read], today: date) -> list[Table]:
    """A table of each sort, with the rows of every rule."""
    if not read:
        return []
    journeys = tables.journeys_table([(one.funnel, None) for one in read])
    of_each = [
        [
            tables.steps_table(one.funnel),
            losses.exits_table(one.funnel),
            losses.dropped_table(one.funnel),
            results.times_table(one.funnel),
            results.content_table(one.funnel, one.templates),
            cohorts_table(one.funnel, today),
        ]
        for one in read
    ]
    return [journeys, *(_joined(several) for several in zip(*of_each, strict=True))]


def titles_of(read: Sequence[Read]) -> dict[str, str]:
    """What people call each rule that has a title, by the version that runs, else the last."""
    found = {}
    for one in read:
        version = results.newest(one.funnel)
        if version is not None and version.program.rule.title:
            found[one.funnel.rule] = version.program.rule.title
    return found


def _joined(several: Sequence[Table]) -> Table:
    first = several[0]
    rows = tuple(row for one in several for row in one.rows)
    notes = tuple(dict.fromkeys(note for one in several if one.rows for note in one.notes))
    return Table(first.name, first.title, first.columns, rows, notes)
