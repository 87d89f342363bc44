"""A failing test on the terminal: what was expected and what happened, side by side, by relative time and the
customer's clock. The first difference carries an arrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from segue.api import Instant
from segue.api.values import SECOND
from segue.diagnostics.render.printable import printable
from segue.language import model as m
from segue.runtime.running import DecisionLine
from segue.scenario.moments import last_of, resolve, word_after, word_local
from segue.scenario.trials import Outcome
from segue.scenario.verdicts import is_about, meeting, word_decision, word_expectation

FIRST = "▶"
WRONG = "✗"
RIGHT = "✓"
_GIVEN = "»"
_ROOMY = 60
"""Columns from which on there is room for all."""

_GOOD, _BAD, _FAINT = "green", "bold red", "dim"


class Row(msgspec.Struct, frozen=True):
    """One row of the timelines; ``at`` None is for what is expected of the whole test. ``wrong``: here they differ."""

    at: Instant | None
    expected: Text
    happened: Text
    wrong: bool


def rows(outcome: Outcome) -> Iterator[Row]:
    """Expected and actual, in the order of time: what was expected stands beside the decision that meets it, or alone.
    In one moment what was expected in vain comes first, then what the test has happen, then decisions, then reactions.
    """
    unmet = {one.number for one in outcome.unmet}
    timed: list[tuple[Instant, bool, m.ExpectOne]] = []
    overall: list[Row] = []
    for number, expected in enumerate(outcome.test.expects):
        if isinstance(expected, m.ExpectOne) and expected.at is not None:
            timed.append((resolve(expected.at, outcome.start, outcome.zone), number in unmet, expected))
        else:
            overall.append(Row(None, _expected(outcome, expected, number in unmet), Text(), number in unmet))
    happened: list[tuple[Instant, int, DecisionLine | str]] = [
        (one.at, 2 if one.reaction else 0, one.text) for one in outcome.inputs
    ]
    happened += [(line.at, 1, line) for line in outcome.decisions]
    happened.sort(key=lambda one: one[:2])
    moments = {_second(one[0]) for one in happened} | {_second(at) for at, wrong, _ in timed if wrong}
    for second in sorted(moments):
        for at, wrong, expected in timed:
            if wrong and _second(at) == second:
                yield Row(second, _expected(outcome, expected, wrong), Text(), wrong)
        for at, _, what in happened:
            if _second(at) == second:
                yield _beside(outcome, second, what, [one for _, wrong, one in timed if not wrong])
    yield from overall


def _second(at: Instant) -> Instant:
    return Instant(at // SECOND * SECOND)


def _beside(outcome: Outcome, at: Instant, what: DecisionLine | str, met: Sequence[m.ExpectOne]) -> Row:
    if isinstance(what, str):
        return Row(at, Text(), Text(f"{_GIVEN} {printable(what)}", style="cyan"), False)
    wrong = any(
        is_about(what, one.what)
        for one in (outcome.test.expects[unmet.number] for unmet in outcome.unmet)
        if isinstance(one, m.ExpectNone)
    )
    said = printable(word_decision(what))
    text = Text(f"{WRONG} {said}", style=_BAD) if wrong else Text(f"  {said}")
    beside = [one for one in met if meeting(one, [what], outcome.start, outcome.zone)]
    expected = Text("\n").join(_expected(outcome, one, wrong=False) for one in beside)
    return Row(at, expected, text, wrong)


def _expected(outcome: Outcome, expected: m.ExpectNone | m.ExpectOne | m.ExpectCount, wrong: bool) -> Text:
    text = printable(word_expectation(expected)).removeprefix("expect ")
    if isinstance(expected, m.ExpectOne) and expected.at is not None:
        whole_day = last_of(expected.at, outcome.start, outcome.zone) != resolve(
            expected.at, outcome.start, outcome.zone
        )
        text = text if whole_day else text.rpartition(" at ")[0]  # the row says it
    return Text.assemble((WRONG if wrong else RIGHT, _BAD if wrong else _GOOD), (f" {text}", _BAD if wrong else ""))


class Timeline:
    """The timelines of a test, as wide as there is room: a narrow terminal does without the customer's clock."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield timeline(self._outcome, with_clock=options.max_width >= _ROOMY)


def timeline(outcome: Outcome, *, with_clock: bool = True) -> Table:
    """Expected and actual, side by side."""
    table = Table(box=None, pad_edge=False, padding=(0, 2 if with_clock else 1, 0, 0), header_style=_FAINT)
    for title in (" ", "after", "clock") if with_clock else (" ", "after"):
        table.add_column(title, no_wrap=True)
    for title in ("  expected", "  happened"):
        table.add_column(title, overflow="fold")
    pointed = False
    before: Instant | None = Instant(-1)
    for row in rows(outcome):
        when = clock = ""
        if row.at != before:
            when = word_after(row.at, outcome.start, outcome.zone) if row.at is not None else "overall"
            clock = word_local(row.at, outcome.start, outcome.zone) if row.at is not None else ""
        before = row.at
        arrow = FIRST if row.wrong and not pointed else ""
        pointed = pointed or row.wrong
        time = (Text(when), Text(clock, style=_FAINT)) if with_clock else (Text(when),)
        table.add_row(Text(arrow, style=_BAD), *time, row.expected, row.happened)
    return table


def failure(outcome: Outcome) -> RenderableType:
    """A failing test, whole: its title and place, the timelines, and for each line that did not hold why."""
    test = outcome.test
    parts: list[RenderableType] = [
        Text.assemble((f"{WRONG} {printable(test.title)}", _BAD)),
        Padding(
            Text(f"{test.rule}, {printable(test.file)}:{test.line}, on the clock of {outcome.zone}", style=_FAINT),
            (0, 0, 0, 2),
        ),
    ]
    if outcome.problem is not None:
        parts.append(Padding(Text(printable(outcome.problem)), (0, 0, 0, 2)))
    if outcome.decisions or outcome.inputs:
        parts.append(Padding(Timeline(outcome), (1, 0, 1, 2)))
    for one in outcome.unmet:
        # the place stands alone and unbroken, so that a terminal makes a link of it
        parts.append(Text(f"  {printable(test.file)}:{one.line}", style=_FAINT, no_wrap=True, overflow="ignore"))
        parts.append(Padding(Text(f"{printable(one.text)}\n{printable(one.reason)}"), (0, 0, 0, 4)))
    return Group(*parts, Text())


def marks(outcomes: Sequence[Outcome]) -> Text:
    """A mark for each test."""
    text = Text()
    for one in outcomes:
        text.append(RIGHT if one.passed else WRONG, style=_GOOD if one.passed else _BAD)
    return text


def as_text(outcome: Outcome, width: int = 120) -> str:
    """A failing test without colour, for files."""
    console = Console(width=width, color_system=None, force_terminal=False, highlight=False)
    with console.capture() as captured:
        console.print(failure(outcome), crop=False)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())
