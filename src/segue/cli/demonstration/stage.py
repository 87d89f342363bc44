"""The demo under way: a real daemon, the shop that sends it events over HTTP, and an eye on both."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Final

from segue.api import Instant
from segue.cli.demonstration.answers import Answers
from segue.cli.demonstration.client import Client
from segue.cli.demonstration.diary import Call
from segue.cli.demonstration.mailbox import Mailbox
from segue.cli.demonstration.project import CODES, MAILBOX, WRITE_KEY
from segue.cli.demonstration.scene import Counts, Scene, look
from segue.cli.demonstration.shop import Shop
from segue.cli.service import Service
from segue.program.calendar import find_zone
from segue.runtime.assembly import Assembly, CheckedBook
from segue.runtime.running import DecisionLine
from segue.store.coupons import add_codes, load_pools
from segue.store.database import LAST, Store, Transaction
from segue.store.positions import count_customers

TICK = 0.08
"""Wall seconds between two looks at what the customers do."""
LOOK = 0.4
"""Wall seconds between two looks at the store."""
PLENTY: Final = 1000
"""How many coupon codes each pool has to begin with; fewer that are free, and as many come."""


class Stage:
    """A daemon with its shop. ``shop`` has been open for weeks already; without one, it opens now. ``hears`` is told
    each decision as it is made."""

    def __init__(
        self,
        assembly: Assembly,
        store: Store,
        *,
        speed: float,
        seed: int,
        pace: float,
        shop: Shop | None = None,
        hears: Callable[[DecisionLine], None] | None = None,
    ) -> None:
        self.assembly = assembly
        self.service = Service(assembly, store, speed=speed, listener=self._hear)
        self.scene = Scene(self.service.clock)
        self.ended = asyncio.Event()
        """Set when the demo is over: asked for, or because a part of it failed."""
        self.failure: BaseException | None = None
        self._store = store
        self._seed = seed
        self._pace = pace
        self.shop = shop
        self._hears = hears
        self._mailbox = Mailbox(assembly.project.root / MAILBOX, from_end=True)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def url(self) -> str:
        """Where the daemon listens."""
        return f"http://{self.assembly.project.http.host}:{self.service.port}"

    async def start(self, book: CheckedBook) -> None:
        """Start the daemon and open the shop. Raises CannotStart."""
        self._store.apply(fill_pools)  # before the daemon, which may want a code at once
        await self.service.start(book, publish=True, who="segue demo", on_proof=lambda healthy: None)
        await self._look()
        new = self.shop is None
        if self.shop is None:
            self.shop = await self._open_shop()
        self.spawn(self._trade(self.shop, self.shop.past if new else []))
        self.spawn(self._watch())

    async def _open_shop(self) -> Shop:
        first = await asyncio.wrap_future(self._store.write(count_customers))
        return open_shop(
            self.assembly, self.scene.now, speed=self.service.clock.speed, seed=self._seed, pace=self._pace, first=first
        )

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something run until the demo ends; where it fails, the demo ends."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._on_done)
        self._tasks.append(task)

    async def stop(self) -> Counts:
        """Close the shop, drain and stop the daemon. The last counts, taken when everything had come to rest."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.service.stop()
        self._receive(None)
        with contextlib.closing(Store(self.assembly.project.database)) as store:
            self.scene.counts = store.apply(look)
        return self.scene.counts

    def _on_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None and self.failure is None:
            self.failure = error
            self.ended.set()

    def _hear(self, line: DecisionLine) -> None:
        self.scene.hear(line)
        if self._hears is not None:
            self._hears(line)

    async def _trade(self, shop: Shop, past: list[Call]) -> None:
        """Customers act, and answer the messages they got; what was before is told first."""
        answers = Answers(shop)
        async with Client(self.url, WRITE_KEY) as client:
            await client.send(past)
            while True:
                self._receive(answers)
                if deeds := shop.until(self.scene.now):
                    await client.send(deeds)
                await asyncio.sleep(TICK)

    def _receive(self, answers: Answers | None) -> None:
        for letter in self._mailbox.read():
            self.scene.receive(letter)
            if answers is not None:
                answers.hear(letter, self.scene.now)

    async def _watch(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(LOOK)

    async def _look(self) -> None:
        self.scene.counts = await asyncio.wrap_future(self._store.write(look, LAST))
        self.scene.mark(self.service.daemon.counts.events)


def open_shop(assembly: Assembly, now: Instant, *, speed: float, seed: int, pace: float, first: int = 0) -> Shop:
    """A shop that opens at a moment, with ``first`` customers in the store; ``pace`` people come to it in a wall second
    at such a speed."""
    zone = find_zone(assembly.project.zone)
    assert zone is not None, "the project was checked"
    return Shop(seed, now, zone=zone, pace=pace * 3600 / speed, first=first, run=f"{now:x}")


def fill_pools(tx: Transaction) -> None:
    """See to it that rules find coupon codes in their pools."""
    pools = {pool.name: pool for pool in load_pools(tx)}
    for name, begins in CODES.items():
        pool = pools.get(name)
        if pool is None or pool.free < PLENTY:
            first = 0 if pool is None else pool.codes
            add_codes(tx, name, [f"{begins}-{number:05}" for number in range(first, first + PLENTY)])
