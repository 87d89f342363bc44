"""``segue publish``: make the rules on disk, or those of an earlier version, the ones that run."""

from __future__ import annotations

import contextlib
import getpass
import os
import signal
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from segue.api import Instant
from segue.cli.ending import USAGE, WRONG, counted, fail, open_project, print_json, show_diagnostics
from segue.cli.planning.words import change_of
from segue.language.model import Book
from segue.runtime.assembly import Assembly, CheckedBook, check_version
from segue.runtime.assembly import check as check_book
from segue.runtime.publishing import compare
from segue.runtime.publishing import publish as publish_book
from segue.scenario.plan import plan as draw_up
from segue.store import books
from segue.store.books import Changes, Request
from segue.store.database import Store, holder, read_only
from segue.store.errors import StoreError, StoreInUse

ANSWERED_WITHIN: Final = 30.0
"""Seconds that a running daemon has to publish the rules once it was told."""


def publish(
    version: Annotated[
        int | None, typer.Option("--version", help="Publish an earlier version again; `segue history` lists them.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Check the project's rules, show what changes, and publish them. A running daemon is told to reload.

    Customers inside keep the version they began with, or follow the edit, as each rule's `on edit` says; a removed rule
    lets everyone inside exit. With --version the rules come from the store instead of the disk: going back is an edit
    like any other. Exits with 1 when the rules are wrong: then nothing changes.
    """
    assembly = open_project(Path.cwd())
    book = check_book(assembly) if version is None else _earlier(assembly, version)
    show_diagnostics(book, "json" if json else "full")
    if not book.ok:
        fail("nothing was published", WRONG)
    rules = len(book.checked.book.rules)
    if not rules:
        fail(f"no rules in {assembly.project.rules}: nothing was published", USAGE)
    path = assembly.project.database
    wanted = Request(who(), version)
    try:
        last, changes = 0, Changes()
        inside: dict[str, str] = {}
        if path.exists():
            with read_only(path) as tx:
                last = books.last_publication(tx)
                changes = compare(tx, book.checked.book)
            inside = _who_is_inside(path, assembly, book)
        store = _open_or_tell(path, book.checked.book, wanted, last)
        if store is not None:
            with contextlib.closing(store):
                moment = Instant(time.time_ns() // 1000)
                changes = store.apply(lambda tx: publish_book(tx, book.checked.book, moment, wanted.who, book.sources))
    except (StoreError, OSError) as error:
        fail(f"nothing was published: {error}")
    if json:
        print_json(
            {
                "published": rules,
                "added": changes.added,
                "changed": changes.changed,
                "removed": changes.removed,
                "inside": inside,
            }
        )
        return
    print_changes(changes, inside=inside)
    print(f"{counted(rules, 'rule')} published" if changes else "Nothing changed.")
    if version is not None:
        print("The rules on disk are as they were: the next `segue publish` brings them back.")


def print_changes(changes: Changes, indent: str = "", inside: Mapping[str, str] = {}) -> None:
    """What a publication added, changed and removed, a name a line, and who is inside a rule."""
    for mark, names in (("+", changes.added), ("~", changes.changed), ("-", changes.removed)):
        for name in names:
            print(f"{indent}{mark} {name}  {inside[name]}" if name in inside else f"{indent}{mark} {name}")


def _who_is_inside(path: Path, assembly: Assembly, book: CheckedBook) -> dict[str, str]:
    """What becomes of the customers inside each rule that is changed or removed, in words."""
    now = Instant(time.time_ns() // 1000)
    made = draw_up(partial(read_only, path), assembly.setting, None, book.checked, now, one_by_one=False)
    edits = [(edit, inside) for edit in made.edits if edit.kind == "rule" and (inside := made.inside_of(edit.name))]
    return {edit.name: change_of(edit, inside) for edit, inside in edits if inside.customers}


def _earlier(assembly: Assembly, version: int) -> CheckedBook:
    try:
        with read_only(assembly.project.database) as tx:
            files, last = books.load_sources(tx, version), books.last_publication(tx)
    except StoreError as error:
        fail(str(error))
    if version < 1 or version > last:
        fail(f"there is no version {version}: `segue history` lists those there are", USAGE)
    if not files:
        fail(f"the rules of version {version} were not kept", WRONG)
    return check_version(assembly, files)


def who() -> str:
    """Who runs this process, for the record of publications."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a DynamicUser need not have a name
        return f"uid {os.getuid()}"


def _open_or_tell(path: Path, book: Book, wanted: Request, last: int) -> Store | None:
    """The store, where nobody uses it; None once a daemon that does has published the rules. Raises StoreError where it
    does not within half a minute."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # another `segue publish` may take us for the daemon
    told: int | None = None
    until = time.monotonic() + ANSWERED_WITHIN
    while True:
        try:
            store = Store(path)
        except StoreInUse:
            process = holder(path)
            if process is None:
                raise
        else:
            store.apply(books.take_request)  # in case whom we told is gone
            return store
        if process != told:
            books.request(path, wanted)
            os.kill(process, signal.SIGHUP)
            told = process
        with read_only(path) as tx:
            if books.last_publication(tx) > last and not compare(tx, book):
                return None
        if time.monotonic() > until:
            books.request(path, None)
            raise StoreError(f"the running Segue (process {process}) did not take the rules: its log says why")
        time.sleep(0.1)
