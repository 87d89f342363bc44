"""What models attribute, as tables of a report: orders by channel, and each rule's goals to the rule itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import msgspec

from segue.api import Instant
from segue.cli.attributing.crediting import Credited, Models, attribution_table, credit_paths
from segue.cli.attributing.reading import Read, by_currency, read_paths
from segue.cli.attributing.showing import usual_models
from segue.cli.segments.progress import Telling
from segue.measure.attribution import ModelError, options_of
from segue.measure.period import Period
from segue.measure.table import Cell, Column, Table
from segue.measure.touchpoints.columns import By
from segue.measure.touchpoints.joining import join
from segue.runtime.assembly import Assembly
from segue.store.conversions import read_goals
from segue.store.database import read_only

_FURTHER: Final = "markov"
"""Is shown beside the usual models, where it is installed."""
Attributed = dict[str, dict[str, float]]
"""The conversions that each model gives each rule, of the rule's own goal."""


def attribution_tables(assembly: Assembly, period: Period, rules: Sequence[str]) -> tuple[list[Table], Attributed]:
    """Orders by channel, and what models give the rules of the conversions that these have. Nothing where no model is
    installed."""
    available = assembly.plugins.models
    names = [*usual_models(available), *(name for name in (_FURTHER,) if name in available)]
    models: Models = {name: (available[name], options_of(available[name], {})) for name in dict.fromkeys(names)}
    if not models:
        return [], {}
    read = read_paths(assembly, period)
    credited, notes = _credit(read, models, "channel")
    by_channel = attribution_table(read, credited, "channel")
    of_rules = {rule: _of_rule(one, models, rule) for rule, one in _goals(assembly, period, read, rules).items()}
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


def _goals(assembly: Assembly, period: Period, read: Read, rules: Sequence[str]) -> dict[str, Read]:
    """The paths to the goals of each rule, from touches that are read already."""
    if not rules:
        return {}
    project = assembly.project
    windows = project.touchpoints.windows
    since = Instant(max(0, period.since - windows.usual))
    look = partial(read_only, project.database, much=True)
    with Telling("at goals", of="journeys") as tell:
        goals = read_goals(look, (since, period.until), list(rules), read.conversions, project.currency, tell)
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
