"""Attribution models side by side: what each gives a channel, and how far they disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final

import msgspec

from segue.api import AttributionSpec, Credit
from segue.measure.attribution import attribute
from segue.measure.paths import Journeys
from segue.measure.resampling import Interval, intervals
from segue.measure.table import Cell, Column, Table

__all__ = ["Comparison", "compare"]


MOST: Final = 50
"""Rows that people are shown: of a million channels nobody reads more."""


class Comparison(msgspec.Struct, frozen=True, eq=False):
    """What the models make of the same journeys. ``by`` is what credit is given to: ``channel``, ``campaign`` …;
    ``intervals`` are for each model and label, and empty where none were asked for."""

    by: str
    journeys: Journeys
    credits: Mapping[str, tuple[Credit, ...]]
    intervals: Mapping[str, Mapping[str, Interval]]

    @property
    def bands(self) -> dict[str, tuple[float, float]]:
        """For each label the least and the most conversions that a model gives it."""
        found: dict[str, tuple[float, float]] = {}
        for credits in self.credits.values():
            for credit in credits:
                low, high = found.get(credit.channel, (credit.conversions, credit.conversions))
                found[credit.channel] = (min(low, credit.conversions), max(high, credit.conversions))
        return found

    def table(self) -> Table:
        """A row for each model and label: what JSON, CSV and Parquet have."""
        columns = [
            Column("model", "model"),
            Column(self.by, self.by),
            Column("conversions", "conversions", "number"),
            Column("value", "value", "number"),
        ]
        effects = any(credit.removal_effect is not None for credits in self.credits.values() for credit in credits)
        several, sampled = len(self.credits) > 1, any(self.intervals.values())
        if effects:
            columns.append(Column("removal_effect", "removal effect", "number"))
        if several:
            columns += [
                Column("least_conversions", "least of all models", "number"),
                Column("most_conversions", "most of all models", "number"),
            ]
        if sampled:
            columns += [
                Column("conversions_from", "conversions from", "number"),
                Column("conversions_to", "conversions to", "number"),
                Column("value_from", "value from", "number"),
                Column("value_to", "value to", "number"),
            ]
        bands = self.bands
        rows: list[tuple[Cell, ...]] = []
        for model, credits in self.credits.items():
            for credit in credits:
                cells: list[Cell] = [model, credit.channel, credit.conversions, credit.value]
                if effects:
                    cells.append(credit.removal_effect)
                if several:
                    cells += bands[credit.channel]
                if sampled:
                    interval = self.intervals.get(model, {}).get(credit.channel)
                    cells += [None] * 4 if interval is None else [*interval.conversions, *interval.value]
                rows.append(tuple(cells))
        return Table("attribution", "Attribution", tuple(columns), tuple(rows), tuple(self.notes()))

    def tables_for_people(self) -> list[Table]:
        """Labels down and models across: a table of conversions, and one of value where there is any."""
        found = [self._across("conversions", "Conversions", self.notes() if not self._has_value() else [])]
        if self._has_value():
            found.append(self._across("value", "Value", self.notes()))
        return found

    def notes(self) -> list[str]:
        """What a reader must know of the figures."""
        notes = []
        if any(self.intervals.values()):
            notes.append("from – to: between these lie 95% of samples drawn from the same journeys")
            paths = self.journeys.paths
            if ((paths.conversions > 1) & (paths.values > 0)).any():
                notes.append("value: counted paths tell only an average, so that its from – to is too narrow")
        if len(self.credits) > 1:
            notes.append("least – most: where models disagree, the figure is the model's and not the customers'")
        return notes

    def _has_value(self) -> bool:
        return any(credit.value for credits in self.credits.values() for credit in credits)

    def _across(self, what: str, title: str, notes: Sequence[str]) -> Table:
        columns = [Column(self.by, self.by)]
        cells: dict[str, list[Cell]] = {credit.channel: [] for credit in next(iter(self.credits.values()))}
        total: list[Cell] = []
        for model, credits in self.credits.items():
            columns.append(Column(model, model, "number"))
            effects = what == "conversions" and any(credit.removal_effect is not None for credit in credits)
            sampled = self.intervals.get(model, {})
            for credit in credits:
                cells[credit.channel].append(_rounded(getattr(credit, what)))
            total.append(_rounded(sum(getattr(credit, what) for credit in credits)))
            if effects:
                columns.append(Column(f"{model}_removal", "removal effect", "share"))
                for credit in credits:
                    cells[credit.channel].append(credit.removal_effect)
                total.append(None)
            if sampled:
                columns.append(Column(f"{model}_range", f"{model} from – to" if len(self.credits) > 1 else "from – to"))
                for credit in credits:
                    interval = sampled.get(credit.channel)
                    cells[credit.channel].append(None if interval is None else _span(getattr(interval, what)))
                total.append(None)
        if len(self.credits) > 1:
            columns.append(Column("band", "least – most"))
            figures: dict[str, list[float]] = {}
            for credits in self.credits.values():
                for credit in credits:
                    figures.setdefault(credit.channel, []).append(getattr(credit, what))
            for label, found in figures.items():
                cells[label].append(_span((min(found), max(found))))
            total.append(None)
        rows = [(label, *row) for label, row in islice(cells.items(), MOST)]
        if len(cells) > MOST:
            notes = [*notes, f"and {len(cells) - MOST:,} more, which files and JSON have"]
        return Table(f"attribution-{what}", title, tuple(columns), (*rows, ("all", *total)), tuple(notes))


def compare(
    models: Mapping[str, tuple[AttributionSpec, Any]], journeys: Journeys, by: str = "channel", samples: int = 0
) -> Comparison:
    """Ask each model, by its name with its options. Raises ModelError."""
    return Comparison(
        by,
        journeys,
        {name: attribute(spec, options, journeys.paths, journeys.labels) for name, (spec, options) in models.items()},
        {
            name: intervals(spec, options, journeys.paths, journeys.labels, samples)
            for name, (spec, options) in models.items()
            if samples
        },
    )


def _rounded(number: float) -> float:
    return round(number, 2)


def _span(edges: tuple[float, float]) -> str:
    # Of the rounded figures, as the cells beside it: rounded once more, the two could differ.
    low, high = (f"{_rounded(edge):,.0f}" if abs(edges[1]) >= 1000 else f"{edge:,.2f}" for edge in edges)
    return f"{low} – {high}"
