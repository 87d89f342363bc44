"""Finding anew who is in the segments whose members are kept."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from segue.api import Instant
from segue.cli.ending import USAGE, counted, fail, print_json
from segue.cli.segments.progress import Telling
from segue.runtime.publishing import Setting, resume
from segue.runtime.running import Running
from segue.runtime.sweeping import Pioneer, Swept, chores, sweep
from segue.runtime.turn import Done
from segue.store.database import Store, change, read_only
from segue.store.errors import StoreError, StoreInUse
from segue.store.lookouts import Watch, begin_anew, load_watches

_PATIENCE: Final = 30.0
"""Seconds without progress after which a daemon is taken not to do it."""


def rebuild_index(path: Path, setting: Setting, running: Running, name: str | None, *, json: bool) -> None:
    """Have every customer be looked at again: by the daemon, where one runs, else here."""
    kept = {one for one, subject in running.beginnings.watched.items() if subject.condition is not None}
    wanted = sorted(kept) if name is None else [name]
    if name is not None and name not in kept:
        fail(
            f"the members of {name} are not kept: it is judged whenever somebody asks, with nothing to rebuild",
            USAGE,
        )
    if not wanted:
        fail("no segment's members are kept: there is nothing to rebuild", USAGE)
    began = time.monotonic()
    now = Instant(time.time_ns() // 1000)
    with Telling("again at who is in the segments") as tell:
        try:
            store = Store(path)
        except StoreInUse:
            change(path, partial(begin_anew, subjects=wanted, now=now))
            _wait(path, wanted, tell)
        else:
            with contextlib.closing(store):
                store.apply(partial(begin_anew, subjects=wanted, now=now))
                _sweep(store, setting, wanted, tell)
    seconds = time.monotonic() - began
    if json:
        print_json({"rebuilt": wanted, "seconds": round(seconds, 2)})
    else:
        print(f"{counted(len(wanted), 'segment')} found anew in {seconds:.1f} s: {', '.join(wanted)}")


def _sweep(store: Store, setting: Setting, wanted: list[str], tell: Callable[[int, int], None]) -> None:
    running = store.apply(lambda tx: resume(tx, setting))
    assert running is not None
    pioneer = Pioneer(store.path)
    for chore in store.apply(lambda tx: chores(tx, running)):
        swept = Swept(Done(()), chore if chore.what == "look" else None)
        while (left := swept.left) is not None:
            ahead = pioneer.look_ahead(running, left, swept.ahead)
            moment = Instant(time.time_ns() // 1000)
            swept = store.apply(partial(sweep, running=running, chore=left, now=moment, ahead=ahead))
            _tell(store.apply(load_watches), wanted, tell)


def _wait(path: Path, wanted: list[str], tell: Callable[[int, int], None]) -> None:
    """Follow what the daemon does."""
    seen, since = -1, time.monotonic()
    while True:
        with read_only(path) as tx:
            watches = load_watches(tx)
        if all(watches[name].complete for name in wanted if name in watches):
            return
        done = sum(watches[name].cursor for name in wanted if name in watches)
        if done != seen:
            seen, since = done, time.monotonic()
        if time.monotonic() - since > _PATIENCE:
            raise StoreError("the running Segue has been asked, and does not get on with it: its log says why")
        _tell(watches, wanted, tell)
        time.sleep(0.1)


def _tell(watches: dict[str, Watch], wanted: list[str], tell: Callable[[int, int], None]) -> None:
    known = [watches[name] for name in wanted if name in watches]
    tell(min((one.cursor for one in known), default=0), max((one.last for one in known), default=0))
