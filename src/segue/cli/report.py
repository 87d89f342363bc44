"""``segue report``: what came of a period, as one page, and as tables."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from segue.cli.ending import USAGE, fail, open_project
from segue.cli.tabling import Json, Last, Since, Until, put, read_period
from segue.store.errors import StoreError


def report(
    out: Annotated[Path | None, typer.Option("--out", help="The page to write.  [default: report.html]")] = None,
    since: Since = None,
    until: Until = None,
    last: Last = None,
    json: Json = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FOLDER", help="Write every table as CSV into this folder.")
    ] = None,
    parquet: Annotated[
        Path | None, typer.Option("--parquet", metavar="FOLDER", help="The same as Parquet; needs segue[parquet].")
    ] = None,
) -> None:
    """Write a page on what came of a period: what was sent and what it cost, how far customers came in each rule, what
    models attribute, what experiments show, and the money. Without options it is about the last 30 days.

    The page needs nothing else: it can be mailed, printed and kept. With --json, --csv or --parquet its tables are
    written, and the page only with --out. Works while the daemon runs.
    """
    from segue.cli.clocks import now_of
    from segue.cli.reporting.gathering import gather
    from segue.cli.reporting.page import render

    assembly = open_project(Path.cwd())
    for folder in (csv, parquet):
        if folder is not None and folder.exists() and not folder.is_dir():
            fail(f"{folder} is a file: name a folder, every table is a file of its own", USAGE)
    try:
        now = now_of(assembly)
        period = read_period(since, until, last, zone=assembly.setting.zone, now=now, otherwise="30d")
        material = gather(assembly, period, now)
    except StoreError as error:
        fail(str(error))
    files = json or csv is not None or parquet is not None
    if files:
        put(list(material.tables.values()), json=json, csv=csv, parquet=parquet)
    if out is not None or not files:
        place = out if out is not None else Path("report.html")
        try:
            place.write_text(render(material), encoding="utf-8")
        except OSError as error:
            fail(f"{place}: {error.strerror or error}")
        print(f"The report is in {place}: open it in a browser.", file=sys.stderr)
