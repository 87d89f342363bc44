"""The inbox: what sources hand over, gathered into batches; each caller is answered once its batch has committed."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from segue.api import Event, Instant
from segue.runtime.busy import Busy
from segue.runtime.crashpoints import reach
from segue.runtime.ingest import Ingested, ingest
from segue.runtime.running import Running
from segue.store.database import Store, Transaction
from segue.store.errors import StoreUnavailable

_log = structlog.get_logger("segue")

BATCH = 1000
"""Events in one transaction, at most about: a batch is whatever waits, and is never waited for."""
HOLD: Final = 0.04
"""Seconds that a batch may hold the writer; where one did longer, the next are smaller."""
MOST_WAITING = 20_000
"""Events that may wait. Beyond it sources are asked to come again:
their own queues are as durable as memory here is not."""


class Inbox:
    """Takes events from any number of callers on one event loop."""

    def __init__(
        self,
        store: Store,
        running: Callable[[], Running],
        now: Callable[[], Instant],
        listener: Callable[[Ingested], None],
        most: int = MOST_WAITING,
    ) -> None:
        self._store = store
        self._running = running
        self._now = now
        self._listener = listener
        self._most = most
        self._piece = BATCH
        self._waiting: deque[tuple[Sequence[Event], asyncio.Future[None]]] = deque()
        self._events = 0
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False
        self._loop: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Events that are not committed yet."""
        return self._events

    def start(self) -> None:
        """Begin to commit what comes."""
        self._loop = asyncio.create_task(self._serve(), name="inbox")

    async def put(self, events: Sequence[Event]) -> None:
        """Take events; returns once they are committed. Raises Busy where too much waits already, StoreUnavailable
        where the store cannot write; in both cases nothing of them is kept. Raises what went wrong where one of them
        cannot be taken in at all; the others are kept then, and found to be duplicates when they come again."""
        if self._closed:
            raise Busy(5.0, "Segue is stopping")
        if self._events and self._events + len(events) > self._most:
            raise Busy(1.0)
        if not events:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((events, done))
        self._events += len(events)
        self._arrived.set()
        self._idle.clear()
        await done

    async def drain(self) -> None:
        """Take no more, and wait until what was taken is committed."""
        self._closed = True
        await self._idle.wait()
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait({self._loop})

    async def _serve(self) -> None:
        while True:
            if not self._waiting:
                self._arrived.clear()
                self._idle.set()
                await self._arrived.wait()
            batch: list[Event] = []
            callers: list[tuple[Sequence[Event], asyncio.Future[None]]] = []
            while self._waiting and (not batch or len(batch) + len(self._waiting[0][0]) <= self._piece):
                events, done = self._waiting.popleft()
                batch.extend(events)
                callers.append((events, done))
            await self._commit(batch, callers)

    async def _commit(
        self, batch: Sequence[Event], callers: Sequence[tuple[Sequence[Event], asyncio.Future[None]]]
    ) -> None:
        error = await self._take(batch)
        apart = error is not None and not isinstance(error, StoreUnavailable)
        for events, done in callers:
            fault = await self._take_apart(events) if apart else error
            self._events -= len(events)
            if done.done():
                continue  # the caller went away; its events are kept all the same
            if fault is not None:
                done.set_exception(fault)
            else:
                done.set_result(None)

    async def _take_apart(self, events: Sequence[Event]) -> Exception | None:
        """One at a time, so that an event that cannot be taken in harms only the caller that sent it.
        What went wrong, if anything did."""
        wrong: Exception | None = None
        for event in events:
            fault = await self._take((event,))
            if isinstance(fault, StoreUnavailable):
                return fault
            if fault is not None:
                _log.error(
                    "an event cannot be taken in", message_id=event.message_id, source=event.source, error=repr(fault)
                )
                wrong = fault
        return wrong

    def _fit(self, count: int, seconds: float) -> None:
        """Make the next batch one that holds the writer no longer than it should: events of 32 KB take their time."""
        if seconds > HOLD:
            self._piece = max(1, min(self._piece, int(count * HOLD / seconds)))
        elif self._piece < BATCH:
            self._piece = min(BATCH, self._piece * 2)

    async def _take(self, batch: Sequence[Event]) -> Exception | None:
        """Commit a batch; what went wrong, if anything did."""
        running, now = self._running, self._now

        def job(tx: Transaction) -> Ingested:
            began = time.perf_counter()
            taken = ingest(tx, running(), batch, now())
            self._fit(len(batch), time.perf_counter() - began)
            reach("before-ingest-commit")
            return taken

        try:
            ingested = await asyncio.wrap_future(self._store.write(job))
            reach("after-ingest-commit")
        except Exception as raised:
            return raised
        try:
            self._listener(ingested)
        except Exception:  # they are committed: whoever only listens must not have them sent again
            _log.exception("what was done could not be told")
        return None
