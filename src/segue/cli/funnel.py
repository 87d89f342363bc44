"""``segue funnel``: how far customers come in a rule, where they are lost, and what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segue.cli.ending import USAGE, WRONG, fail, open_project
from segue.cli.tabling import Csv, Json, Last, Parquet, Since, Until


def funnel(
    rule: Annotated[
        str | None, typer.Argument(help="The rule's name; without one, a line for each rule.", show_default=False)
    ] = None,
    since: Since = None,
    until: Until = None,
    last: Last = None,
    version: Annotated[
        int | None,
        typer.Option("--version", help="Draw this text of the rule, not the latest one entered.", show_default=False),
    ] = None,
    machines: Annotated[
        bool,
        typer.Option("--with-machines", help="Show opens and clicks by programs, too, beside those by people."),
    ] = False,
    segments: Annotated[
        bool,
        typer.Option("--segments", help="Show which channels the customers of each segment answer, and nothing else."),
    ] = False,
    questions: Annotated[
        bool,
        typer.Option(
            "--questions", help="Answer the seventeen questions: what the rule says, beside what was counted."
        ),
    ] = False,
    json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
) -> None:
    """Count how far customers come in a rule: who reached each step, is there now or left there, what was sent and
    answered, why the others got nothing, and when the goal was met; by version, and those held out apart.

    Counted are journeys that began in the period. Entered = inside + finished + exited + failed holds for each version
    and for what the rule counted as it happened; where it does not, that is said, and the command exits with 1.
    """
    from segue.cli.funnels.showing import Target, Wanted, show

    one = "--questions" if questions else "--segments" if segments else "--version"
    if rule is None and (questions or segments or version is not None):
        fail(f"{one} is about one rule: name it", USAGE)
    if questions and segments:
        fail("give --questions or --segments, not both", USAGE)
    wanted = Wanted(rule, (since, until, last), machines, questions, segments, version)
    if show(open_project(Path.cwd()), wanted, Target(json, csv, parquet)):
        raise typer.Exit(WRONG)
