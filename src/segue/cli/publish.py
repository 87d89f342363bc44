"""``segue publish``: make the rules on disk the ones that run."""

from __future__ import annotations

import getpass
import os
import signal
import time
from pathlib import Path
from typing import Annotated

import typer

from segue.api import Instant
from segue.cli.ending import WRONG, fail, open_project, print_json, show_diagnostics
from segue.runtime.assembly import check as check_book
from segue.runtime.publishing import publish as publish_book
from segue.runtime.running import bodies_of
from segue.store import books
from segue.store.database import Store, holder, read_only
from segue.store.errors import StoreError, StoreInUse


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
    path = assembly.project.database
    fresh = {name: program.hash for name, (program, _) in bodies_of(book.checked.book).items()}
    try:
        before: dict[str, str] = {}
        if path.exists():
            with read_only(path) as tx:
                before = books.load_book(tx)
        try:
            store = Store(path)
        except StoreInUse:
            process = holder(path)
            if process is None:
                raise
            os.kill(process, signal.SIGHUP)
        else:
            try:
                moment = Instant(time.time_ns() // 1000)
                store.apply(lambda tx: publish_book(tx, book.checked.book, moment, getpass.getuser()))
            finally:
                store.close()
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
    print(f"{len(fresh)} rules published" if added or changed or removed else "Nothing changed.")
