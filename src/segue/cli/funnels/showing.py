"""What ``segue funnel`` shows: of all rules a line each, of one rule everything."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

import msgspec
from rich.text import Text

from segue.api import Instant, to_rfc3339
from segue.cli.clocks import now_of
from segue.cli.ending import USAGE, fail
from segue.cli.funnels.drawing import console, draw, for_people, say_pace
from segue.cli.funnels.questions import answer_questions, print_questions
from segue.cli.funnels.reading import Read, read_funnels
from segue.cli.funnels.segments import read_preferences
from segue.cli.tabling import Shown, print_table, put, read_period
from segue.diagnostics.render.printable import printable
from segue.measure.funnels import losses, results, tables, ways
from segue.measure.funnels.cohorts import as_matrix, cohorts_table, entries_table
from segue.measure.funnels.counting import Funnel
from segue.measure.funnels.courses import Version
from segue.measure.period import Period
from segue.measure.table import Column, Table
from segue.program.calendar import local
from segue.runtime.assembly import Assembly

EVER: Final = Period(Instant(0), Instant(2**62))


class Look(msgspec.Struct, frozen=True):
    """Of which period, and when it is looked at; ``through`` is the last day of it, today at the latest."""

    period: Period
    now: Instant
    through: date


class Wanted(msgspec.Struct, frozen=True):
    """What was asked for: a rule (None: all), ``--since``, ``--until`` and ``--last``, and which version is drawn."""

    rule: str | None
    span: tuple[str | None, str | None, str | None]
    machines: bool = False
    questions: bool = False
    segments: bool = False
    version: int | None = None


class Target(msgspec.Struct, frozen=True):
    """Where tables go: to people, where nothing else is said."""

    json: bool = False
    csv: Path | None = None
    parquet: Path | None = None

    @property
    def people(self) -> bool:
        return not self.json and self.csv is None and self.parquet is None

    def put(self, found: list[Table], shown: Shown) -> None:
        put(found, json=self.json, csv=self.csv, parquet=self.parquet, shown=shown)


def show(assembly: Assembly, wanted: Wanted, target: Target) -> list[str]:
    """Show the funnels. Gives what is wrong with their counts, in sentences, which are said already."""
    now = now_of(assembly)
    zone = assembly.setting.zone
    always = not any(wanted.span)
    # Of all time means whatever is there, also what begins while this is read, or by a clock that went ahead.
    period = EVER if always else read_period(*wanted.span, zone=zone, now=now)
    read = read_funnels(assembly, wanted.rule, period, now, by_customer=wanted.segments)
    wrong = [fault for one in read for fault in tables.faults(one.funnel, one.books if always else None)]
    look = Look(period, now, local(Instant(min(now, period.until - 1)), zone).date())
    shown = Shown(assembly.setting.locale, zone)
    journeys = tables.journeys_table(
        [(one.funnel, one.books if always else None) for one in read], machines=wanted.machines
    )
    if wanted.rule is None:
        target.put([_in_one_line(journeys) if target.people else journeys], shown)
    elif wanted.questions:
        questions = answer_questions(assembly, read[0], period, look.through, shown)
        if target.people:
            print_questions(console(), questions)
        else:
            target.put([questions], shown)
    elif wanted.segments:
        segments = read_preferences(assembly, read[0], now)
        target.put([_of_anybody(segments) if target.people else segments], shown)
    elif target.people:
        _show_one(read[0], journeys, look, wanted, shown)
    else:
        target.put([journeys, *_tables(read[0], look, shown, machines=wanted.machines)], shown)
    for fault in wrong:
        print(f"segue: {printable(fault)}", file=sys.stderr)
    return wrong


def _of_anybody(segments: Table) -> Table:
    """The lines of segments in which there is anybody."""
    entered = segments.column("customers")
    rows = tuple(row for row, count in zip(segments.rows, entered, strict=True) if count)
    return for_people(Table(segments.name, segments.title, segments.columns, rows, segments.notes), most=len(rows))


def _tables(read: Read, look: Look, shown: Shown, *, machines: bool) -> list[Table]:
    funnel = read.funnel
    return [
        tables.steps_table(funnel, machines=machines),
        ways.outcomes_table(funnel),
        ways.arms_table(funnel),
        losses.exits_table(funnel),
        losses.dropped_table(funnel),
        losses.dropped_by_step_table(funnel),
        results.times_table(funnel),
        results.window_table(funnel),
        results.touches_table(funnel),
        results.channels_table(funnel),
        results.content_table(funnel, read.templates, machines=machines),
        entries_table(funnel, look.through),
        cohorts_table(funnel, local(look.now, shown.zone).date()),
    ]


_A_LINE: Final = ("rule", "version", "entered", "inside", "finished", "exited", "failed", "conversion")
"""What is told of a version of one rule among all."""
_OF_ONE: Final = ("version", "entered", "inside", "finished", "exited", "failed", "moved_here", "sent_to", "conversion")
"""What is told of a version among those of one rule."""
_FOR_PEOPLE: Final[Mapping[str, tuple[str, ...]]] = {
    "arms": ("version", "group", "arm", "entered", *tables.STATES, "conversion"),
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


def _in_one_line(journeys: Table, names: tuple[str, ...] = _A_LINE) -> Table:
    """The table of versions with a line for each that fits a terminal."""
    version, group, moved = (
        next(at for at, column in enumerate(journeys.columns) if column.name == name)
        for name in ("version", "group", "moved_here")
    )
    rows = []
    for row in journeys.rows:
        cells = list(row)
        if row[group] == tables.GROUPS[True]:
            cells[version] = f"{row[version]}, {row[group]}"
        cells[moved] = row[moved] or None
        rows.append(tuple(cells))
    columns = [
        Column("conversion", "Goal met", "share") if column.name == "conversion" else column
        for column in journeys.columns
    ]
    told = Table(journeys.name, journeys.title, tuple(columns), tuple(rows), journeys.notes)
    return for_people(told, names, most=len(rows))


def _find_version(funnel: Funnel, number: int) -> Version:
    """The version of a number; ends the command where there is none."""
    for version in funnel.versions.values():
        if version.number == number:
            return version
    fail(f"{funnel.rule} has no version {number}: there are 1 to {len(funnel.versions)}", USAGE)


def _show_one(read: Read, journeys: Table, look: Look, wanted: Wanted, shown: Shown) -> None:
    out = console()
    funnel = read.funnel
    lines = tables.lines_of(funnel)
    drawn = _find_version(funnel, wanted.version) if wanted.version is not None else None
    drawn = drawn or next((funnel.versions[line.version] for line in lines), results.newest(funnel))
    by_name = {table.name: table for table in _tables(read, look, shown, machines=wanted.machines)}
    title = drawn.program.rule.title if drawn is not None else None
    out.print(Text.assemble((printable(title or funnel.rule), "bold"), f"  {printable(funnel.rule)}" if title else ""))
    if look.period != EVER:
        since, until = (shown.instant(to_rfc3339(moment)) for moment in (look.period.since, look.period.until))
        out.print(Text(f"Entered from {since} until {until}", "dim"))
    if not lines:
        out.print(Text("  Nobody entered" if look.period == EVER else "  Nobody entered in this period"))
    if drawn is not None:
        draw(out, funnel, drawn, shown, machines=wanted.machines)
    if (pace := say_pace(funnel, look.through, shown)) is not None:
        out.print(pace)
        out.print()
    by_name["dropped"] = losses.told_dropped(by_name["dropped"])
    for name, columns in _FOR_PEOPLE.items():
        if by_name[name].rows:
            print_table(for_people(by_name[name], columns), shown)
    if by_name["cohorts"].rows:
        print_table(as_matrix(by_name["cohorts"]), shown)
    if len({line.version for line in lines}) > 1:
        print_table(_in_one_line(journeys, _OF_ONE), shown)
    elif lines:
        for note in journeys.notes:
            if note != tables.LAW:
                out.print(Text(printable(note), "dim"))
