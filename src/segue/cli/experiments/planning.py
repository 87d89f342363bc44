"""``segue experiment RULE --plan``: what an experiment will be able to see, and when."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.text import Text

from segue.api import Instant
from segue.api.values import DAY
from segue.cli.clocks import now_of
from segue.cli.ending import USAGE, fail
from segue.cli.tabling import Shown, print_table, put
from segue.measure.experiments.comparing import LEVEL
from segue.measure.experiments.missing import NotInstalled
from segue.measure.experiments.planning import POWER, detectable_effect, plan_for_effect
from segue.measure.table import Cell, Column, Table
from segue.program import program as p
from segue.program.calendar import add_elapsed
from segue.program.program import Program
from segue.runtime.assembly import Assembly
from segue.runtime.publishing import load
from segue.store.database import read_only
from segue.store.errors import StoreError
from segue.store.exposures import count_entries

PAST: Final = 90
"""Days whose entries tell what to expect."""
_DAYS: Final = (7, 14, 30, 60, 90)


class Wishes(msgspec.Struct, frozen=True):
    """What was given in place of the rule's own past."""

    effect: float | None = None
    rate: float | None = None
    per_day: float | None = None
    share: float | None = None


class _Known(msgspec.Struct, frozen=True):
    rate: float | None
    per_day: float | None
    groups: _Groups | None
    window: float


class _Groups(msgspec.Struct, frozen=True):
    """The control group's share, that of the smallest group which is compared with it, and how many of these are."""

    share: float
    against: float
    several: int = 1


def show_plan(
    assembly: Assembly, rule: str, wishes: Wishes, *, json: bool, csv: Path | None, parquet: Path | None
) -> None:
    """Say what the rule's experiment sees after so many days, or how long the effect asked for takes. Ends the command
    where something has to be given that the store does not know."""
    known = _know(assembly, rule)
    rate = wishes.rate if wishes.rate is not None else known.rate
    per_day = wishes.per_day if wishes.per_day is not None else known.per_day
    groups = _Groups(wishes.share, 1 - wishes.share) if wishes.share is not None else known.groups
    if rate is None or per_day is None:
        fail(f"{rule} has no past to go by yet: give --rate and --per-day", USAGE)
    if groups is None:
        fail(f"{rule} has no holdout and no split: give --share, as in --share 0.1", USAGE)
    if not 0 < per_day < math.inf:
        fail("--per-day must be above 0, and a number", USAGE)
    share, against, level = groups.share, groups.against, 1 - (1 - LEVEL) / groups.several
    try:
        if wishes.effect is not None:
            found = plan_for_effect(rate, wishes.effect, share, per_day, known.window, level=level, against=against)
            rows: list[tuple[Cell, ...]] = [(found.days, found.customers, wishes.effect, wishes.effect / rate)]
        else:
            rows = []
            for days in _DAYS:
                customers = round(max(0.0, days - known.window) * per_day)
                effect = detectable_effect(rate, customers, share, level=level, against=against)
                rows.append((days, customers, effect, effect / rate if effect is not None else None))
    except ValueError as error:
        fail(str(error), USAGE)
    except NotInstalled as error:
        fail(str(error), USAGE)
    table = Table(
        "plan",
        f"What an experiment on {rule} sees",
        (
            Column("days", "after days", "number"),
            Column("customers", "customers counted", "count"),
            Column("effect", "smallest difference found", "share"),
            Column("relative", "of the rate", "share"),
        ),
        tuple(rows),
        (
            f"From a rate of {rate:.1%}, {per_day:,.1f} customers a day and a control group of {share:.0%}; found in "
            f"{POWER:.0%} of such experiments, by an interval of {round(level * 100, 1):g}%. The goal counts for "
            f"{known.window:g} days.",
        ),
    )
    shown = Shown(assembly.setting.locale, assembly.setting.zone)
    if json or csv is not None or parquet is not None:
        put([table], json=json, csv=csv, parquet=parquet, shown=shown)
        return
    print_table(table, shown)
    if wishes.effect is not None and rows[0][0] is not None:
        told = f"A difference of {wishes.effect:.1%} takes {rows[0][1]:,} customers: about {rows[0][0]:,.0f} days."
        Console(highlight=False).print(Text(told))


def _know(assembly: Assembly, rule: str) -> _Known:
    now = now_of(assembly)
    since = Instant(now - PAST * DAY)
    try:
        with read_only(assembly.project.database) as tx:
            running = load(tx, assembly.setting)
            program = running.current.get(rule) if running is not None else None
            if program is None:
                fail(f"no rule {rule} is published in this store", USAGE)
            over, met, first = count_entries(tx, rule, since, now)
    except StoreError as error:
        fail(str(error))
    window = 0.0
    if program.goal is not None:
        window = (add_elapsed(now, program.goal.within, assembly.setting.zone) - now) / DAY
    span = (now - first) / DAY - window if first is not None else 0.0
    return _Known(
        met / over if over and 0 < met < over else None,
        over / span if over and span > 0 else None,
        _groups(program),
        window,
    )


def _groups(program: Program) -> _Groups | None:
    if program.rule.holdout is not None:
        share = float(program.rule.holdout) / 100
        return _Groups(share, 1 - share)
    for step in program.steps:
        if isinstance(step, p.Split):
            first, *others = [float(percent) / 100 for _, percent, _ in step.arms if percent]
            if others:
                return _Groups(first, min(others), len(others))
    return None
