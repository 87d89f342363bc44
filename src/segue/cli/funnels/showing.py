"""What ``segue funnel`` shows: of all rules a line each, of one rule everything."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rich.text import Text

from segue.cli.funnels.drawing import console, draw, for_people
from segue.cli.funnels.reading import Read, now_of, read_funnels
from segue.cli.tabling import Shown, print_table, put, read_period
from segue.diagnostics.render.printable import printable
from segue.measure.funnels import results, tables
from segue.measure.funnels.cohorts import as_matrix, cohorts_table, entries_table
from segue.measure.table import Table
from segue.program.calendar import local
from segue.runtime.assembly import Assembly


def show(
    assembly: Assembly,
    rule: str | None,
    span: tuple[str | None, str | None, str | None],
    *,
    machines: bool,
    json: bool,
    csv: Path | None,
    parquet: Path | None,
) -> list[str]:
    """Show the funnels. Gives what is wrong with their counts, in sentences, which are said already."""
    now = now_of(assembly)
    zone = assembly.setting.zone
    period = read_period(*span, zone=zone, now=now)
    always = not any(span)
    read = read_funnels(assembly, rule, period, now)
    wrong = [fault for one in read for fault in tables.faults(one.funnel, one.books if always else None)]
    shown = Shown(assembly.setting.locale, zone)
    journeys = tables.journeys_table([(one.funnel, one.books if always else None) for one in read], machines=machines)
    to_files = json or csv is not None or parquet is not None
    if rule is None:
        put(
            [journeys if to_files else for_people(journeys, _A_LINE, most=1000)],
            json=json,
            csv=csv,
            parquet=parquet,
            shown=shown,
        )
    else:
        more = _all_tables(read[0], machines=machines) if read else []
        cohorts = cohorts_table(read[0].funnel, local(now, zone).date())
        if to_files:
            put([journeys, *more, cohorts], json=json, csv=csv, parquet=parquet, shown=shown)
        else:
            _show_one(read[0], [journeys, *more], cohorts, shown)
    for fault in wrong:
        print(f"segue: {printable(fault)}", file=sys.stderr)
    return wrong


def _all_tables(read: Read, *, machines: bool) -> list[Table]:
    funnel = read.funnel
    return [
        tables.steps_table(funnel, machines=machines),
        tables.outcomes_table(funnel),
        tables.exits_table(funnel),
        tables.dropped_table(funnel),
        results.times_table(funnel),
        results.window_table(funnel),
        results.touches_table(funnel),
        results.channels_table(funnel),
        results.content_table(funnel, read.templates, machines=machines),
        entries_table(funnel),
    ]


_A_LINE: Final = (
    *("rule", "version", "group", "entered", "inside", "finished", "exited", "failed"),
    *("moved_here", "sent_to", "converted", "conversion"),
)
"""What is told of a version in one line."""
_FOR_PEOPLE: Final[Mapping[str, tuple[str, ...]]] = {
    "exits": (),
    "dropped": (),
    "times": ("version", "what", "journeys", "p10", "p50", "p90"),
    "window": (),
    "touches": (),
    "channels": ("channel", "sent", "answered", "answer_rate", "answer_low", "answer_high"),
    "content": (
        *("message", "channel", "locale", "sent", "open_rate", "click_rate"),
        *("opened_by_machines", "clicked_by_machines", "conversion_rate", "conversion_low", "conversion_high"),
    ),
}
"""The tables that the terminal shows, with those of their columns that fit there; empty: all."""


def _show_one(read: Read, found: list[Table], cohorts: Table, shown: Shown) -> None:
    out = console()
    funnel = read.funnel
    lines = tables.lines_of(funnel)
    drawn = next((funnel.versions[line.version] for line in lines), results.newest(funnel))
    by_name = {table.name: table for table in found}
    title = drawn.program.rule.title if drawn is not None else None
    out.print(Text.assemble((printable(title or funnel.rule), "bold"), f"  {printable(funnel.rule)}" if title else ""))
    if not lines:
        out.print(Text("  Nobody entered in this period."))
    if drawn is not None:
        draw(out, funnel, drawn, shown)
    for name, columns in _FOR_PEOPLE.items():
        if by_name[name].rows:
            print_table(for_people(by_name[name], columns), shown)
    if cohorts.rows:
        print_table(as_matrix(cohorts), shown)
    if len({line.version for line in lines}) > 1:
        print_table(for_people(by_name["journeys"], _A_LINE[1:]), shown)
    else:
        for note in by_name["journeys"].notes:
            if note != tables.LAW:
                out.print(Text(printable(note), "dim"))
