"""The inbox: what sources hand over, gathered into batches; each caller is answered once its batch has committed."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import structlog

from segue.api import Event, Fetched, Instant, Rejection
from segue.runtime.busy import Busy
from segue.runtime.crashpoints import reach
from segue.runtime.ingest import Ingested, ingest
from segue.runtime.running import Running
from segue.runtime.source_clocks import SourceClocks
from segue.store.database import Store, Transaction
from segue.store.errors import StoreUnavailable
from segue.store.fetching import put_position
from segue.store.rejections import reject

_log = structlog.get_logger("segue")

BATCH = 1000
"""Events in one transaction, at most about: a batch is whatever waits, and is never waited for."""
HOLD: Final = 0.04
"""Seconds that a batch may hold the writer; where one did longer, the next are smaller."""
MOST_WAITING = 20_000
"""Events that may wait. Beyond it sources are asked to come again:
their own queues are as durable as memory here is not."""


class _Delivery(msgspec.Struct, frozen=True):
    """What one caller hands over. ``source`` is that of one that fetches: with it, what is committed beside events."""

    events: Sequence[Event]
    source: str | None = None
    position: str | None = None
    rejections: Sequence[Rejection] = ()


class Inbox:
    """Takes events from any number of callers on one event loop."""

    def __init__(
        self,
        store: Store,
        running: Callable[[], Running],
        now: Callable[[], Instant],
        listener: Callable[[Ingested], None],
        most: int = MOST_WAITING,
        clocks: SourceClocks | None = None,
    ) -> None:
        self._store = store
        self._running = running
        self._now = now
        self._listener = listener
        self._most = most
        self._clocks = clocks
        self._piece = BATCH
        self._waiting: deque[tuple[_Delivery, asyncio.Future[None]]] = deque()
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
        if events or self._closed:
            await self._deliver(_Delivery(events))

    async def put_fetched(self, source: str, fetched: Fetched) -> None:
        """Take what a source fetched; returns once its events, its rejections and its position are committed, together.
        Raises as `put` does, but for an event that cannot be taken in: nobody could send it better, so that it becomes
        a rejection."""
        await self._deliver(_Delivery(fetched.events, source, fetched.position, fetched.rejections))

    async def _deliver(self, delivery: _Delivery) -> None:
        if self._closed:
            raise Busy(5.0, "Segue is stopping")
        count = len(delivery.events)
        if self._events and self._events + count > self._most:
            raise Busy(1.0)
        arrived = self._now()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((delivery, done))
        self._events += count
        self._arrived.set()
        self._idle.clear()
        await done
        if self._clocks is not None:
            self._clocks.note(delivery.events, arrived, called=delivery.source is None)

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
            batch: list[tuple[_Delivery, asyncio.Future[None]]] = []
            count = 0
            while self._waiting and (not batch or count + len(self._waiting[0][0].events) <= self._piece):
                batch.append(self._waiting.popleft())
                count += len(batch[-1][0].events)
            await self._commit(batch)

    async def _commit(self, batch: Sequence[tuple[_Delivery, asyncio.Future[None]]]) -> None:
        error = await self._take([delivery for delivery, _ in batch])
        apart = error is not None and not isinstance(error, StoreUnavailable)
        for delivery, done in batch:
            fault = await self._take_apart(delivery) if apart else error
            self._events -= len(delivery.events)
            if done.done():
                continue  # the caller went away; its events are kept all the same
            if fault is not None:
                done.set_exception(fault)
            else:
                done.set_result(None)

    async def _take_apart(self, delivery: _Delivery) -> Exception | None:
        """One at a time, so that an event that cannot be taken in harms only the caller that sent it.
        What went wrong, if anything did."""
        wrong: Exception | None = None
        rejections = list(delivery.rejections)
        for event in delivery.events:
            fault = await self._take((_Delivery((event,)),))
            if isinstance(fault, StoreUnavailable):
                return fault
            if fault is not None:
                _log.error(
                    "an event cannot be taken in", message_id=event.message_id, source=event.source, exc_info=fault
                )
                reason = f"The event cannot be taken in ({type(fault).__name__}); the log has more about it."
                rejections.append(Rejection(place=event.message_id, reason=reason, raw=msgspec.json.encode(event)))
                wrong = fault
        if delivery.source is None:
            return wrong
        # The position last: after a crash in between, what was taken comes again and is found to be a duplicate.
        return await self._take((_Delivery((), delivery.source, delivery.position, rejections),))

    def _fit(self, count: int, seconds: float) -> None:
        """Make the next batch one that holds the writer no longer than it should: events of 32 KB take their time."""
        if seconds > HOLD:
            self._piece = max(1, min(self._piece, int(count * HOLD / seconds)))
        elif self._piece < BATCH:
            self._piece = min(BATCH, self._piece * 2)

    async def _take(self, batch: Sequence[_Delivery]) -> Exception | None:
        """Commit a batch; what went wrong, if anything did."""
        running, now = self._running, self._now
        events = [event for delivery in batch for event in delivery.events]

        def job(tx: Transaction) -> Ingested:
            began = time.perf_counter()
            moment = now()
            taken = ingest(tx, running(), events, moment)
            for delivery in batch:
                if delivery.source is not None:
                    put_position(tx, delivery.source, delivery.position, moment)
                    reject(tx, delivery.source, delivery.rejections, moment)
            self._fit(len(events), time.perf_counter() - began)
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
