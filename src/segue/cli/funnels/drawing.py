"""A funnel in the terminal: each step with a bar, where journeys are, and where they were lost."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

import msgspec
from rich.console import Console
from rich.text import Text

from segue.api import to_rfc3339
from segue.cli.tabling.shown import Shown
from segue.cli.tabling.terminal import WIDTH
from segue.diagnostics.render.printable import printable, width
from segue.measure.funnels.cohorts import entries_by_day, expected_each_day, usual_entries
from segue.measure.funnels.counting import Funnel
from segue.measure.funnels.courses import Version
from segue.measure.funnels.stages import stages_of
from segue.measure.funnels.tables import (
    FINISHED,
    STATES,
    Line,
    Standing,
    letters_at,
    lines_of,
    standings,
)
from segue.measure.table import Table
from segue.program.picture.terminal import SIGNS

_WIDEST: Final = 100
_BAR: Final = 14
_DAYS: Final = 21
_HEIGHTS: Final = "·▁▂▃▄▅▆▇█"
_HELD_OUT: Final = "Held out: the same steps, and nothing is sent"
_DEEPEST: Final = 5
"""Blocks in blocks that are set in; what is deeper stands below."""
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_NUMBERS: Final = 11 + 6 + 9 + 9
"""Columns of the figures behind a bar: reached, its share, here now, ended here."""


def console() -> Console:
    """Where it is printed: as wide as the terminal, but not wider than can be read well."""
    columns = min(shutil.get_terminal_size((WIDTH, 24)).columns, _WIDEST) if sys.stdout.isatty() else WIDTH
    return Console(width=max(columns, 60), highlight=False, emoji=False, markup=False, soft_wrap=False)


def draw(out: Console, funnel: Funnel, version: Version, shown: Shown, *, machines: bool = False) -> None:
    """The steps of a version, for those that it sends to, and below them for those held out."""
    for line in lines_of(funnel):
        if line.version == version.row:
            _draw_group(out, funnel, version, line, shown, machines=machines)


def say_law(line: Line, shown: Shown) -> tuple[str, str]:
    """Entered = inside + finished + exited + failed: the words, and below them the numbers."""
    numbers = [shown.number(one) for one in (line.entered, *line.states)]
    names = ("entered", *STATES)
    widths = [max(len(name), len(number)) for name, number in zip(names, numbers, strict=True)]
    signs = ("", "=" if line.balanced else "≠", "+", "+", "+")

    def told(texts: Sequence[str], signs: Sequence[str]) -> str:
        return " ".join(
            f"{sign} {text:>{wide}}" if sign else f"{text:>{wide}}"
            for sign, text, wide in zip(signs, texts, widths, strict=True)
        )

    return told(names, ("", "=", "+", "+", "+")), told(numbers, signs)


def _draw_group(out: Console, funnel: Funnel, version: Version, line: Line, shown: Shown, *, machines: bool) -> None:
    number = shown.number
    found = standings(funnel, version.row, held_out=line.held_out)
    letters = letters_at(funnel, version.row, held_out=line.held_out)
    label = out.width - _BAR - _NUMBERS - 1
    removed = not any(one.current for one in funnel.versions.values())
    head = _HELD_OUT if line.held_out else _headline(version, shown, removed=removed)
    out.print(Text(head, "bold"))
    words, numbers = say_law(line, shown)
    out.print(Text(f"    {words}", "dim"))
    out.print(Text(f"    {numbers}", "bold" if line.balanced else "bold red"))
    if moved := funnel.moved[version.row, line.held_out]:
        told = f"{number(moved)} of them began with an earlier version: steps that are gone do not show."
        out.print(Text(f"    {told}", "dim"))
    out.print()
    out.print(Text(f"{'':{label + _BAR + 1}}{'reached':>11}{'':>6}{'here':>9}{'left':>9}", "dim"))

    def row(name: Text, reached: int, here: int, left: int) -> None:
        row = Text()
        row.append_text(_fit(name, label))
        row.append(" ")
        row.append(_bar(reached, line.entered), "green")
        row.append(f"{number(reached):>11}")
        row.append(f"{_percent(reached, line.entered):>6}", "dim")
        row.append(f"{number(here) if here else '':>9}", "cyan")
        row.append(f"{number(left) if left else '':>9}", "yellow")
        out.print(row)

    row(Text("    ● Entered", "bold"), line.entered, 0, 0)
    for stage in stages_of(version.program):
        standing = found.get(stage.step, Standing())
        indent = "  " * min(stage.depth, _DEEPEST)
        if stage.way:
            out.print(_fit(Text(f"    {indent}{printable(stage.way)}:", "italic dim"), label))
        first, *more = Text(printable(stage.title)).wrap(out, label - len(indent) - 6)
        name = Text.assemble((f"{stage.line or '':>3} ", "dim"), f"{indent}{SIGNS[stage.kind]} ", first)
        row(name, standing.reached, standing.here, sum(standing.ended[FINISHED:]))
        for rest in more:
            out.print(Text.assemble(f"{indent}      ", rest))
        if stage.kind == "send" and stage.step in letters:
            under = f"{indent}      {printable(stage.detail)}: " if stage.detail else f"{indent}      "
            for told in _wrapped(under, _say_letters(letters[stage.step], number, machines=machines), out.width):
                out.print(Text(told, "dim"))
    at_end = found.get(len(version.program.steps), Standing())
    row(Text("    ■ The end"), sum(at_end.ended), 0, 0)
    if version.program.goal is not None:
        row(Text("    ★ Goal met", "bold"), _converted(funnel, line), 0, 0)
    out.print()


def _converted(funnel: Funnel, line: Line) -> int:
    return sum(
        count
        for reach, count in funnel.reaches.items()
        if reach.converted and (reach.version, reach.held_out) == (line.version, line.held_out)
    )


def _headline(version: Version, shown: Shown, *, removed: bool) -> str:
    since = f", published {shown.instant(to_rfc3339(version.published))}" if version.published is not None else ""
    now = "" if version.current else " (the rule was removed)" if removed else " (not the one that runs now)"
    return f"Version {version.number}{since}{now}"


def _say_letters(letters: Mapping[str, int], number: Callable[[int], str], *, machines: bool) -> Iterator[str]:
    for name in ("sent", "waiting", "skipped", "failed", "unknown", "delivered", "opened", "clicked", "replied"):
        count, by_machines = letters.get(name, 0), letters.get(f"{name} by machines", 0) if machines else 0
        if count or by_machines:
            of_sent = name in ("delivered", "opened", "clicked", "replied")
            rate = f" ({_percent(count, letters.get('sent', 0))})" if of_sent else ""
            beside = f" and {number(by_machines)} by machines" if by_machines else ""
            yield f"{number(count)} {name}{rate}{beside}"


def _wrapped(under: str, parts: Iterator[str], columns: int) -> Iterator[str]:
    line, rest = under, " " * width(under)
    for place, part in enumerate(parts):
        joined = f"{line}{part}" if line in (under, rest) else f"{line}, {part}"
        if place and width(joined) >= columns:
            yield f"{line},"
            line = f"{rest}{part}"
        else:
            line = joined
    yield line


def _fit(text: Text, columns: int) -> Text:
    text = text.copy()
    text.truncate(columns, overflow="ellipsis", pad=True)
    return text


def _percent(part: int, whole: int) -> str:
    if not whole:
        return "–"
    rate = 100 * part / whole
    return "<1%" if 0 < rate < 1 else ">99%" if 99.5 <= rate < 100 else f"{rate:.0f}%"


def _bar(part: int, whole: int) -> str:
    """As long as its part of the whole, to an eighth of a column. Whatever is more than nothing shows."""
    eighths = max(round(_BAR * 8 * part / whole), 1) if part and whole else 0
    full, rest = divmod(eighths, 8)
    return f"{'█' * full}{_EIGHTHS[rest] if rest else ''}".ljust(_BAR)


def say_pace(funnel: Funnel, through: date, shown: Shown) -> Text | None:
    """How many entered a day, of the last days as a line of bars, beside what the rule expects."""
    days = entries_by_day(funnel, through)[-_DAYS:]
    usual, expected = usual_entries(funnel, through), expected_each_day(funnel)
    if usual is None:
        return None
    most = max((count for _, count in days), default=0)
    bars = "".join(_HEIGHTS[-(-count * (len(_HEIGHTS) - 1) // most) if most else 0] for _, count in days)
    beside = f", {shown.number(expected)} expected" if expected is not None else ""
    number, words = usual
    told = f"{shown.number(round(number, 1))} {words}{beside}"
    first, last = (shown.day(day.isoformat()) for day in (days[0][0], days[-1][0]))
    when = f"from {first} to {last}"
    return Text.assemble(("Entered each day  ", "bold"), (bars, "green"), f"  {told}\n", (f"{'':18}{when}", "dim"))


def for_people(table: Table, names: Sequence[str] = (), most: int = 12) -> Table:
    """The columns of these names (else all but the rule, which was asked for) and the first so many rows: the others
    are in files. A column that says nothing is left out: one without values, or the version where there is one."""
    keep = [
        at
        for at, column in enumerate(table.columns)
        if (column.name in names if names else column.name != "rule") and _says_something(table, at)
    ]
    left = max(0, len(table.rows) - most)
    notes = (f"{left:,} more lines are in --json and --csv.", *table.notes) if left else table.notes
    shown = table.only(keep)
    return msgspec.structs.replace(shown, rows=shown.rows[:most], notes=notes)


def _says_something(table: Table, at: int) -> bool:
    values = {row[at] for row in table.rows}
    return len(values) > 1 if table.columns[at].name == "version" else values != {None}
