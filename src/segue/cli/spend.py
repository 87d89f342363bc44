"""``segue spend``: what messages cost, and what came back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segue.cli.ending import open_project
from segue.cli.tabling import Csv, Json, Last, Parquet, Since, Until


def spend(
    since: Since = None,
    until: Until = None,
    last: Last = None,
    by: Annotated[str, typer.Option("--by", help="Cost by channel, rule, message or day.")] = "channel",
    model: Annotated[
        str | None,
        typer.Option("--model", help="The model that says what each rule brought.", show_default=False),
    ] = None,
    json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
) -> None:
    """Count what messages cost, and each of them; spend against budget; what orders and goals brought, less refunds;
    and what a model gives each rule, less its cost. Without options it is about the last 30 days.

    Each currency stands by itself. Works while the daemon runs.
    """
    from segue.cli.attributing.spending import show_spending

    show_spending(
        open_project(Path.cwd()), (since, until, last), by=by, model=model, json=json, csv=csv, parquet=parquet
    )
