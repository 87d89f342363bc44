"""Reading what a report tells from a project's store, beside a daemon that may be running."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, partial

from segue.api import Instant
from segue.cli.attributing.reading import read_goals_of, read_orders_of
from segue.cli.funnels.reading import read_funnels
from segue.cli.reporting.attributing import attribution_tables
from segue.cli.reporting.budgets import budgets_table
from segue.cli.reporting.evidence import evidence_tables
from segue.cli.reporting.funnels import funnel_tables, titles_of
from segue.cli.reporting.material import Material
from segue.cli.segments.progress import Telling
from segue.cli.tabling.shown import Shown
from segue.measure.orders import notes
from segue.measure.period import Period
from segue.measure.results.brought import QUARTER, count_brought
from segue.measure.results.tables import (
    channels_table,
    days_table,
    headline_table,
    money_days_table,
    money_table,
    reasons_table,
    rules_table,
)
from segue.measure.table import Table
from segue.program.calendar import local
from segue.runtime.assembly import Assembly
from segue.runtime.publishing import load
from segue.store.database import read_only
from segue.store.exposures import list_experiments
from segue.store.results import count_periods, knows_since


def gather(assembly: Assembly, period: Period, now: Instant) -> Material:
    """Everything that a report on a period tells. Raises StoreError."""
    project, zone = assembly.project, assembly.setting.zone
    look = partial(read_only, project.database, much=True)
    day_of = lru_cache(maxsize=200_000)(lambda quarter: local(Instant(quarter * QUARTER), zone).date())
    earlier = period.before(zone)
    with Telling("at what happened", of="rows") as tell:
        counts, before = count_periods(look, (period, earlier), day_of, tell)
    since = Instant(max(0, min(earlier.since, period.since - project.touchpoints.windows.usual)))
    orders = read_orders_of(assembly, period, since)
    goals = read_goals_of(assembly, period, since, orders)
    for to, stretch in ((counts, period), (before, earlier)):
        count_brought(to, orders, goals.values(), stretch, day_of)
    counts.notes = tuple(notes(orders))
    with look() as tx:
        known = before if knows_since(tx, earlier.since, before) else None
    days = period.days(zone)
    tables: list[Table] = [
        headline_table(counts, known),
        days_table(counts, days),
        channels_table(counts),
        reasons_table(counts),
        rules_table(counts),
        money_table(counts),
        money_days_table(counts, days),
    ]
    funnels = read_funnels(assembly, None, period, now)
    tables += funnel_tables(funnels, local(now, zone).date())
    with look() as tx:
        held_out = sorted(
            {rule for rule, split in list_experiments(tx) if not split} & {one.funnel.rule for one in funnels}
        )
    attribution, attributed = attribution_tables(assembly, period, orders, {rule: goals[rule] for rule in held_out})
    tables += attribution
    tables += evidence_tables(assembly, period, now, attributed)
    with look() as tx:
        running = load(tx, assembly.setting)
        if running is not None:
            tables.append(budgets_table(tx, running, zone, now))
    return Material(
        project=project.brand.name if project.brand is not None and project.brand.name else project.root.name,
        period=period,
        zone=zone,
        shown=Shown(english(project.locale), zone, minus="−"),
        made=now,
        now=counts,
        before=known,
        tables=_by_name(tables),
        titles=titles_of(funnels),
    )


def english(locale: str) -> str:
    """The locale of a page whose words are English: a number such as 1.234 must not be read as one and a bit there, nor
    stand beside one of a sentence that has 1,234. Days come before months unless the project's English has it
    otherwise."""
    return locale if locale.replace("_", "-").split("-")[0].lower() == "en" else "en-001"


def _by_name(tables: Iterable[Table]) -> dict[str, Table]:
    return {table.name: table for table in tables}
