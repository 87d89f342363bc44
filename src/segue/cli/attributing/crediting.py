"""Models over the paths of a store: what each gives, as tables, and each credit traced to its touch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from segue.api import AttributionSpec, Credit
from segue.cli.attributing.reading import Read
from segue.cli.ending import counted
from segue.measure import Journeys, Labels, ModelError
from segue.measure.comparing import Comparison
from segue.measure.orders import ORDERS
from segue.measure.resampling import Interval, intervals
from segue.measure.table import Cell, Column, Table
from segue.measure.touchpoints.audit import Traced, credit, find_gap
from segue.measure.touchpoints.columns import By
from segue.measure.touchpoints.joining import Selected, relabel

UNATTRIBUTED: Final = "(no touch)"
"""Stands for conversions that no touch is before."""
Models = Mapping[str, tuple[AttributionSpec, Any]]
"""Models by name, each with its options."""


class Credited(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What the models give in one currency, and by model what that comes to for each touch."""

    selected: Selected
    comparison: Comparison
    traced: Mapping[str, Traced]


def credit_paths(read: Read, models: Models, by: By, samples: int = 0) -> list[Credited]:
    """What each model gives, by currency. Raises ModelError: also where the credits of touches don't add up to the
    conversions."""
    found = []
    for selected in read.selected:
        labels = Labels(*relabel(read.touches, selected.touches, by))
        journeys = Journeys(
            paths=selected.paths,
            journeys=len(selected.paths.conversions) + selected.untouched,
            untouched=selected.untouched,
            unattributed_conversions=selected.untouched,
            unattributed_value=selected.value,
            labels=labels,
        )
        credits: dict[str, tuple[Credit, ...]] = {}
        traced: dict[str, Traced] = {}
        sampled: dict[str, Mapping[str, Interval]] = {}
        for name, (spec, options) in models.items():
            if not selected.paths.conversions.any():
                credits[name] = ()
                continue
            credits[name], traced[name] = credit(spec, options, selected.paths, labels)
            gap = find_gap(traced[name], selected.paths)
            if gap is not None:
                raise ModelError(f"model {name}, in {selected.currency}: {gap}")
            if samples:
                sampled[name] = intervals(spec, options, selected.paths, labels, samples)
        comparison = Comparison(by, journeys, credits, sampled)
        found.append(Credited(selected=selected, comparison=comparison, traced=traced))
    return found


def attribution_table(read: Read, credited: list[Credited], by: By) -> Table:
    """A row for each model, currency and label, with the columns that models over files have."""
    tables = [one.comparison.table() for one in credited]
    columns = max((table.columns for table in tables), key=len)
    rows: list[tuple[Cell, ...]] = []
    for one, table in zip(credited, tables, strict=True):
        currency = one.selected.currency
        for record in table.records():
            rows.append((record["model"], currency, *(record.get(column.name) for column in columns[1:])))
        if one.selected.untouched:
            missing: dict[str, Cell] = {
                by: UNATTRIBUTED,
                "conversions": one.selected.untouched,
                "value": one.selected.value,
            }
            rows.extend(
                (name, currency, *(missing.get(column.name) for column in columns[1:]))
                for name in one.comparison.credits
            )
    return Table(
        "attribution",
        "Attribution",
        (columns[0], Column("currency", "currency"), *columns[1:]),
        tuple(rows),
        (*_sums(read), *read.notes()),
    )


def side_by_side(read: Read, credited: list[Credited]) -> list[Table]:
    """For people: tables for each currency, labels down and models across."""
    if not any(one.paths.conversions.any() for one in read.selected):
        return [_nothing(read, credited[0].comparison.by)]
    tables = [
        msgspec.structs.replace(table, title=f"{table.title} of {read.conversions.name}, {one.selected.currency}")
        for one in credited
        if one.selected.paths.conversions.any()
        for table in one.comparison.tables_for_people()
    ]
    notes = (*tables[-1].notes, *_sums(read), *read.notes())
    return [*tables[:-1], msgspec.structs.replace(tables[-1], notes=notes)]


def _nothing(read: Read, by: str) -> Table:
    """What is said where no conversion has a touch before it."""
    name = read.conversions.name
    said = (
        "There are no orders in this period." if name == ORDERS else f"The goal of {name} was not met in this period."
    )
    if any(one.untouched for one in read.selected):
        said = "No conversion of this period has a touch before it: there is nothing to share."
    columns = (Column(by, by), Column("conversions", "conversions"))
    return Table("attribution", f"Conversions of {name}", columns, (), (said, *_sums(read), *read.notes()))


def _sums(read: Read) -> Iterator[str]:
    for one in read.selected:
        attributed = int(one.paths.conversions.sum())
        null = len(one.paths.conversions) - attributed
        if attributed or null or one.untouched:
            yield (
                f"{one.currency}: {counted(attributed, 'conversion')} attributed, {one.untouched:,} without a touch "
                f"before; {counted(null, 'null path')} (touches that no conversion followed)."
            )
    if len(read.selected) > 1:
        yield "Currencies are never added together; null paths belong to each of them."
