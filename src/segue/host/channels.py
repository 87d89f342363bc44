"""An open channel, kept apart from the engine: see `segue.host.containment`.

Whatever it does, the caller gets typed answers:

- it raises, answers junk or takes too long: ``Unknown``, for the message may have gone;
- it blocks its loop, or ignores that it was cancelled: the same, and its thread is abandoned and it is set aside;
- it is set aside: ``Retry`` at once, until it has been opened anew on a fresh thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from segue.api import (
    Answer,
    Callback,
    Channel,
    ChannelSpec,
    Finding,
    Forget,
    Message,
    Polled,
    Request,
    Retry,
    Sent,
    Tools,
    Unknown,
)
from segue.host.answers import read_answers, read_callback, read_findings, read_polled
from segue.host.containment import Blocked, Contained, Fault, Limits, NotBegun
from segue.host.secrets import strike

Handed = TypeVar("Handed", Message, Forget)
Heard = TypeVar("Heard")


class OpenChannel(Contained[Channel]):
    """One channel of the project. Made by `OpenChannel.open`."""

    def __init__(
        self,
        spec: ChannelSpec,
        config: msgspec.Struct,
        tools: Tools,
        limits: Limits,
        on_fault: Callable[[str], None],
    ) -> None:
        super().__init__(
            "channel",
            tools.channel,
            config,
            lambda: spec.open(config, tools),
            _calls(spec),
            tools.http,
            limits,
            on_fault,
        )
        self.spec = spec
        self._slots = asyncio.Semaphore(spec.in_flight)
        self._in_a_row = 0

    @classmethod
    async def open(
        cls,
        spec: ChannelSpec,
        config: msgspec.Struct,
        tools: Tools,
        *,
        limits: Limits | None = None,
        on_fault: Callable[[str], None] = lambda reason: None,
    ) -> OpenChannel:
        """Open the channel. One that doesn't open is returned all the same, set aside, and is tried again.

        ``on_fault`` hears of each fault, on the caller's loop; its text holds no secret of the configuration.
        """
        opened = cls(spec, config, tools, limits or Limits(), on_fault)
        await opened._begin()
        return opened

    async def send(self, messages: Sequence[Message]) -> list[Answer]:
        """Hand over; one answer per message, in order. Never raises for what the channel does. More than ``spec.batch``
        messages go in several calls; no more than ``spec.in_flight`` calls are under way at once."""
        return await self._answered(messages, lambda channel, batch: channel.send(batch))

    async def retract(self, messages: Sequence[Message]) -> list[Answer]:
        """Take back; answers as `send` does."""
        return await self._answered(messages, lambda channel, batch: channel.retract(batch))

    async def forget(self, customers: Sequence[Forget]) -> list[Answer]:
        """Have the provider erase customers; answers as `send` does."""
        return await self._answered(customers, lambda channel, batch: channel.forget(batch))

    async def receive(self, request: Request) -> Callback:
        """What a provider's call means. Raises Fault; the provider should then get a 503 and try again.

        Faults here don't set the channel aside, or anyone who finds the address could: only blocking does.
        """
        return await self._heard(
            lambda channel: channel.receive(request),
            lambda returned: read_callback(returned, self.spec.reactions),
            self._limits.receiving,
        )

    async def poll(self) -> Polled:
        """What came in. Raises Fault, and is asked again later: a mailbox that cannot be read stops no sending."""
        return await self._heard(
            lambda channel: channel.poll(),
            lambda returned: read_polled(returned, self.spec.reactions),
            self._limits.fetching,
        )

    async def settle(self, polled: Polled) -> None:
        """Say that all of it is committed. Raises Fault as `poll` does."""
        await self._heard(lambda channel: channel.settle(polled), lambda returned: None, self._limits.settling)

    async def examine(self) -> list[Finding]:
        """What the channel finds outside Segue. Raises Fault."""
        return await self._heard(lambda channel: channel.examine(), read_findings, self._limits.examining)

    async def _heard(
        self, ask: Callable[[Channel], Awaitable[object]], read: Callable[[object], Heard], seconds: float
    ) -> Heard:
        running = self._running
        if running is None:
            raise Fault(f"the channel {self.name} is {self.state}: {self.reason}")
        try:
            return read(await self._on(running, lambda: ask(running.plugin), seconds))
        except ValueError as error:
            fault = Fault(self._say(str(error)))
            self._count(fault)
            raise fault from None
        except Fault as fault:
            self._count(fault)
            if isinstance(fault, Blocked):
                self._set_aside(str(fault), running, lost=True)
            raise

    # What is asked of the channel

    async def _answered(
        self,
        wanted: Sequence[Handed],
        ask: Callable[[Channel, Sequence[Handed]], Awaitable[Sequence[Answer]]],
    ) -> list[Answer]:
        answers: list[Answer] = []
        for start in range(0, len(wanted), self.spec.batch):
            async with self._slots:
                answers += await self._ask(wanted[start : start + self.spec.batch], ask)
        return answers

    async def _ask(
        self,
        batch: Sequence[Handed],
        ask: Callable[[Channel, Sequence[Handed]], Awaitable[Sequence[Answer]]],
    ) -> list[Answer]:
        running = self._running
        if running is None:
            return [self._later() for _ in batch]
        try:
            returned = await self._on(running, lambda: ask(running.plugin, batch), self.spec.timeout)
        except Fault as raised:
            # What a plugin raises may quote what it was sending, and to whom: neither log nor ledger needs that.
            fault = type(raised)(strike(str(raised), _personal(batch)))
            self._count(fault)
            self._in_a_row += 1
            lost = isinstance(fault, Blocked | NotBegun)
            if lost or self._in_a_row >= self._limits.faults:
                self._set_aside(str(fault), running, lost=lost)
            if isinstance(fault, NotBegun):
                return [Retry(str(fault)) for _ in batch]
            return [Unknown(str(fault)) for _ in batch]
        read, junk = read_answers(returned, len(batch))
        answers = [self._struck(answer) for answer in read]
        if junk is None:
            self._in_a_row = 0
            self._pause = self._limits.first
            return answers
        self._count(Fault(self._say(junk)))
        self._in_a_row += 1
        if self._in_a_row >= self._limits.faults:
            self._set_aside(self._say(junk), running)
        return answers

    def _struck(self, answer: Answer) -> Answer:
        """Without secrets in the reason: a provider may quote the call that it refuses, key and all."""
        if isinstance(answer, Sent) or not self._secrets or not answer.reason:
            return answer
        return msgspec.structs.replace(answer, reason=strike(answer.reason, self._secrets))

    def _later(self) -> Retry:
        after = max(0.0, self._next - self._loop.time()) if self._next is not None else self._limits.longest
        return Retry(f"the channel {self.name} is {self.state}: {self.reason}", after)


def _calls(spec: ChannelSpec) -> tuple[str, ...]:
    """What is asked of a channel."""
    return (
        *("send", "receive", "retract"),
        *(("forget",) if spec.keeps else ()),
        *(("poll", "settle") if spec.polls else ()),
        *(("examine",) if spec.examines else ()),
    )


def _personal(batch: Sequence[Message] | Sequence[Forget]) -> tuple[str, ...]:
    """The texts in what is handed over that belong to customers."""
    found: set[str] = set()
    for one in batch:
        found.add(one.customer)
        found.update((one.address, *one.content.values()) if isinstance(one, Message) else one.addresses)
    return tuple(text for text in found if len(text) > 2)
