"""Segments over many customers: found for all at once, kept as events arrive, and crossed as time passes."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec

from segue.api import Event, Instant
from segue.api.values import DAY, MINUTE, SECOND
from segue.cli.benchmarks.audience import EACH, book, customers, history, setting
from segue.cli.benchmarks.figures import Tell
from segue.runtime.census import Question, take
from segue.runtime.due import pass_time
from segue.runtime.ingest import ingest
from segue.runtime.publishing import Setting, load, publish, resume
from segue.runtime.running import Running
from segue.runtime.sweeping import Pioneer, Swept, chores, sweep
from segue.runtime.turn import Done
from segue.store.crossings import count_crossings, count_customers, count_kept
from segue.store.database import Store, Transaction, read_only
from segue.store.filling import fill_customers, fill_history
from segue.store.lookouts import next_due
from segue.store.yardstick import read_through

WHOLE: Final = 1_000_000
QUICK: Final = 20_000
_SAMPLE: Final = 20_000
"""Customers whose history is read by the bare loop: its rate is the same for all."""
_EVENTS: Final = 100
_BATCHES: Final = 20
"""Batches of events whose cost is measured, and events in each."""
_MEGABYTE: Final = 1_000_000
_LOOKS: Final = 50_000
"""Looks that time brings which are measured."""


class Rebuilt(msgspec.Struct, frozen=True):
    """Everybody judged for every segment: in seconds; ``bare`` is how long only reading that history would take in a
    plain loop of Python and SQLite, in one process. ``memory`` is the most that one process held, in MB, as seen after
    each piece."""

    customers: int
    segments: int
    members: int
    alone: int
    seconds: float
    bare: float
    processes: int
    memory: float


class Kept(msgspec.Struct, frozen=True):
    """What it costs to keep all segments of so many customers: ``built`` seconds for the index to be written in the
    daemon's pieces, of which the ``usual`` and the ``longest`` took so many ms, their commits included; µs for an
    event; looks that time brought, a second; and µs to find the next one."""

    customers: int
    built: float
    rows: int
    usual: float
    longest: float
    event: float
    looks: int
    per_second: float
    crossed: int
    finding: float
    disk: float


class Result(msgspec.Struct, frozen=True):
    """The figures of a run."""

    rebuilt: Rebuilt
    kept: tuple[Kept, ...]


def measure_segments(size: int, tell: Tell, folder: Path | None) -> Result:
    """Measure with so many customers; what is kept, also with a tenth and a hundredth of them."""
    kept = []
    rebuilt: Rebuilt | None = None
    for number in sorted({max(size // 100, 1000), max(size // 10, 1000), size}):
        with TemporaryDirectory(prefix="segue-bench-", dir=folder) as name:
            path = Path(name) / "segments.db"
            tell(f"a store of {number:,} customers with {EACH} events each")
            now = Instant(time.time_ns() // 1000)
            _fill(path, number, now)
            if number == size:
                tell(f"who is in which segment: {number:,} customers")
                rebuilt = _rebuild(path, now)
            tell(f"the index of {number:,} customers, and events")
            kept.append(_keep(path, number, now))
    assert rebuilt is not None
    return Result(rebuilt, tuple(kept))


def _fill(path: Path, number: int, now: Instant) -> None:
    with contextlib.closing(Store(path, durable=False)) as store:
        fill_customers(store, customers(number, now))
        fill_history(store, history(number, now))
        store.apply(lambda tx: publish(tx, book(), now, "bench"))
    with path.open("rb") as file:  # else whoever syncs next waits for all of this
        os.fsync(file.fileno())


def _rebuild(path: Path, now: Instant) -> Rebuilt:
    with contextlib.closing(Store(path)) as store:
        _run(store, setting())
        total = store.apply(count_customers)
        sample, bare = store.apply(partial(read_through, customers=_SAMPLE))
    # In a process of its own: this one has filled a store, and holds what that took.
    command = [sys.executable, "-m", "segue.cli.benchmarks.segments", str(path), str(now)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    if outcome.returncode != 0:
        raise RuntimeError(f"the rebuilding process failed: {outcome.stderr[-2000:]}")
    return msgspec.convert({**json.loads(outcome.stdout), "customers": total, "bare": bare * total / sample}, Rebuilt)


def _survey(path: Path, now: Instant) -> dict[str, Any]:
    """Find everybody in every segment: what came of it, as `Rebuilt` has it."""
    with read_only(path) as tx:
        running = load(tx, setting())
    assert running is not None
    most = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal most
        processes = [process.pid for process in multiprocessing.active_children()] or [os.getpid()]
        most = max([most, *map(_own_memory, filter(None, processes))])

    began = time.perf_counter()
    found = take(running, Question(path, tuple(running.segments), (now,), dues=True), tell)
    return {
        "segments": len(running.segments),
        "members": sum(one.members[-1] for one in found.values()),
        "alone": sum(one.alone for one in found.values()),
        "seconds": time.perf_counter() - began,
        "processes": min(os.cpu_count() or 1, 4),
        "memory": most / _MEGABYTE,
    }


def _own_memory(process: int) -> float:
    """What a process holds, in bytes, without the pages of the database, which are the system's; 0 where it cannot be
    told."""
    try:
        found = re.search(r"RssAnon:\s*(\d+) kB", Path(f"/proc/{process}/status").read_text(encoding="ascii"))
    except OSError:
        found = None
    return int(found[1]) * 1024 if found is not None else 0.0


def _run(store: Store, how: Setting) -> Running:
    running = store.apply(lambda tx: resume(tx, how))
    assert running is not None
    return running


def _keep(path: Path, number: int, now: Instant) -> Kept:
    with contextlib.closing(Store(path)) as store:
        running = _run(store, msgspec.structs.replace(setting(), kept=frozenset(("all",))))
        store.start()
        began = time.perf_counter()
        spent = sorted(_sweep(store, running, now))
        built = time.perf_counter() - began
        rows = store.apply(count_kept)
        moment = Instant(now + MINUTE)
        event = _arrive(store, running, number, moment)
        finding = _find(store)
        looks, per_second, crossed = _pass(store, running, Instant(moment + 7 * DAY))
    disk = sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*")) / _MEGABYTE
    usual, longest = spent[len(spent) // 2] * 1000, spent[-1] * 1000
    return Kept(number, built, rows, usual, longest, event, looks, per_second, crossed, finding, disk)


def _sweep(store: Store, running: Running, now: Instant) -> Iterator[float]:
    pioneer = Pioneer(store.path)
    for chore in store.apply(lambda tx: chores(tx, running)):
        swept = Swept(Done(()), chore)
        while (left := swept.left) is not None:
            ahead = pioneer.look_ahead(running, left, swept.ahead)
            began = time.perf_counter()
            swept = store.apply(partial(sweep, running=running, chore=left, now=now, ahead=ahead))
            yield time.perf_counter() - began


def _arrive(store: Store, running: Running, number: int, now: Instant) -> float:
    """µs for an event, of customers all over the store; the better half of the batches, since a disk has its moods."""
    spent = []
    for batch in range(_BATCHES):
        events = [_event(batch * _EVENTS + place, number, now) for place in range(_EVENTS)]
        began = time.perf_counter()
        store.apply(partial(_take, running=running, events=events, now=now))
        spent.append(time.perf_counter() - began)
    spent.sort()
    better = spent[: _BATCHES // 2]
    return sum(better) / len(better) / _EVENTS * SECOND


def _take(tx: Transaction, running: Running, events: list[Event], now: Instant) -> None:
    ingest(tx, running, events, now)


def _event(place: int, number: int, now: Instant) -> Event:
    who = 1 + place * 7_919 % number
    kinds: tuple[tuple[str, dict[str, Any]], ...] = (
        ("ordered", {"order_id": f"n-{place}", "total": 59.9, "currency": "EUR", "items": 2}),
        ("page_viewed", {"page": "/sale"}),
        ("product_added", {"category": "shoes", "price": 80, "currency": "EUR"}),
    )
    name, fields = kinds[place % len(kinds)]
    return Event(
        message_id=f"bench-{place}-{now}",
        timestamp=now,
        source="bench",
        name=name,
        user_id=f"customer-{who}",
        properties=fields,
    )


def _find(store: Store) -> float:
    times = 2_000
    began = time.perf_counter()

    def job(tx: Transaction) -> None:
        for _ in range(times):
            next_due(tx)

    store.apply(job)
    return (time.perf_counter() - began) / times * SECOND


def _pass(store: Store, running: Running, until: Instant) -> tuple[int, float, int]:
    """Let time pass: how many looks it brought, how many a second, and how many customers came in or left by them."""
    looks = 0
    before = store.apply(count_crossings)
    began = time.perf_counter()
    while looks < _LOOKS:
        woke = store.apply(lambda tx: pass_time(tx, running, until))
        looks += woke.fired
        if not woke.fired or woke.next_due is None or woke.next_due > until:
            break
    seconds = time.perf_counter() - began
    return looks, looks / seconds if looks else 0.0, store.apply(count_crossings) - before


if __name__ == "__main__":
    print(json.dumps(_survey(Path(sys.argv[1]), Instant(int(sys.argv[2])))))
