"""``segue segment``: who is in the published segments, how that changes, and why."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from segue.api import Instant
from segue.cli.ending import USAGE, counted, fail, open_project, print_json
from segue.cli.segments.files import MOST_COLUMNS, Columns, Members, write_csv, write_parquet
from segue.cli.tabling.files import NoParquet
from segue.language.nearest import nearest
from segue.runtime.publishing import Setting, load
from segue.runtime.running import Running
from segue.store.database import read_only
from segue.store.errors import StoreError


def segment(
    name: Annotated[
        str | None, typer.Argument(help="The segment; without one, all are listed.", show_default=False)
    ] = None,
    customer: Annotated[
        str | None,
        typer.Option("--customer", metavar="CUSTOMER", help="Explain why this customer is in it, or not."),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the members' ids, one a line.")] = False,
    days: Annotated[
        int, typer.Option("--days", min=0, max=366, help="Past days on which entries are counted; 0: none.")
    ] = 28,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the members and their traits to this file.")] = None,
    parquet: Annotated[
        Path | None, typer.Option("--parquet", help="The same as Parquet; needs segue[parquet].")
    ] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Find anew who is in it, where that is kept; without a name, in all.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """Show how many customers are in a segment, how many come into it and leave it each day, and who they are.

    The segments are those that are published. Works while the daemon runs. What is told of past days is found from the
    history, with the traits and the consent that customers have now. Exits with 1 when there is no such segment, or
    nothing is known of the customer.
    """
    if name is None and (customer is not None or list_ or csv is not None or parquet is not None):
        fail("name the segment: `segue segment` alone lists them", USAGE)
    assembly = open_project(Path.cwd())
    path, setting = assembly.project.database, assembly.setting
    try:
        running = _load(path, setting, name)
        if rebuild:
            from segue.cli.segments.anew import rebuild_index

            rebuild_index(path, setting, running, name, json=json)
        elif name is None:
            from segue.cli.segments.listing import show_all

            show_all(path, running, json=json)
        elif customer is not None:
            from segue.cli.segments.reasons import show_reason

            show_reason(path, running, name, customer, json=json)
        elif list_ or csv is not None or parquet is not None:
            _hand_out(path, running, name, csv, parquet, listed=list_, json=json)
        else:
            from segue.cli.segments.listing import show_one

            show_one(path, running, name, days, json=json)
    except StoreError as error:
        fail(str(error))


def _load(path: Path, setting: Setting, name: str | None) -> Running:
    with read_only(path) as tx:
        running = load(tx, setting)
    if running is None:
        fail("no rule book was ever published to this store", USAGE)
    if not running.segments:
        fail("the published rule book has no segments")
    if name is not None and name not in running.segments:
        near = nearest(name, list(running.segments))
        hint = f"did you mean {near}?" if near else f"there are {', '.join(running.segments)}"
        fail(f"there is no published segment {name}; {hint}")
    return running


def _hand_out(
    path: Path, running: Running, name: str, csv: Path | None, parquet: Path | None, *, listed: bool, json: bool
) -> None:
    """List the members, or write them to files."""
    from segue.cli.segments.progress import Telling
    from segue.runtime.census import Question, take
    from segue.runtime.membership import read_members

    for target in (csv, parquet):
        if target is not None and target.exists():
            fail(f"{target} exists already: give another name", USAGE)
    now = Instant(time.time_ns() // 1000)
    with Telling(f"who is in {name}") as tell:
        found = take(running, Question(path, (name,), (now,), listed=True), tell)[name]

    def members() -> Members:
        return lambda: read_members(path, found.listed)

    if listed:
        for key, _ in members()():
            if json:
                print_json({"customer": key, "segment": name})
            else:
                print(key)
    for target, write in ((csv, write_csv), (parquet, write_parquet)):
        if target is None:
            continue
        try:
            rows, columns = write(target, members())
        except NoParquet as error:
            fail(str(error), USAGE)
        except OSError as error:
            with contextlib.suppress(OSError):
                target.unlink(missing_ok=True)
            fail(f"{target}: {error.strerror or error}")
        _tell_written(target, rows, columns, json=json and not listed)


def _tell_written(target: Path, rows: int, columns: Columns, *, json: bool) -> None:
    if json:
        print_json({"file": str(target), "customers": rows, "traits": columns.names, "left_out": columns.left_out})
        return
    print(f"{counted(rows, 'customer')} written to {target}", file=sys.stderr)
    if columns.left_out:
        print(
            f"Only the {MOST_COLUMNS} most common traits are in it; {counted(columns.left_out, 'trait')} left out.",
            file=sys.stderr,
        )
