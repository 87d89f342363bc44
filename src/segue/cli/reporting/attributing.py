"""What models attribute, as tables of a report: orders by channel, and each rule's goals to the rule itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from segue.cli.attributing.crediting import Credited, Models, attribution_table, credit_paths
from segue.cli.attributing.reading import Read, by_currency, read_paths
from segue.cli.attributing.showing import usual_models
from segue.cli.segments.progress import Telling
from segue.measure.attribution import ModelError, options_of
from segue.measure.period import Period
from segue.measure.table import Cell, Column, Table
from segue.measure.touchpoints.columns import By, Conversions, Touches
from segue.measure.touchpoints.joining import Windows, join
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
    by_channel, touches = _by_channel(read_paths(assembly, period, orders=orders, others=goals.values()), models)
    windows = assembly.project.touchpoints.windows
    of_rules = {}
    with Telling("at what brought goals", of="rules") as tell:
        for place, (rule, met) in enumerate(goals.items()):
            tell(place, len(goals))
            of_rules[rule] = _of_rule(_paths(touches, met, period, windows), models, rule)
    return [by_channel, _by_rule(of_rules)], of_rules


def _by_channel(read: Read, models: Models) -> tuple[Table, Touches]:
    """The table, and the touches alone: of millions of these, the paths are as much again."""
    credited, notes = _credit(read, models, "channel")
    table = attribution_table(read, credited, "channel")
    return msgspec.structs.replace(table, notes=(*table.notes, *notes)), read.touches


def _credit(read: Read, models: Models, by: By) -> tuple[list[Credited], tuple[str, ...]]:
    """What each model gives; a model that cannot work with the paths is left out, with the reason as a note."""
    found: list[Credited] = []
    notes = []
    for name, model in models.items():
        try:
            # What each touch is credited was checked, and is not shown.
            found += [msgspec.structs.replace(one, traced={}) for one in credit_paths(read, {name: model}, by)]
        except ModelError as error:
            notes.append(f"{name} is left out: {error}")
    return found, tuple(notes)


def _paths(touches: Touches, goals: Conversions, period: Period, windows: Windows) -> Read:
    """The paths to the goals of a rule, from touches that are read already."""
    joined = join(touches, goals, period, windows)
    selected = by_currency(touches, goals, joined, period)
    return Read(touches=touches, conversions=goals, joined=joined, selected=selected)


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
