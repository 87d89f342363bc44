"""``segue restore`` and ``segue release``: bring a backup back, and let it send again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from pathlib import Path
from typing import Annotated

import typer

from segue.cli.ending import USAGE, fail, open_project, print_json
from segue.store import books
from segue.store.database import Store, hold_lock, release_hold
from segue.store.errors import StoreError, StoreUnavailable
from segue.store.ledger import hold_all
from segue.store.sweeps import integrity


def restore(
    backup: Annotated[Path, typer.Argument(help="A file that `segue backup` wrote.")],
    hold: Annotated[bool, typer.Option("--hold", help="Send nothing until `segue release`.")] = False,
    send: Annotated[bool, typer.Option("--send", help="Send at once what the backup had waiting.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Put a backup in the place of the project's store, which is kept beside it.

    An older file would send again what was sent since: with --hold journeys go on but nothing is sent until
    `segue release`. One of --hold and --send must be said. The daemon must be stopped.
    """
    if hold == send:
        fail(
            "say --hold (send nothing until `segue release`) or --send (what the backup had waiting goes out again)",
            USAGE,
        )
    if not backup.is_file():
        fail(f"{backup}: there is no such file", USAGE)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # `segue publish` may take us for the daemon
    project = open_project(Path.cwd()).project
    target = project.database
    fresh = target.with_name(target.name + ".restoring")
    try:
        with hold_lock(target):  # not opened: what is to be replaced may be damaged, or written by a newer Segue
            try:
                waiting = _prepare(backup, fresh, hold)
                kept = _keep_aside(target)
                os.replace(fresh, target)
            finally:
                for suffix in ("", "-wal", "-shm", ".lock"):
                    fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    except (StoreError, OSError) as error:
        fail(f"nothing was restored: {error}")
    _report(json, target, kept, waiting, hold)


def _prepare(backup: Path, fresh: Path, hold: bool) -> int:
    """Make a copy of the backup, ready to be the store. How many messages wait in it."""
    for suffix in ("-wal", "-shm"):
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)  # of a restore that was cut off
    shutil.copyfile(backup, fresh)
    with contextlib.closing(Store(fresh)) as store:
        verdict = store.apply(integrity)
        if verdict != "ok":
            raise StoreError(f"{backup} is damaged: {verdict}")
        store.apply(lambda tx: books.put_meta(tx, "hold", "restored" if hold else None))
        return store.apply(hold_all)


def _keep_aside(target: Path) -> Path | None:
    """The store as it was, under a name of its own, with what its log holds beside it. The log goes first: one that
    stayed behind would be read into the restored store."""
    if not target.exists():
        for suffix in ("-wal", "-shm"):
            target.with_name(target.name + suffix).unlink(missing_ok=True)
        return None
    number = 1
    while (kept := target.with_name(f"{target.name}.before-restore-{number}")).exists():
        number += 1
    target.with_name(target.name + "-shm").unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.replace(target.with_name(target.name + "-wal"), kept.with_name(kept.name + "-wal"))
    os.replace(target, kept)
    return kept


def _report(json: bool, target: Path, kept: Path | None, waiting: int, hold: bool) -> None:
    if json:
        print_json({"restored": str(target), "kept": str(kept) if kept else None, "waiting": waiting, "held": hold})
        return
    print(f"{target} is restored." + (f" The store as it was: {kept}" if kept else ""))
    if hold:
        print(f"{waiting:,} messages wait. Nothing is sent until: segue release")


def release(json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Let a store that was restored with --hold send again. A running daemon notices within half a minute."""
    project = open_project(Path.cwd()).project
    if not project.database.exists():
        fail(f"there is no database at {project.database}")
    try:
        was_held = release_hold(project.database)
    except StoreUnavailable as error:
        fail(str(error))
    if json:
        print_json({"released": was_held})
    else:
        print("Released: messages go out again." if was_held else "Nothing was held.")
