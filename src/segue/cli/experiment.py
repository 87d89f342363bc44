"""``segue experiment``: what holdouts and splits show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segue.cli.ending import USAGE, fail, open_project
from segue.cli.tabling import Csv, Json, Last, Parquet, Since, Until


def experiment(
    rule: Annotated[
        str | None, typer.Argument(help="The rule's name; without one, every experiment.", show_default=False)
    ] = None,
    since: Since = None,
    until: Until = None,
    last: Last = None,
    sequential: Annotated[
        bool,
        typer.Option("--sequential", help="Use intervals that hold however often one looks, and may stop at any time."),
    ] = False,
    cuped: Annotated[
        str,
        typer.Option(
            "--cuped",
            metavar="SPAN",
            help="Take out what customers did in such a span before, as in 30d: the same answer from fewer of them.",
            show_default=False,
        ),
    ] = "",
    fdr: Annotated[
        bool,
        typer.Option("--fdr", help="Beside several arms, hold down the share of false claims (not the chance of one)."),
    ] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say before the start what can be seen, and in how many days.")
    ] = False,
    effect: Annotated[
        float | None,
        typer.Option("--effect", help="With --plan: the difference of rates to find, as in 0.02.", show_default=False),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option("--rate", help="With --plan: the rate without it; the rule's own where it has a past."),
    ] = None,
    per_day: Annotated[
        float | None,
        typer.Option("--per-day", help="With --plan: how many enter a day; the rule's own where it has a past."),
    ] = None,
    share: Annotated[
        float | None,
        typer.Option("--share", help="With --plan: the control group's share; the rule's `holdout` where it has one."),
    ] = None,
    json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
) -> None:
    """Compare who got a rule's messages with who was held out, and the arms of its splits with each other.

    A customer counts in the group that they came into first, once the goal's time is over. Where the groups are not the
    size that chance gives, nothing is claimed. With --plan, say what an experiment will be able to see.
    """
    from segue.cli.experiments.planning import Wishes, show_plan
    from segue.cli.experiments.showing import show

    if sequential and cuped:
        fail("give --sequential or --cuped, not both", USAGE)
    assembly = open_project(Path.cwd())
    if plan:
        if rule is None:
            fail("--plan is about one rule: name it", USAGE)
        show_plan(assembly, rule, Wishes(effect, rate, per_day, share), json=json, csv=csv, parquet=parquet)
        return
    if any(one is not None for one in (effect, rate, per_day, share)):
        fail("--effect, --rate, --per-day and --share belong to --plan", USAGE)
    show(
        assembly,
        rule,
        (since, until, last),
        sequential=sequential,
        cuped=cuped,
        fdr=fdr,
        json=json,
        csv=csv,
        parquet=parquet,
    )
