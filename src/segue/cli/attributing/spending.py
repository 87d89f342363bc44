"""What ``segue spend`` shows."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any, Final, Literal, get_args

import msgspec

from segue.api import AttributionSpec
from segue.cli.attributing.crediting import credit_paths
from segue.cli.attributing.reading import Read, read_goals_of, read_paths
from segue.cli.clocks import now_of
from segue.cli.ending import USAGE, fail
from segue.cli.reporting.budgets import budgets_table
from segue.cli.segments.progress import Telling
from segue.cli.tabling import Shown, put, read_period
from segue.measure.attribution import ModelError, options_of
from segue.measure.money import Brought, By, contact_costs, returns_table, revenue_table, spend_table
from segue.measure.table import Table
from segue.measure.touchpoints.columns import NONE
from segue.runtime.assembly import Assembly
from segue.runtime.publishing import load
from segue.store.database import read_only
from segue.store.errors import StoreError
from segue.store.spending import read_spending

USUAL: Final = ("last-non-direct", "last", "linear")
"""The first of these models that is installed says what rules brought, where none is named: whoever comes back by
herself to buy what a mail showed her came because of the mail."""


def show_spending(
    assembly: Assembly,
    span: tuple[str | None, str | None, str | None],
    *,
    by: str,
    model: str | None,
    **forms: Any,
) -> None:
    """Count the money of a period, and show it: ``forms`` are ``json``, ``csv`` and ``parquet``. Ends the command
    where it was asked for what there is not."""
    known: dict[str, By] = {one: one for one in get_args(By)}
    if by not in known:
        fail(f"--by {by}: write {', '.join(known)}", USAGE)
    spec = _model(assembly, model)
    zone, now = assembly.setting.zone, now_of(assembly)
    period = read_period(*span, zone=zone, now=now, otherwise="30d")
    look = partial(read_only, assembly.project.database, much=True)
    read = read_paths(assembly, period)
    try:
        with Telling("at messages", of="messages") as tell:
            spending = read_spending(look, period, zone, tell)
        with look() as tx:
            running = load(tx, assembly.setting)
            budgets = budgets_table(tx, running, zone, now) if running is not None else None
        goals = read_goals_of(assembly, period, period.since, read.conversions)
    except StoreError as error:
        fail(str(error))
    tables = [_noted(spend_table(spending, known[by]), read.deleted.messages)]
    if budgets is not None and budgets.rows:
        tables.append(budgets)
    revenue = revenue_table([read.conversions, *goals.values()], period)
    tables.append(_noted(revenue, read.deleted.orders, read.deleted.goals))
    contacts = contact_costs(read.touches, period)
    costs = Counter(spending.by("channel")) + Counter(contacts)
    tables += [
        _noted(returns_table(_brought(read, spec, "channel"), costs, spec.name, "channel"), read.deleted.touches),
        _noted(
            returns_table(_brought(read, spec, "rule"), spending.by("rule"), spec.name, "rule"), read.deleted.touches
        ),
    ]
    put(tables, shown=Shown(assembly.setting.locale, zone), **forms)


def _noted(table: Table, *said: str) -> Table:
    noted: Table = msgspec.structs.replace(table, notes=(*(one for one in said if one), *table.notes))
    return noted


def _model(assembly: Assembly, name: str | None) -> AttributionSpec:
    available = assembly.plugins.models
    named = name or next((one for one in USUAL if one in available), None)
    if named is None or named not in available:
        there = ", ".join(sorted(available)) or "none; install a plugin such as segue-attribution-heuristics"
        fail(f"there is no attribution model “{named or USUAL[0]}”; there is {there}", USAGE)
    return available[named]


def _brought(read: Read, spec: AttributionSpec, by: Literal["rule", "channel"]) -> list[Brought]:
    try:
        credited = credit_paths(read, {spec.name: (spec, options_of(spec, {}))}, by)
    except ModelError as error:
        fail(str(error))
    return [
        Brought(credit.channel, one.selected.currency, credit.conversions, credit.value)
        for one in credited
        for credit in one.comparison.credits[spec.name]
        if credit.channel != NONE
    ]
