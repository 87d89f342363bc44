"""``segue plan``: what publishing the rules on disk would change."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from segue.api import Instant, to_rfc3339
from segue.api.values import DAY
from segue.cli.ending import USAGE, WRONG, fail, nearest_project, open_project, print_json, show_diagnostics
from segue.cli.replay import find_source
from segue.language.book import Checked
from segue.runtime.assembly import Assembly, CheckedBook, check_version
from segue.runtime.assembly import check as check_book
from segue.runtime.publishing import load
from segue.scenario.plan import Plan, as_records, reads_of
from segue.scenario.plan import plan as draw_up
from segue.scenario.replay import Progress
from segue.scenario.trying import Past, Trial, checked_book, published_book, recorded_past, stored_past, try_both
from segue.store import books
from segue.store.database import read_only
from segue.store.errors import StoreError


def plan(
    path: Annotated[
        Path | None,
        typer.Argument(help="The rules to compare with those that run; the project's by default.", show_default=False),
    ] = None,
    days: Annotated[
        int, typer.Option("--days", min=0, help="How many past days to try both books on; 0 tries neither.")
    ] = 30,
    events: Annotated[
        Path | None, typer.Option("--events", help="Try both on recorded events instead: Segment calls, one a line.")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the plan as a page to this file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """Show what publishing the rules on disk would change, and change nothing.

    Compared with what runs: which rules, segments and policies differ; how many customers are inside each step of a
    changed rule, and where each would go; and how many entries, messages, skips and what cost both books make of the
    same past, by day and channel. Works while the daemon runs. Exits with 1 when the rules are wrong.
    """
    if path is not None and not path.exists():
        fail(f"{path}: there is no such file or folder", USAGE)
    if events is not None and not events.exists():
        fail(f"{events}: there is no such file", USAGE)
    assembly = open_project(nearest_project(path) if path is not None else Path.cwd())
    found = check_book(assembly, [path] if path is not None else None)
    show_diagnostics(found, "json" if json else "full")
    if not found.ok:
        fail("the rules have errors: there is no plan", WRONG)
    if not found.checked.book.rules:
        fail(f"no rules in {path or assembly.project.rules}", USAGE)
    try:
        made = _make(assembly, found, days, events, quiet=json or not sys.stderr.isatty())
    except (StoreError, OSError) as error:
        fail(str(error))
    if html is not None:
        _write_page(html, made, assembly)
    if json:
        for record in as_records(made):
            print_json(dict(record))
        return
    from segue.cli.planning.terminal import show

    show(made)
    if html is not None:
        print(f"The page is {html}.")


def _write_page(path: Path, made: Plan, assembly: Assembly) -> None:
    from segue.cli.planning.page import render

    try:
        path.write_text(render(made, assembly.project.root.name, Instant(time.time_ns() // 1000)), encoding="utf-8")
    except OSError as error:
        fail(f"{path}: {error.strerror or error}")


def _make(assembly: Assembly, found: CheckedBook, days: int, events: Path | None, *, quiet: bool) -> Plan:
    database, setting = assembly.project.database, assembly.setting
    now = Instant(time.time_ns() // 1000)
    look = partial(read_only, database) if database.exists() else None
    made = draw_up(look, setting, running_text(assembly), found.checked, now)
    if not made.edits or (look is None and events is None) or (events is None and not days):
        return made
    with tempfile.TemporaryDirectory(prefix="segue-plan-") as name, _progress(quiet) as (begin, tell):
        folder = Path(name)
        past = _past(assembly, found, Instant(now - days * DAY), events, folder)
        for bad in past.arrivals.bad[:20] if events is not None else ():
            print(f"segue: {events}:{bad.number}: {bad.reason}", file=sys.stderr)
        begin(len(past.arrivals))
        before = published_book(look) if look is not None else None
        trial: Trial = try_both(past, setting, found.content, before, checked_book(found.checked.book), folder, tell)
    return msgspec.structs.replace(made, trial=trial)


def _past(assembly: Assembly, found: CheckedBook, since: Instant, events: Path | None, folder: Path) -> Past:
    decode = find_source(assembly).decode
    assert decode is not None
    if events is not None:
        return recorded_past(events, decode)
    look = partial(read_only, assembly.project.database)
    with look() as tx:
        running = load(tx, assembly.setting)
    names, everyone = reads_of(running, found.checked)
    return stored_past(look, since, names, folder, decode, everyone=everyone)


def running_text(assembly: Assembly) -> Checked | None:
    """The book that runs, as its text reads now; None where it was not kept, or there is none."""
    if not assembly.project.database.exists():
        return None
    with read_only(assembly.project.database) as tx:
        files = books.load_sources(tx, books.last_publication(tx))
    return check_version(assembly, files).checked if files else None


@contextmanager
def _progress(quiet: bool) -> Iterator[tuple[Callable[[int], None], Callable[[str, Progress], None] | None]]:
    if quiet:
        yield lambda _: None, None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    titles = {"before": "the rules that run", "after": "the new rules"}
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}
        total = 0

        def begin(arrivals: int) -> None:
            nonlocal total
            total = arrivals

        def tell(which: str, progress: Progress) -> None:
            if which not in tasks:
                tasks[which] = bar.add_task(titles[which], total=total)
            day = to_rfc3339(progress.moment)[:10]
            bar.update(tasks[which], completed=progress.arrivals, description=f"{titles[which]}, {day}")

        yield begin, tell
