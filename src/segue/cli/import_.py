"""``segue import``: customers and years of past events, from files, into the store."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from segue.api import to_rfc3339
from segue.cli.ending import USAGE, WRONG, counted, fail, open_project, print_json, show_diagnostics
from segue.cli.importing.bringing import Brought, Progress, Told, bring
from segue.cli.importing.desk import Desk
from segue.cli.importing.files import Given, Unreadable, gather
from segue.cli.importing.looking import Content, as_record, look_into
from segue.runtime import process
from segue.runtime.assembly import Assembly, CheckedBook
from segue.runtime.assembly import check as check_book
from segue.runtime.running import words_of
from segue.store.errors import StoreError

_SHOWN = 12
"""Names that a list shows."""


def import_(
    files: Annotated[list[Path], typer.Argument(help="JSON lines in the Segment format, CSV, Parquet.")],
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="A TOML file that says what the columns of tables mean.")
    ] = None,
    as_: Annotated[
        str | None, typer.Option("--as", help="Read the files as this source of segue.toml reads its own.")
    ] = None,
    start_journeys: Annotated[
        bool, typer.Option("--start-journeys", help="Events that are not too old begin journeys, as if they came now.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only look into the files, and import nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Progress and results as JSON lines.")] = False,
) -> None:
    """Import customers and past events. Nothing is sent and, unless asked for, no journey begins.

    It may be stopped, or killed, at any time: the same command goes on from there. What was imported before, from
    whatever file, is known and changes nothing. Works while the daemon runs. Rows that are no events are listed in
    FILE.rejected.csv, with reasons; the others are imported. Exits with 1 when rows were refused or a file could not be
    read to its end.
    """
    assembly = open_project(Path.cwd())
    try:
        given = gather(assembly, files, mapping, as_)
    except Unreadable as error:
        fail(str(error), USAGE)
    book = cache(lambda: _book_of(assembly))
    process.settle()
    if check:
        _look(given, book(), json)
        return
    brought: list[Brought] = []
    troubles: list[str] = []
    try:
        process.run(_import(assembly, given, book, start_journeys, json, brought, troubles))
    except KeyboardInterrupt:
        fail("stopped; the same command goes on from here")
    except StoreError as error:
        fail(str(error))
    for trouble in troubles:
        print(f"segue: {trouble}", file=sys.stderr)
    if troubles or any(one.refused for one in brought):
        raise typer.Exit(WRONG)


def _book_of(assembly: Assembly) -> CheckedBook:
    found = check_book(assembly)
    if not found.ok:
        show_diagnostics(found)
        fail("the rules have errors: they say what events mean, so that nothing was imported", WRONG)
    return found


async def _import(
    assembly: Assembly,
    given: Sequence[Given],
    book: Callable[[], CheckedBook],
    starts: bool,
    json: bool,
    brought: list[Brought],
    troubles: list[str],
) -> None:
    async with Desk(assembly, book, starts=starts) as desk:
        if desk.daemon is not None and not json:
            print(f"segue: the running Segue (process {desk.daemon}) takes the events in", file=sys.stderr)
        for one in given:
            try:
                with _progress(one, json) as told:
                    found = await bring(desk, one, told, starts=starts)
            except (Unreadable, OSError) as error:
                troubles.append(str(error))
                continue
            brought.append(found)
            _tell(found, json)


def _tell(found: Brought, json: bool) -> None:
    row = found.row
    ended = to_rfc3339(row.ended) if row.ended is not None else None
    if json:
        print_json(
            {
                "file": row.file,
                "state": "known" if found.before else "done",
                "read": row.read,
                "accepted": row.accepted,
                "known": row.known,
                "erased": row.erased,
                "refused": found.refused,
                "seconds": round(found.seconds, 3),
                "ended": ended,
                "report": str(found.report) if found.report is not None else None,
            }
        )
        return
    if found.before:
        print(f"{row.file}: imported already, at {ended}: {counted(row.accepted, 'event')}")
        return
    pace = f", {row.read / found.seconds:,.0f} a second" if found.seconds > 1 and row.began >= found.since else ""
    known = f", {row.known:,} known before" if row.known else ""
    erased = f", {row.erased:,} left out of customers who were erased" if row.erased else ""
    refused = f", {counted(found.refused, 'row')} refused: see {found.report}" if found.refused else ""
    print(
        f"{row.file}: {counted(row.accepted, 'event')} imported in {found.seconds:.2f} s{pace}{known}{erased}{refused}"
    )


# Progress


@contextlib.contextmanager
def _progress(given: Given, json: bool) -> Iterator[Told]:
    if json:
        yield _every_second(
            lambda progress: print_json(
                {
                    "file": str(given.path),
                    "state": "reading",
                    "bytes": progress.at,
                    "size": progress.size,
                    "read": progress.read,
                    "done": progress.done,
                }
            )
        )
    elif not sys.stderr.isatty():
        yield lambda _: None
    else:
        with _bar(given.path.name, given.size) as show:
            yield lambda progress: show(progress.at, progress.done)


def _every_second(tell: Callable[[Progress], None]) -> Told:
    last = time.monotonic()

    def told(progress: Progress) -> None:
        nonlocal last
        if time.monotonic() - last >= 1.0:
            last = time.monotonic()
            tell(progress)
            sys.stdout.flush()

    return told


@contextlib.contextmanager
def _bar(name: str, size: int) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[done]:,} events"),
        TextColumn("{task.fields[pace]:,.0f}/s"),
        TimeRemainingColumn(),
    )
    began, first = time.monotonic(), -1
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name.replace("[", r"\["), total=max(size, 1), done=0, pace=0.0)

        def show(at: int, done: int) -> None:
            nonlocal first
            first = done if first < 0 else first  # what an earlier run did tells nothing of the pace of this one
            pace = (done - first) / max(time.monotonic() - began, 0.001)
            bar.update(task, completed=at, done=done, pace=pace)

        yield show


# Looking only


def _look(given: Sequence[Given], book: CheckedBook, json: bool) -> None:
    names = words_of(book.checked.book).names
    wrong = False
    for one in given:
        try:
            with contextlib.ExitStack() as stack:
                shown = sys.stderr.isatty() and not json
                told = stack.enter_context(_bar(one.path.name, one.size)) if shown else _nothing
                found = look_into(one, names, told)
        except Unreadable as error:
            print(f"segue: {error}", file=sys.stderr)
            wrong = True
            continue
        wrong = wrong or found.refused > 0
        if json:
            print_json(as_record(found))
        else:
            _show(found)
    if wrong:
        raise typer.Exit(WRONG)


def _nothing(_at: int, _done: int) -> None:
    return


def _show(found: Content) -> None:
    refused = f", {counted(found.refused, 'row')} would be refused: see {found.report}" if found.refused else ""
    print(f"{found.file}: {counted(found.read, 'row')}{refused}")
    if found.first is not None and found.last is not None:
        print(f"  from {to_rfc3339(found.first)} to {to_rfc3339(found.last)}")
    for title, counts in (
        ("events", found.events),
        ("events that no rule can name yet: declare them with `event`", found.unnamed),
        ("traits", found.traits),
    ):
        _show_counts(title, counts)


def _show_counts(title: str, counts: Counter[str]) -> None:
    if not counts:
        return
    print(f"  {title}:")
    for name, number in counts.most_common(_SHOWN):
        print(f"    {number:>12,}  {name}")
    if len(counts) > _SHOWN:
        print(f"    and {len(counts) - _SHOWN:,} more names")
