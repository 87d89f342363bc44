"""What ``segue experiment`` shows: a verdict for each experiment, then the groups that it rests on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from segue.api import Instant
from segue.cli.clocks import now_of
from segue.cli.ending import USAGE, fail
from segue.cli.experiments.reading import Asked, Factors, Found, read_experiments
from segue.cli.tabling import Shown, print_table, put, read_period, read_span
from segue.diagnostics.render.printable import printable
from segue.measure.experiments.exposed import HELD_OUT
from segue.measure.experiments.missing import NotInstalled
from segue.measure.experiments.result import Compared, Experiment
from segue.measure.experiments.tables import factors_table, groups_table, verdicts_table, worth_table
from segue.measure.experiments.verdict import verdict
from segue.measure.period import Period
from segue.measure.table import Table
from segue.runtime.assembly import Assembly

_EVER: Final = Period(Instant(0), Instant(2**62))
_FOR_PEOPLE: Final = ("arm", "customers", "converted", "rate", "difference", "low", "high", "probability")


def show(
    assembly: Assembly,
    rule: str | None,
    span: tuple[str | None, str | None, str | None],
    *,
    sequential: bool,
    cuped: str,
    fdr: bool,
    json: bool,
    csv: Path | None,
    parquet: Path | None,
) -> None:
    """Read the experiments and put them out. Ends the command where scipy or statsmodels are missing."""
    now = now_of(assembly)
    period = read_period(*span, zone=assembly.setting.zone, now=now) if any(span) else _EVER
    asked = Asked(
        rule,
        "any time" if sequential else "one look",
        read_span("--cuped", cuped) if cuped else 0,
        "benjamini-hochberg" if fdr else "holm",
    )
    try:
        found = read_experiments(assembly, asked, period, now)
    except NotInstalled as error:
        fail(str(error), USAGE)
    shown = Shown(assembly.setting.locale, assembly.setting.zone)
    if json or csv is not None or parquet is not None:
        put(tables_of(found), json=json, csv=csv, parquet=parquet, shown=shown)
    else:
        _show(found, shown)
    for note in found.notes:
        print(f"segue: {printable(note)}", file=sys.stderr)


def tables_of(found: Found) -> list[Table]:
    """Everything, as tables."""
    return [
        verdicts_table(found.experiments),
        groups_table(found.experiments),
        worth_table(found.experiments),
        *(_factors(one) for one in found.factors),
    ]


def _factors(one: Factors) -> Table:
    return factors_table(one.rule, one.effects, counted=one.counted, apart=one.apart, thin=one.thin)


def _show(found: Found, shown: Shown) -> None:
    console = Console(highlight=False)
    for one in found.experiments:
        console.print(Text(printable(f"{one.rule}, {one.split or HELD_OUT}"), style="bold"))
        console.print(Text(printable(verdict(one))))
        console.print()
        print_table(_narrow(groups_table([one]), _FOR_PEOPLE), shown)
        worth = worth_table([one])
        if worth.rows:
            print_table(_narrow(worth, ("arm", "currency", "mean", "difference", "low", "high")), shown)
        for line in _aside(one):
            console.print(Text(printable(line), style="dim"))
        console.print()
    for factors in found.factors:
        console.print(Text(printable(f"{factors.rule}, splits together"), style="bold"))
        print_table(_narrow(_factors(factors), ("factor", "level", "base", "difference", "low", "high")), shown)


def _aside(experiment: Experiment) -> list[str]:
    """How it was compared, and who does not count yet."""
    lines = []
    groups: tuple[Compared, ...] = (experiment.control, *experiment.arms)
    waiting = sum(one.group.open for one in groups)
    if waiting:
        lines.append(f"The goal's time is not over for {waiting:,} more, who count later.")
    mixed = sum(one.group.mixed for one in groups)
    if mixed:
        how = "they turned out to be one customer with somebody else"
        if not experiment.split:
            how += ", or came again after the holdout was changed"
        lines.append(f"{mixed:,} were in two groups: {how}. They count in the first.")
    gone = sum(one.group.gone for one in groups)
    if gone:
        lines.append(
            f"{gone:,} are left out: they had met the goal before, or its time was over; or their journeys are not "
            "kept any more, or the rule had no goal."
        )
    if experiment.weighted:
        lines.append(
            "The groups' shares were changed meanwhile, so customers are weighed by how probable their group was then: "
            "the difference is not simply that of the rates above."
        )
    match experiment.way:
        case "any time":
            lines.append("The intervals hold however often one looks.")
        case "reduced":
            spared = [one.spared for one in experiment.arms if one.spared is not None]
            if spared:
                lines.append(f"What was done before explains {max(spared):.0%} of the differences between customers.")
            else:
                lines.append("Nobody did anything before that could be taken out: --cuped changes nothing.")
        case "one look":
            lines.append("The intervals are for one look; --sequential gives some that hold at every look.")
    if not experiment.split and experiment.claims:
        lines.append("Whether it pays, beside what models attribute: segue report.")
    levels = {one.difference.level for one in experiment.arms if one.difference is not None}
    if len(experiment.arms) > 1 and levels:
        lines.append(
            f"{len(experiment.arms)} groups are compared at once, so each interval is wider: it holds in "
            f"{min(levels):.1%} of experiments."
        )
    return lines


def _narrow(table: Table, names: tuple[str, ...]) -> Table:
    """The columns of these names, and those that have no cell left out."""
    places = [
        place
        for place, column in enumerate(table.columns)
        if column.name in names and any(row[place] is not None for row in table.rows)
    ]
    return table.only(places)
