"""What sources that are called refused: kept for `segue rejected`, as far as it is worth keeping.

Anyone who finds the address can send what is refused, so that a flood of it must neither fill the disk nor hold the
writer: of each source a first burst is kept, then so many a second, written together in a transaction that comes last.
The rest is counted.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from segue.api import Instant, Rejection
from segue.store.database import LAST, Store, Transaction
from segue.store.errors import StoreUnavailable
from segue.store.rejections import LONGEST_RAW, forget_rejections, reject

BURST: Final = 100
A_SECOND: Final = 1.0
"""Rejections of one source that are kept at once, and on the average from then on."""
WRITTEN_EVERY: Final = 1.0
"""Seconds."""


class _Waiting(msgspec.Struct):
    """What waits of one source, and how many more it may add."""

    allowance: float
    since: float
    kept: list[Rejection]
    dropped: int = 0


class Refusals:
    """Takes what was refused, from one event loop."""

    def __init__(self, store: Store, now: Callable[[], Instant]) -> None:
        self._store = store
        self._now = now
        self._sources: dict[str, _Waiting] = {}
        self._writing: asyncio.Task[None] | None = None
        self._sweeping: asyncio.Task[None] | None = None

    def take(self, source: str, rejections: Sequence[Rejection]) -> None:
        """Keep or count them; returns at once."""
        present = asyncio.get_running_loop().time()
        waiting = self._sources.get(source)
        if waiting is None:
            waiting = self._sources[source] = _Waiting(BURST, present, [])
        waiting.allowance = min(BURST, waiting.allowance + (present - waiting.since) * A_SECOND)
        waiting.since = present
        taken = min(len(rejections), int(waiting.allowance))
        waiting.allowance -= taken
        for one in rejections[:taken]:
            # A large body is let go of now: what waits is bounded.
            waiting.kept.append(msgspec.structs.replace(one, raw=one.raw[: LONGEST_RAW * 2]))
        waiting.dropped += len(rejections) - taken
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_soon())

    def sweep(self) -> None:
        """Forget what was kept long enough."""
        self._sweeping = asyncio.create_task(self._forget())

    async def stop(self) -> None:
        """Write what waits."""
        for task in (self._writing, self._sweeping):
            if task is not None:
                task.cancel()
                await asyncio.wait({task})
        await self._write()

    async def _write_soon(self) -> None:
        await asyncio.sleep(WRITTEN_EVERY)
        await self._write()

    async def _write(self) -> None:
        found = {name: one for name, one in self._sources.items() if one.kept or one.dropped}
        taken = {name: (tuple(one.kept), one.dropped) for name, one in found.items()}
        for one in found.values():
            one.kept.clear()
            one.dropped = 0

        def job(tx: Transaction) -> None:
            now = self._now()
            for name, (kept, dropped) in taken.items():
                reject(tx, name, kept, now, dropped)

        if taken:
            with contextlib.suppress(StoreUnavailable):  # whoever was refused has heard why
                await asyncio.wrap_future(self._store.write(job, LAST))

    async def _forget(self) -> None:
        with contextlib.suppress(StoreUnavailable):  # the next sweep goes on
            while await asyncio.wrap_future(self._store.write(lambda tx: forget_rejections(tx, self._now()), LAST)):
                pass
