"""Upkeep of what is kept of customers, beside the daemon's loops: erasures and partings that were asked for, addresses
that a command suppressed, segments that everybody is to be looked at anew for, and what has become too old. What there
is to do stands in the store, so a ring that is lost changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, TypeVar

import structlog

from segue.api import Instant
from segue.clock.bell import Bell
from segue.clock.clock import Clock
from segue.host.privacy import Retention
from segue.runtime.forgetting import Forgets, Forgetter
from segue.runtime.parting import carry_out
from segue.runtime.reaching import follow
from segue.runtime.retaining import Retained, due_sorts, next_sweep, retain
from segue.runtime.running import Running
from segue.runtime.sweeping import Pioneer, chores, do_chore
from segue.runtime.turn import Done
from segue.store.database import LAST, Store, Transaction
from segue.store.errors import StoreUnavailable
from segue.store.lookouts import any_open

T = TypeVar("T")

_log = structlog.get_logger("segue")

ERASURES_EVERY: Final = 2.0
"""Wall seconds between two looks at what was asked for."""
PIECE: Final = 500
"""Rows that one transaction of a sweep looks at."""


class Upkeep:
    """One loop: it looks when the bell rings, and does everything there is to do, one thing after the other."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        retention: Retention,
        channels: Mapping[str, Forgets],
        *,
        running: Callable[[], Running],
        listener: Callable[[Done], None],
        held: Callable[[], bool],
    ) -> None:
        self._store = store
        self._clock = clock
        self._retention = retention
        self._running = running
        self._bell = Bell(clock)
        self._listener = listener
        self._forgetter = Forgetter(store, channels, running, clock.now, listener, held)
        self._ring = asyncio.Event()
        self._stopping = False
        self._next_sweep: Instant | None = Instant(0)
        self._loop: asyncio.Task[None] | None = None
        self.deleted = dict.fromkeys(("events", "messages", "journeys", "ignored"), 0)
        """Rows deleted by age since the start, by sort."""

    def start(self) -> None:
        """Begin with whatever there is to do."""
        self._bell.start()
        self._bell.ring_every("erasures", ERASURES_EVERY, self._ring.set)
        self._ring.set()
        self._loop = asyncio.create_task(self._serve(), name="upkeep")

    async def stop(self) -> None:
        """End what is under way; the rest is done after the next start."""
        self._stopping = True
        self._bell.stop()
        self._ring.set()
        if self._loop is not None:
            await asyncio.wait({self._loop})

    async def _serve(self) -> None:
        pause = 1.0
        while True:
            await self._ring.wait()
            self._ring.clear()
            if self._stopping:
                return
            try:
                await self._part()
                await self._follow()
                await self._forgetter.look()
                await self._rebuild()
                await self._sweep()
                pause = 1.0
            except Exception as error:  # whatever it is stands in the store still
                if isinstance(error, StoreUnavailable):
                    _log.error("the store cannot write", error=str(error))
                else:
                    _log.exception("upkeep was cut off; it goes on later")
                await asyncio.sleep(pause)
                pause = min(pause * 2, 300.0)
                self._ring.set()

    async def _part(self) -> None:
        running = self._running()
        for done in await self._write(lambda tx: carry_out(tx, running, self._clock.now())):
            self._listener(done)

    async def _follow(self) -> None:
        """Look again at whoever has an address that a command suppressed, or lets be written to again."""
        while done := await self._write(lambda tx: follow(tx, self._running(), self._clock.now())):
            self._listener(done)

    async def _rebuild(self) -> None:
        """Look at every customer anew for the segments that a command asks it of."""
        if not await self._write(any_open):
            return
        pioneer = Pioneer(self._store.path)
        for chore in await self._write(lambda tx: chores(tx, self._running())):
            if chore.what == "look":
                await do_chore(chore, pioneer, self._running, self._clock.now, self._write, self._tell)

    def _tell(self, done: Done) -> bool:
        self._listener(done)
        return not self._stopping

    async def _sweep(self) -> None:
        now = self._clock.look()
        if self._next_sweep is None or now < self._next_sweep:
            return
        for sort in await self._write(partial(due_sorts, keeping=self._retention, now=now)):
            before = self.deleted[sort]
            while not self._stopping:
                retained = await self._write(partial(self._retain, sort=sort))
                self.deleted[sort] += retained.deleted
                self._listener(retained.done)
                if not retained.going_on:
                    break
            if self.deleted[sort] > before:
                _log.info("deleted by age", sort=sort, rows=self.deleted[sort] - before)
        self._next_sweep = await self._write(partial(next_sweep, keeping=self._retention, now=now))

    def _retain(self, tx: Transaction, sort: str) -> Retained:
        return retain(tx, self._running(), self._retention, sort, self._clock.now(), PIECE)

    async def _write(self, job: Callable[[Transaction], T]) -> T:
        return await asyncio.wrap_future(self._store.write(job, LAST))
