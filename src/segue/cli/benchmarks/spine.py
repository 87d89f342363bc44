"""Journeys, events and waits through the daemon and the store on disk: everything but HTTP and channels."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from segue.api import Event, Instant
from segue.api.values import HOUR
from segue.cli.benchmarks.workload import Shop, book, setting
from segue.clock.clock import Clock
from segue.messages.catalogue import Catalogue
from segue.runtime.daemon import Daemon
from segue.store.database import Store

AT_ONCE: Final = 100
"""Events in one hand-over by a source."""
CALLERS: Final = 40
"""Hand-overs that are under way at once, so that batches fill: what forty busy clients do."""
LATER: Final = 26 * HOUR
"""How far the clock is set ahead for every wait to be over."""
_PIECE: Final = 50_000


class Spine(msgspec.Struct, frozen=True):
    """Rates, each in 1/s, and how many were measured."""

    customers: int
    journeys: float
    events: int
    decided: float
    waits: int
    fired: float


@asynccontextmanager
async def daemon(path: Path, *, ahead: int = 0, publish: bool = False) -> AsyncIterator[Daemon]:
    """A daemon on a database file, with the canonical rule and no channels; its clock is ``ahead`` µs fast."""
    store = Store(path)
    store.start()
    try:
        wall = time.time_ns() // 1000
        one = Daemon(store, Clock(1.0, wall, wall + ahead), setting(), {}, Catalogue())
        await one.start(book() if publish else None)
        try:
            yield one
        finally:
            await one.stop()
    finally:
        store.close()


async def feed(one: Daemon, events: Sequence[Event]) -> float:
    """Hand events to the daemon as busy sources do; the seconds until the last is committed."""
    pieces = iter([events[start : start + AT_ONCE] for start in range(0, len(events), AT_ONCE)])

    async def call() -> None:
        for piece in pieces:
            await one.accept(piece)

    began = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(CALLERS)))
    return time.perf_counter() - began


async def start_journeys(one: Daemon, shop: Shop, customers: int) -> float:
    """Have so many new customers leave a cart; the seconds it took, without those of making the events up."""
    seconds = 0.0
    for first in range(0, customers, _PIECE):
        carts = shop.carts(first, min(_PIECE, customers - first), one.clock.look())
        seconds += await feed(one, carts)
    return seconds


async def measure_spine(folder: Path, customers: int, mixed: int) -> Spine:
    """Journeys started, events decided (a stream and a store of their own), and waits fired, of all who started."""
    shop = Shop()
    path = folder / "journeys.db"
    async with daemon(path, publish=True) as one:
        starting = await start_journeys(one, shop, customers)
    async with daemon(folder / "events.db", publish=True) as one:
        stream = list(shop.stream(0, mixed, Instant(one.clock.look() - HOUR)))
        deciding = await feed(one, stream)
        counts = one.counts
        if counts.events + counts.duplicates != len(stream) or counts.duplicates == 0:
            raise RuntimeError(f"{len(stream)} events were sent, {counts.events} decided, {counts.duplicates} repeated")
    began = time.perf_counter()
    async with daemon(path, ahead=LATER) as one:
        while one.counts.fired < customers:  # noqa: ASYNC110 - the daemon counts, and tells nobody
            await asyncio.sleep(0.002)
        firing = time.perf_counter() - began
    return Spine(customers, customers / starting, len(stream), len(stream) / deciding, customers, customers / firing)
