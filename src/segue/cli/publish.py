"""``segue publish``: make the rules on disk the ones that run."""

from __future__ import annotations

import contextlib
import getpass
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from segue.api import Instant
from segue.cli.ending import USAGE, WRONG, counted, fail, open_project, print_json, show_diagnostics
from segue.runtime.assembly import check as check_book
from segue.runtime.publishing import publish as publish_book
from segue.runtime.running import bodies_of
from segue.store import books
from segue.store.database import Store, holder, read_only
from segue.store.errors import StoreError, StoreInUse

ANSWERED_WITHIN: Final = 30.0
"""Seconds that a running daemon has to publish the rules once it was told."""


def publish(json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Check the project's rules, show what changes, and publish them. A running daemon is told to reload.

    Customers inside keep the version they began with; a removed rule lets everyone inside exit. Exits with 1 when the
    rules are wrong: then nothing changes.
    """
    assembly = open_project(Path.cwd())
    book = check_book(assembly)
    show_diagnostics(book, "json" if json else "full")
    if not book.ok:
        fail("nothing was published", WRONG)
    if not book.checked.book.rules:
        fail(f"no rules in {assembly.project.rules}: nothing was published", USAGE)
    path = assembly.project.database
    fresh = {name: program.hash for name, (program, _) in bodies_of(book.checked.book).items()}
    try:
        before: dict[str, str] = {}
        last = 0
        if path.exists():
            with read_only(path) as tx:
                before = books.load_book(tx)
                last = books.last_publication(tx)
        store = _open_or_tell(path, fresh, last)
        if store is not None:
            with contextlib.closing(store):
                moment = Instant(time.time_ns() // 1000)
                store.apply(lambda tx: publish_book(tx, book.checked.book, moment, getpass.getuser()))
    except (StoreError, OSError) as error:
        fail(f"nothing was published: {error}")
    added = sorted(fresh.keys() - before.keys())
    removed = sorted(before.keys() - fresh.keys())
    changed = sorted(name for name in fresh.keys() & before.keys() if fresh[name] != before[name])
    if json:
        print_json({"published": len(fresh), "added": added, "changed": changed, "removed": removed})
        return
    for mark, names in (("+", added), ("~", changed), ("-", removed)):
        for name in names:
            print(f"{mark} {name}")
    print(f"{counted(len(fresh), 'rule')} published" if added or changed or removed else "Nothing changed.")


def _open_or_tell(path: Path, fresh: Mapping[str, str], last: int) -> Store | None:
    """The store, where nobody uses it; None once a daemon that does has published the rules. Raises StoreError where it
    does not within half a minute."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # another `segue publish` may take us for the daemon
    told: int | None = None
    until = time.monotonic() + ANSWERED_WITHIN
    while True:
        try:
            return Store(path)
        except StoreInUse:
            process = holder(path)
            if process is None:
                raise
        if process != told:
            os.kill(process, signal.SIGHUP)
            told = process
        with read_only(path) as tx:
            if books.last_publication(tx) > last and books.load_book(tx) == fresh:
                return None
        if time.monotonic() > until:
            raise StoreError(f"the running Segue (process {process}) did not take the rules: its log says why")
        time.sleep(0.1)
