"""Sources that fetch: what they bring is committed together with their position, and only then acknowledged.

Each source has a loop of its own: fetch, commit, settle, wait. A source that cannot be reached, hangs or answers junk
is set aside by its host and opened anew; the others, and the engine, do not notice. Where Segue itself takes no more,
or the store cannot write, the same is offered again, ever less often, and is not settled before. Stopped, what was
fetched is committed and settled, or neither.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

import msgspec
import structlog

from segue.api import Fetched, Instant
from segue.api.values import SECOND
from segue.clock.bell import Bell
from segue.clock.clock import Clock
from segue.host import Fault
from segue.runtime.asking import FIRST_PAUSE, Asking
from segue.runtime.busy import Busy
from segue.runtime.inbox import BATCH, Inbox
from segue.store.database import Store
from segue.store.errors import StoreUnavailable
from segue.store.fetching import load_position

_log = structlog.get_logger("segue")


class Fetches(Protocol):
    """A source as the loop asks it: `segue.host.sources.OpenSource`, or a test's."""

    @property
    def state(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def faults(self) -> int: ...
    async def ready(self) -> None: ...
    async def fetch(self, position: str | None) -> Fetched: ...
    async def settle(self, fetched: Fetched) -> None: ...


class Fetcher(Asking):
    """The loop of one source. What it counts is since the start."""

    def __init__(self, name: str, source: Fetches, store: Store, inbox: Inbox, clock: Clock, bell: Bell) -> None:
        super().__init__("source", name)
        self.source = source
        self.fetched = 0
        """Events that were committed, duplicates among them."""
        self.rejected = 0
        self.unsettled = 0
        """Batches that were committed, and could not be acknowledged: they come again."""
        self.reached: Instant | None = None
        """When the other side last answered."""
        self.lag = 0.0
        """Seconds between the newest event of the last batch and its commit."""
        self._store = store
        self._inbox = inbox
        self._clock = clock
        self._bell = bell
        self._position: str | None = None
        self._ring = asyncio.Event()
        self._due: Instant | None = None

    def look(self) -> None:
        """Ask again if it is time: heals a ring that was lost, and a wall clock that was set."""
        if self._due is not None and self._due <= self._clock.look():
            self._ring.set()

    async def _go_on(self) -> None:
        self._position = await self._begin()
        while not self._stopping.is_set():
            fetched = await self._fetch()
            if fetched is None:
                continue
            if fetched.events or fetched.rejections or fetched.position not in (None, self._position):
                if not await self._commit(fetched):
                    return
                self._position = fetched.position if fetched.position is not None else self._position
            await self._settle(fetched)
            if fetched.again > 0:
                await self._wait(fetched.again)

    async def _begin(self) -> str | None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                return await asyncio.wrap_future(self._store.write(lambda tx: load_position(tx, self.name)))
            except StoreUnavailable as error:
                _log.error("the store does not answer", source=self.name, error=str(error))
                pause = await self._pause(pause)
        return None

    async def _fetch(self) -> Fetched | None:
        """What is new; None where the source is set aside, or Segue stops."""
        if self.source.state != "open":
            await self._unless_stopping(self.source.ready())
            return None
        try:
            fetched = await self._ask(self.source.fetch(self._position))
        except Fault:
            return None  # whoever opened it has told why, and opens it again
        if fetched is None:
            return None
        self.reached = self._clock.look()
        return fetched

    async def _commit(self, fetched: Fetched) -> bool:
        """Have everything committed; False where Segue stops before that could be done."""
        pause = FIRST_PAUSE
        pieces = _pieces(fetched)
        while pieces:
            try:
                await self._inbox.put_fetched(self.name, pieces[0])
            except (Busy, StoreUnavailable) as error:
                if self._stopping.is_set():
                    return False
                if isinstance(error, StoreUnavailable):
                    _log.warning("events not stored: offered again", source=self.name, error=str(error))
                pause = await self._pause(max(pause, error.retry_after) if isinstance(error, Busy) else pause)
                continue
            self.fetched += len(pieces[0].events)
            self.rejected += len(pieces[0].rejections)
            del pieces[0]
            pause = FIRST_PAUSE
        if fetched.rejections:
            first = fetched.rejections[0]
            _log.warning(
                "a source brought what cannot be taken: see `segue rejected`",
                source=self.name,
                rejected=len(fetched.rejections),
                place=first.place,
                reason=first.reason,
            )
        if fetched.events:
            newest = max(event.timestamp for event in fetched.events)
            self.lag = max(0, self._clock.look() - newest) / SECOND
        return True

    async def _settle(self, fetched: Fetched) -> None:
        try:
            await self.source.settle(fetched)
        except Fault as fault:
            self.unsettled += 1
            _log.warning(
                "a source did not hear that all is stored: it comes again", source=self.name, reason=str(fault)
            )

    async def _wait(self, seconds: float) -> None:
        """Until it is time to ask again, by Segue's own clock."""
        self._ring.clear()
        self._due = Instant(self._clock.look() + int(seconds * SECOND))
        self._bell.ring_at(f"source {self.name}", self._due, self._ring.set)
        await self._unless_stopping(self._ring.wait())
        self._due = None


class Fetchers:
    """The loops of all sources that fetch."""

    def __init__(self, sources: Mapping[str, Fetches], store: Store, inbox: Inbox, clock: Clock, bell: Bell) -> None:
        self.all: dict[str, Fetcher] = {}
        self._how = (store, inbox, clock, bell)
        for name, source in sources.items():
            self.add(name, source)

    def add(self, name: str, source: Fetches) -> Fetcher:
        """One more, which is not started yet."""
        self.all[name] = Fetcher(name, source, *self._how)
        return self.all[name]

    def start(self) -> None:
        """Begin with all."""
        for fetcher in self.all.values():
            fetcher.start()

    async def stop(self) -> None:
        """Stop all, at once."""
        await asyncio.gather(*(fetcher.stop() for fetcher in self.all.values()))

    def look(self) -> None:
        """Ask those again for which it is time."""
        for fetcher in self.all.values():
            fetcher.look()


def _pieces(fetched: Fetched) -> list[Fetched]:
    """What one transaction takes each; the position, and what was rejected, go with the last."""
    if len(fetched.events) <= BATCH:
        return [fetched]
    starts = range(0, len(fetched.events), BATCH)
    pieces = [Fetched(events=fetched.events[start : start + BATCH]) for start in starts]
    pieces[-1] = msgspec.structs.replace(fetched, events=pieces[-1].events)
    return pieces
