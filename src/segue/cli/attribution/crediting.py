"""Models over the paths of a store: what each gives, as tables, and each credit traced to its touch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from segue.api import AttributionSpec, Credit
from segue.cli.attribution.reading import Read
from segue.measure.attribution import Labels, ModelError, attribute
from segue.measure.table import Cell, Column, Table
from segue.measure.touchpoints.audit import Traced, find_gap, trace
from segue.measure.touchpoints.columns import By
from segue.measure.touchpoints.joining import Selected, relabel

UNATTRIBUTED: Final = "(no touch)"
"""Stands for conversions that no touch is before."""
Models = Mapping[str, tuple[AttributionSpec, Any]]
"""Models by name, each with its options."""


class Credited(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What one model gives in one currency: ``credits`` by label, and what they come to for each touch."""

    model: str
    selected: Selected
    credits: tuple[Credit, ...]
    traced: Traced


def credit_paths(read: Read, models: Models, by: By) -> list[Credited]:
    """What each model gives, by currency. Raises ModelError: also where the credits of touches don't add up to the
    conversions."""
    found = []
    for selected in read.selected:
        labels = Labels(*relabel(read.touches, selected.touches, by))
        for name, (spec, options) in models.items():
            credits: tuple[Credit, ...] = ()
            if len(selected.paths.conversions) and selected.paths.conversions.any():
                credits = attribute(spec, options, selected.paths, labels)
            traced = _trace(spec, options, selected, credits, labels)
            found.append(Credited(model=name, selected=selected, credits=credits, traced=traced))
    return found


def _trace(
    spec: AttributionSpec, options: Any, selected: Selected, credits: tuple[Credit, ...], labels: Labels
) -> Traced:
    import numpy as np

    if not credits:
        nothing = np.zeros(len(selected.touches))
        return Traced(nothing, nothing, nothing)
    traced = trace(spec, options, selected.paths, credits, labels)
    gap = find_gap(traced, selected.paths)
    if gap is not None:
        raise ModelError(f"model {spec.name}, in {selected.currency}: {gap}")
    return traced


def attribution_table(read: Read, credited: list[Credited], by: By) -> Table:
    """A row for each model, currency and label."""
    rows: list[tuple[Cell, ...]] = []
    for one in credited:
        currency = one.selected.currency
        rows.extend(
            (one.model, currency, credit.channel, credit.conversions, credit.value, credit.removal_effect)
            for credit in one.credits
        )
        if one.selected.untouched:
            rows.append((one.model, currency, UNATTRIBUTED, one.selected.untouched, one.selected.value, None))
    return Table(
        "attribution",
        "Attribution",
        (
            Column("model", "Model"),
            Column("currency", "Currency"),
            Column(by, by.capitalize()),
            Column("conversions", "Conversions", "number"),
            Column("value", "Value", "money"),
            Column("removal_effect", "Removal effect", "number"),
        ),
        tuple(rows),
        (*_sums(read), *read.notes()),
    )


def side_by_side(read: Read, credited: list[Credited], by: By) -> list[Table]:
    """For people: a table a currency, labels down and models across."""
    tables = []
    for selected in read.selected:
        ours = [one for one in credited if one.selected is selected]
        given = [{credit.channel: credit for credit in one.credits} for one in ours]
        order = sorted(
            {name for of_model in given for name in of_model},
            key=lambda name: (-max(of_model[name].conversions for of_model in given if name in of_model), name),
        )
        rows: list[tuple[Cell, ...]] = []
        for name in order:
            figures = [of_model.get(name) for of_model in given]
            rows.append((name, selected.currency, *_figures(figures)))
        if selected.untouched:
            rows.append((UNATTRIBUTED, selected.currency, *(selected.untouched, selected.value) * len(ours)))
        columns = [Column(by, by.capitalize()), Column("currency", "Currency")]
        for one in ours:
            columns.append(Column(f"{one.model} conversions", f"{one.model} conversions", "number"))
            columns.append(Column(f"{one.model} value", f"{one.model} value", "money"))
        tables.append(
            Table(
                "attribution",
                f"What brought {read.conversions.name}, in {selected.currency}",
                tuple(columns),
                tuple(rows),
            )
        )
    last = tables[-1]
    tables[-1] = msgspec.structs.replace(last, notes=(*_sums(read), *read.notes()))
    return tables


def _figures(credits: list[Credit | None]) -> Iterator[Cell]:
    for credit in credits:
        yield from (None, None) if credit is None else (credit.conversions, credit.value)


def _sums(read: Read) -> Iterator[str]:
    for one in read.selected:
        attributed = int(one.paths.conversions.sum())
        null = len(one.paths.conversions) - attributed
        yield (
            f"{one.currency}: {attributed:,} conversions attributed, {one.untouched:,} without a touch before them; "
            f"{null:,} null paths (touches that no conversion followed)."
        )
    if len(read.selected) > 1:
        yield "Currencies are never added together; null paths belong to each of them."
