"""A channel's loop: claim what is due, render it, hand it over, note the answers. One for each channel, so none waits for another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from segue.api import Answer, ChannelSpec, Instant, Message, Rejected
from segue.messages.catalogue import Catalogue
from segue.messages.rendering import RenderError, render
from segue.runtime.crashpoints import reach
from segue.runtime.dispatch import Claim, Claims, Outcome, claim, settle
from segue.runtime.running import Running
from segue.runtime.turn import Done
from segue.store.database import FIRST, Store
from segue.store.errors import StoreUnavailable


class Sends(Protocol):
    """What hands messages over: `segue.host.channels.OpenChannel`."""

    @property
    def spec(self) -> ChannelSpec: ...

    async def send(self, messages: Sequence[Message]) -> list[Answer]: ...


class Sender:
    """The loop of one channel. ``listener`` hears of each turn, ``ring`` is asked to call `wake` at an instant."""

    def __init__(
        self,
        name: str,
        channel: Sends,
        store: Store,
        *,
        running: Callable[[], Running],
        content: Callable[[], Catalogue],
        now: Callable[[], Instant],
        listener: Callable[[Done], None],
        ring: Callable[[str, Instant], None],
        held: Callable[[], bool],
    ) -> None:
        self.name = name
        self.channel = channel
        self._store = store
        self._running = running
        self._content = content
        self._now = now
        self._listener = listener
        self._ring = ring
        self._held = held
        self._due = asyncio.Event()
        self._due.set()
        self._stopping = False
        self._loop: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._pace = _Pace(channel.spec.rate)

    def start(self) -> None:
        """Begin with whatever is due."""
        self._loop = asyncio.create_task(self._serve(), name=f"sender {self.name}")

    def wake(self) -> None:
        """Something may be due."""
        self._due.set()

    async def stop(self) -> None:
        """Claim no more; what is claimed is handed over and noted."""
        self._stopping = True
        self._due.set()
        if self._loop is not None:
            await asyncio.wait({self._loop})
        if self._under_way:
            await asyncio.wait(set(self._under_way))

    async def _serve(self) -> None:
        pause = 0.1
        while True:
            await self._due.wait()
            self._due.clear()
            if self._stopping:
                return
            if self._held():
                continue
            try:
                await self._send_due()
                pause = 0.1
            except StoreUnavailable:
                await asyncio.sleep(pause)  # nothing was claimed, or the outcome is repeated by the next start
                pause = min(pause * 2, 5.0)
                self._due.set()

    async def _send_due(self) -> None:
        spec = self.channel.spec
        while not self._stopping:
            limit = self._pace.allowance(spec.batch)
            claims = await self._claim(limit)
            self._listener(claims.done)
            if claims.claims:
                await self._pace.take(len(claims.claims))
                await self._slot(spec.in_flight)
                task = asyncio.create_task(self._hand_over(claims.claims))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
            if claims.seen < limit:
                if claims.next_due is not None:
                    self._ring(self.name, claims.next_due)
                return

    async def _claim(self, limit: int) -> Claims:
        running, content, now, name = self._running, self._content, self._now, self.name
        return await asyncio.wrap_future(
            self._store.write(lambda tx: claim(tx, running(), content(), name, now(), limit), FIRST)
        )

    async def _slot(self, most: int) -> None:
        """Wait until one more call may be under way."""
        while len(self._under_way) >= most:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)

    async def _hand_over(self, claims: Sequence[Claim]) -> None:
        reach("after-claim-commit")
        messages: list[Message] = []
        rows: list[int] = []
        outcomes: list[Outcome] = []
        for one in claims:
            try:
                content = render(one.template, one.values) if one.template is not None else {}
            except RenderError as error:
                outcomes.append(Outcome(one.row, Rejected(f"its content cannot be rendered: {error}")))
                continue
            rows.append(one.row)
            messages.append(_message(one, content))
        if messages:
            answers = await self.channel.send(messages)
            reach("after-call")
            outcomes += [Outcome(row, answer) for row, answer in zip(rows, answers, strict=True)]
        if (done := await self._note(outcomes)) is not None:
            reach("after-outcome-commit")
            self._listener(done)
            self._due.set()

    async def _note(self, outcomes: Sequence[Outcome]) -> Done | None:
        """Commit the answers, however long the store needs. None where Segue stops first: the next start then finds the messages claimed, and
        calls again with the same keys."""
        running, now = self._running, self._now
        pause = 0.1
        while True:
            try:
                return await asyncio.wrap_future(
                    self._store.write(lambda tx: settle(tx, running(), outcomes, now()), FIRST)
                )
            except StoreUnavailable:
                if self._stopping:
                    return None
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)


def _message(one: Claim, content: dict[str, str]) -> Message:
    return Message(
        key=one.key,
        channel=one.channel,
        name=one.message,
        kind=one.kind,  # type: ignore[arg-type]  # the ledger holds only kinds
        customer=one.customer,
        address=one.address,
        content=content,
        rule=one.rule,
        expires=one.expires,
        attempt=one.attempt,
    )


class _Pace:
    """A token bucket that holds two seconds' worth: what is claimed goes out within them."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._tokens = 0.0
        self._then = time.monotonic()

    def allowance(self, batch: int) -> int:
        """How many may be claimed at once."""
        return batch if self._rate is None else max(1, min(batch, int(self._rate * 2)))

    async def take(self, count: int) -> None:
        """Wait until so many may go."""
        if self._rate is None:
            return
        present = time.monotonic()
        self._tokens = min(self._rate, self._tokens + (present - self._then) * self._rate) - count
        self._then = present
        if self._tokens < 0:
            await asyncio.sleep(-self._tokens / self._rate)
