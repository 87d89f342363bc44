"""What models attribute, as tables of a report: orders by channel, and each rule's goals to the rule itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from segue.cli.attributing.crediting import Credited, Models, attribution_table, credit_paths
from segue.cli.attributing.reading import Read, by_currency, read_paths
from segue.cli.attributing.showing import usual_models
from segue.measure.attribution import ModelError, options_of
from segue.measure.period import Period
from segue.measure.table import Cell, Column, Table
from segue.measure.touchpoints.columns import By, Conversions
from segue.measure.touchpoints.joining import join
from segue.runtime.assembly import Assembly

_FURTHER: Final = "markov"
"""Is shown beside the usual models, where it is installed."""
Attributed = dict[str, dict[str, float]]
"""The conversions that each model gives each rule, of the rule's own goal."""


def attribution_tables(
    assembly: Assembly, period: Period, orders: Conversions, goals: Mapping[str, Conversions]
) -> tuple[list[Table], Attributed]:
    """Orders by channel, and what models give rules of their own ``goals``; both from the look-back before the period
    on. Nothing where no model is installed."""
    available = assembly.plugins.models
    names = [*usual_models(available), *(name for name in (_FURTHER,) if name in available)]
    models: Models = {name: (available[name], options_of(available[name], {})) for name in dict.fromkeys(names)}
    if not models:
        return [], {}
    read = read_paths(assembly, period, orders=orders)
    credited, notes = _credit(read, models, "channel")
    by_channel = attribution_table(read, credited, "channel")
    of_rules = {rule: _of_rule(one, models, rule) for rule, one in _paths(assembly, period, read, goals).items()}
    return [msgspec.structs.replace(by_channel, notes=(*by_channel.notes, *notes)), _by_rule(of_rules)], of_rules


def _credit(read: Read, models: Models, by: By) -> tuple[list[Credited], tuple[str, ...]]:
    """What each model gives; a model that cannot work with the paths is left out, with the reason as a note."""
    found: list[Credited] = []
    notes = []
    for name, model in models.items():
        try:
            found += credit_paths(read, {name: model}, by)
        except ModelError as error:
            notes.append(f"{name} is left out: {error}")
    return found, tuple(notes)


def _paths(assembly: Assembly, period: Period, read: Read, goals: Mapping[str, Conversions]) -> dict[str, Read]:
    """The paths to the goals of each rule, from touches that are read already."""
    windows = assembly.project.touchpoints.windows
    found = {}
    for rule, conversions in goals.items():
        joined = join(read.touches, conversions, period, windows)
        selected = by_currency(read.touches, conversions, joined, period)
        found[rule] = msgspec.structs.replace(read, conversions=conversions, joined=joined, selected=selected)
    return found


def _of_rule(read: Read, models: Models, rule: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in _credit(read, models, "rule")[0]:
        for model, credits in one.comparison.credits.items():
            own = sum(credit.conversions for credit in credits if credit.channel == rule)
            found[model] = found.get(model, 0.0) + own
    return found


def _by_rule(attributed: Attributed) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (model, rule, conversions) for rule, models in attributed.items() for model, conversions in models.items()
    ]
    return Table(
        "attribution_by_rule",
        "What models attribute to rules with a holdout",
        (Column("model", "Model"), Column("rule", "Rule"), Column("conversions", "Conversions", "number")),
        tuple(rows),
    )
