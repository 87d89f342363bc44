"""Where pieces are handed in: the store, where nobody holds it, else what the daemon that does will take from it.

Reading stays with the command either way. It may read what the daemon's user may not, it takes a second core, and no
library that reads files comes into the daemon.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final, Self, TypeVar

from segue.api import Instant
from segue.clock.clock import Clock
from segue.runtime.assembly import Assembly, CheckedBook
from segue.runtime.importing import Importer
from segue.runtime.publishing import preview, resume
from segue.runtime.running import Running, with_content
from segue.store.database import Store, Transaction, change, holder
from segue.store.errors import StoreError, StoreInUse, StoreUnavailable
from segue.store.sweeps import latest_moment

T = TypeVar("T")

_TAKE_OVER: Final = 1.0
"""Seconds between two tries to hold the store oneself, after the daemon may have ended."""
_HOLD: Final = 0.036
"""Seconds that a transaction should take where only other commands may wait for it."""


class Unpublished(StoreError):
    """No rules are published, and journeys are to be started."""


class Desk:
    """The store's side of an import. An asynchronous context: it holds the store meanwhile, where nobody else does."""

    def __init__(self, assembly: Assembly, book: Callable[[], CheckedBook], *, starts: bool) -> None:
        """``book`` is asked for what the rules on disk say. Raises StoreError on entering where the store cannot be
        used, Unpublished where journeys are to start that nobody has published."""
        self._assembly = assembly
        self._path = assembly.project.database
        self._book = book
        self._starts = starts
        self._clock = Clock()
        self._store: Store | None = None
        self._running: Running | None = None
        self._importer: Importer | None = None
        self._tried = 0.0

    @property
    def daemon(self) -> int | None:
        """The process of the daemon that takes in what is handed in here; None where it is this one."""
        return holder(self._path) if self._store is None else None

    async def __aenter__(self) -> Self:
        await self._take_over()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._importer is not None:
            await self._importer.stop()
        if self._store is not None:
            await asyncio.to_thread(self._store.close)

    async def _take_over(self) -> None:
        """Hold the store, unless somebody does."""
        self._tried = time.monotonic()
        try:
            store = Store(self._path)
        except StoreInUse:
            return
        try:
            self._running = self._prepare(store)
        except BaseException:
            store.close()
            raise
        store.start()
        self._store = store
        self._importer = Importer(store, lambda: self.running, self._clock.now, lambda _: None, hold=_HOLD)
        self._importer.start()

    @property
    def running(self) -> Running:
        assert self._running is not None
        return self._running

    def _prepare(self, store: Store) -> Running:
        self._clock.not_before(store.apply(latest_moment))
        setting = self._assembly.setting
        book = self._book()
        running = store.apply(lambda tx: resume(tx, setting))
        if running is None:
            if self._starts:
                raise Unpublished("no rules are published yet, so that no journey can start: `segue publish` first")
            running = preview(book.checked.book, setting)
        return with_content(running, book.content)

    async def write(self, job: Callable[[Transaction], T]) -> T:
        """Run a short job in a transaction of its own."""
        if self._store is not None:
            return await asyncio.wrap_future(self._store.write(job))
        with contextlib.suppress(StoreUnavailable):
            return await asyncio.to_thread(change, self._path, job)
        await asyncio.sleep(1.0)  # a writer that is busy for longer than SQLite waits
        return await asyncio.to_thread(change, self._path, job)

    async def wait(self, seconds: float) -> None:
        """Let whoever takes pieces in get on; hold the store oneself where the daemon has ended."""
        if self._importer is not None:
            self._importer.look()
        elif time.monotonic() - self._tried > _TAKE_OVER:
            await self._take_over()
        await asyncio.sleep(seconds)

    def now(self) -> Instant:
        """The present, as records have it."""
        return self._clock.now()
