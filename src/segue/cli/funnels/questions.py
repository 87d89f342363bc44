"""The seventeen questions of a rule: what its text says, beside what was counted."""

from __future__ import annotations

from datetime import date
from functools import partial

from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from segue.cli.ending import USAGE, fail
from segue.cli.funnels.reading import Read
from segue.cli.tabling import Shown
from segue.cli.told import content_of, origins_of
from segue.diagnostics.render.printable import printable
from segue.language.bounds import bounds_of
from segue.measure.funnels.answers import questions_table
from segue.measure.funnels.results import newest
from segue.measure.period import Period
from segue.measure.table import Table
from segue.program.questions import answer
from segue.runtime.assembly import Assembly, check
from segue.store.database import read_only
from segue.store.funnels import count_sources


def answer_questions(assembly: Assembly, read: Read, period: Period, through: date, shown: Shown) -> Table:
    """The questions, answered by the text that runs (else the last that did) and by the funnel; ``through`` is the last
    day that is asked about."""
    version = newest(read.funnel)
    if version is None:
        fail(f"no text of {read.funnel.rule} is kept", USAGE)
    rule = version.program.rule
    found = check(assembly, content=False)
    told = answer(
        rule,
        content_of(rule, found.content),
        bounds_of(rule, found.checked.book).messages,
        origins_of(assembly),
    )
    with read_only(assembly.project.database) as tx:
        sources = count_sources(tx, read.funnel.versions, period)
    return questions_table(
        read.funnel,
        told,
        read.templates,
        sources,
        partial(Shown.duration, shown),
        through=through,
        ignored=read.books.ignored if period.since <= 0 else 0,
    )


def print_questions(out: Console, questions: Table) -> None:
    """Each question with both answers below it."""
    out.print(Text(f"{questions.title} of {printable(str(questions.rows[0][0]))}", "bold"))
    for record in questions.records():
        out.print()
        out.print(Text.assemble((f"{record['number']:>2} ", "dim"), (str(record["question"]), "bold")))
        grid = Grid(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        says = (
            Text(printable(str(record["says"])))
            if record["says"] is not None
            else Text.assemble(("left open: ", "yellow"), printable(str(record["clause"])))
        )
        grid.add_row(Text("the rule says", "dim"), says)
        counted = record["counted"]
        grid.add_row(Text("counted", "dim"), Text(printable(str(counted)) if counted is not None else "–", "cyan"))
        out.print(Padding(grid, (0, 0, 0, 3)))
