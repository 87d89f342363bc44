"""An open channel, kept apart from the engine.

The channel runs on a thread with an event loop of its own, and time is measured on the caller's. Whatever it
does, the caller gets typed answers:

- it raises, answers junk or takes too long: ``Unknown``, for the message may have gone;
- it blocks its loop, or ignores that it was cancelled: the same, and its thread is abandoned and it is set aside;
- it is set aside: ``Retry`` at once, until it has been opened anew on a fresh thread.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, Protocol, TypeVar, cast, runtime_checkable

import msgspec

from segue.api import Answer, Callback, Channel, ChannelSpec, Message, Request, Retry, Tools, Unknown
from segue.host.answers import clean, read_answers, read_callback
from segue.host.loops import LoopThread, Raised
from segue.host.secrets import secrets_in, strike

T = TypeVar("T")

State = Literal["open", "set aside", "closed"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How patient the host is with a channel. All but the counts are seconds.

    ``opening``, ``receiving``, ``closing``  for each of these calls; a send has its spec's time-out
    ``grace``      for a cancelled call to end; one that doesn't blocks its loop, and the thread is abandoned
    ``first``, ``longest``  the wait before a channel that was set aside is opened again; doubled each time
    ``faults``     this many sends in a row that raise, time out or answer junk set it aside
    ``abandoned``  with this many threads left behind and still alive, it stays aside until Segue restarts
    """

    opening: float = 15.0
    receiving: float = 10.0
    closing: float = 5.0
    grace: float = 2.0
    first: float = 1.0
    longest: float = 60.0
    faults: int = 5
    abandoned: int = 3


@runtime_checkable
class _Closes(Protocol):
    """An HTTP client that keeps connections. Asked by what it does: to load aiohttp for its type alone would take a
    tenth of a second of every command."""

    async def close(self) -> None: ...


class ChannelFault(Exception):
    """The channel could not do what was asked; the text says why."""


class _Blocked(ChannelFault):
    """It did not even stop when asked: its thread is lost."""


class _NotBegun(ChannelFault):
    """The call never reached the channel."""


class _Running:
    """A channel on its thread, and whether calls are on it."""

    def __init__(self, thread: LoopThread, channel: Channel) -> None:
        self.thread = thread
        self.channel = channel
        self.idle = asyncio.Event()
        self.idle.set()
        self._calls = 0

    def __enter__(self) -> None:
        self._calls += 1
        self.idle.clear()

    def __exit__(self, *error: object) -> None:
        self._calls -= 1
        if not self._calls:
            self.idle.set()


class OpenChannel:
    """One channel of the project, open, or set aside and being opened again. Made by `OpenChannel.open`.

    ``state`` and ``reason`` say how it is. All calls come from one event loop, never the channel's.
    """

    def __init__(
        self,
        spec: ChannelSpec,
        config: msgspec.Struct,
        tools: Tools,
        limits: Limits,
        on_fault: Callable[[str], None],
    ) -> None:
        self.spec = spec
        self.name = tools.channel
        self.state: State = "set aside"
        self.reason = "not opened yet"
        self.faults = 0
        """How often it raised, timed out, blocked or answered junk, in its whole life."""
        self._config = config
        self._tools = tools
        self._limits = limits
        self._on_fault = on_fault
        self._secrets = tuple(secrets_in(config))
        self._loop = asyncio.get_running_loop()
        self._slots = asyncio.Semaphore(spec.in_flight)
        self._running: _Running | None = None
        self._in_a_row = 0
        self._pause = limits.first
        self._next: float | None = None
        self._abandoned: list[LoopThread] = []
        self._recovery: asyncio.Task[None] | None = None

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
        try:
            opened._take_over(await opened._start())
        except ChannelFault as fault:
            opened._count(fault)
            opened._set_aside(str(fault), None)
        return opened

    async def send(self, messages: Sequence[Message]) -> list[Answer]:
        """Hand over; one answer per message, in order. Never raises for what the channel does. More than ``spec.batch``
        messages go in several calls; no more than ``spec.in_flight`` calls are under way at once."""
        return await self._answered(messages, lambda channel, batch: channel.send(batch))

    async def retract(self, messages: Sequence[Message]) -> list[Answer]:
        """Take back; answers as `send` does."""
        return await self._answered(messages, lambda channel, batch: channel.retract(batch))

    async def receive(self, request: Request) -> Callback:
        """What a provider's call means. Raises ChannelFault; the provider should then get a 503 and try again.

        Faults here don't set the channel aside, or anyone who finds the address could: only blocking does.
        """
        running = self._running
        if running is None:
            raise ChannelFault(f"the channel {self.name} is {self.state}: {self.reason}")
        try:
            returned = await self._on(running, lambda: running.channel.receive(request), self._limits.receiving)
            return read_callback(returned, self.spec.reactions)
        except ValueError as error:
            fault = ChannelFault(self._say(str(error)))
            self._count(fault)
            raise fault from None
        except ChannelFault as fault:
            self._count(fault)
            if isinstance(fault, _Blocked):
                self._set_aside(str(fault), running, lost=True)
            raise

    async def close(self) -> None:
        """Close the channel and end its thread; waits a little for calls under way. Closing twice is harmless."""
        if self.state == "closed":
            return
        self.state, self.reason, self._next = "closed", "Segue is stopping", None
        running, self._running = self._running, None
        recovery, self._recovery = self._recovery, None
        if recovery is not None:
            recovery.cancel()
            await asyncio.wait({recovery})
        if running is not None:
            await self._retire(running)

    # What is asked of the channel

    async def _answered(
        self,
        messages: Sequence[Message],
        ask: Callable[[Channel, Sequence[Message]], Awaitable[Sequence[Answer]]],
    ) -> list[Answer]:
        answers: list[Answer] = []
        for start in range(0, len(messages), self.spec.batch):
            async with self._slots:
                answers += await self._ask(messages[start : start + self.spec.batch], ask)
        return answers

    async def _ask(
        self,
        batch: Sequence[Message],
        ask: Callable[[Channel, Sequence[Message]], Awaitable[Sequence[Answer]]],
    ) -> list[Answer]:
        running = self._running
        if running is None:
            return [self._later() for _ in batch]
        try:
            returned = await self._on(running, lambda: ask(running.channel, batch), self.spec.timeout)
        except ChannelFault as fault:
            self._count(fault)
            self._in_a_row += 1
            lost = isinstance(fault, _Blocked | _NotBegun)
            if lost or self._in_a_row >= self._limits.faults:
                self._set_aside(str(fault), running, lost=lost)
            if isinstance(fault, _NotBegun):
                return [Retry(str(fault)) for _ in batch]
            return [Unknown(str(fault)) for _ in batch]
        answers, junk = read_answers(returned, len(batch))
        if junk is None:
            self._in_a_row = 0
            self._pause = self._limits.first
            return answers
        self._count(ChannelFault(self._say(junk)))
        self._in_a_row += 1
        if self._in_a_row >= self._limits.faults:
            self._set_aside(self._say(junk), running)
        return answers

    def _later(self) -> Retry:
        after = max(0.0, self._next - self._loop.time()) if self._next is not None else self._limits.longest
        return Retry(f"the channel {self.name} is {self.state}: {self.reason}", after)

    async def _on(self, running: _Running, make: Callable[[], Awaitable[T]], seconds: float) -> T:
        with running:
            return await self._call(running.thread, make, seconds)

    async def _call(self, thread: LoopThread, make: Callable[[], Awaitable[T]], seconds: float) -> T:
        """Raises ChannelFault; its text is fit for the ledger and the log."""
        try:
            call = thread.call(make)
        except RuntimeError:
            raise _NotBegun("its thread has ended") from None
        try:
            if not await call.wait(seconds):
                if call.withdraw():
                    raise _NotBegun(f"its event loop was blocked for {seconds:g} s")
                if not await call.wait(self._limits.grace):
                    raise _Blocked(f"it did not answer within {seconds:g} s, and blocks its event loop")
                late = call.outcome()
                if isinstance(late, Raised) and isinstance(late.error, asyncio.CancelledError):
                    raise ChannelFault(f"it did not answer within {seconds:g} s")
        except asyncio.CancelledError:
            call.withdraw()
            raise
        outcome = call.outcome()
        if isinstance(outcome, Raised):
            raise ChannelFault(self._describe(outcome.error))
        return outcome

    # Opening, setting aside, opening again

    async def _start(self) -> _Running:
        try:
            thread = LoopThread(f"segue-channel-{self.name}", self._stray)
        except RuntimeError as error:
            raise ChannelFault(f"no thread for it: {error}") from None
        try:
            return _Running(thread, await self._call(thread, self._make, self._limits.opening))
        except BaseException as error:
            await self._end(thread, lost=isinstance(error, _Blocked | _NotBegun))
            raise

    async def _make(self) -> Channel:
        """On the channel's own loop."""
        channel: Any = self.spec.open(self._config, self._tools)
        if asyncio.iscoroutine(channel):
            channel.close()
            raise TypeError("open is a coroutine function; it must return the channel itself")
        for name in ("send", "receive", "retract", "close"):
            if not callable(getattr(channel, name, None)):
                raise TypeError(f"open returned {type(channel).__name__}, which has no {name}")
        return cast(Channel, channel)

    def _take_over(self, running: _Running) -> None:
        self._running = running
        self._next = None
        self.state, self.reason = "open", ""

    def _set_aside(self, reason: str, running: _Running | None, lost: bool = False) -> None:
        """Stop using it, and see to its being opened again. ``running`` is where the fault was: a late fault of a
        thread that has been replaced changes nothing. ``lost``: the thread no longer listens."""
        if running is not self._running or self.state == "closed":
            return
        self._running = None
        self.state, self.reason = "set aside", reason
        self._next = self._loop.time() + self._pause
        self._recovery = self._loop.create_task(self._recover(running, lost))

    async def _recover(self, running: _Running | None, lost: bool) -> None:
        if running is not None and lost:
            await self._end(running.thread, lost=True)
        elif running is not None:
            await self._retire(running)
        while True:
            self._abandoned = [thread for thread in self._abandoned if thread.alive]
            if len(self._abandoned) >= self._limits.abandoned:
                self._next = None
                stuck = f"{len(self._abandoned)} of its threads are stuck"
                self.reason += f"; {stuck}, so it stays aside until Segue restarts"
                self._on_fault(self.reason)
                return
            self._next = self._loop.time() + self._pause
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 2, self._limits.longest)
            try:
                self._take_over(await self._start())
                return
            except ChannelFault as fault:
                self._count(fault)
                self.reason = str(fault)

    async def _retire(self, running: _Running) -> None:
        """Close the channel once nothing is in flight (its calls all have a limit), and end its thread."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(running.idle.wait(), self._limits.closing)
        lost = False
        try:
            await self._call(running.thread, running.channel.close, self._limits.closing)
        except ChannelFault as fault:
            lost = isinstance(fault, _Blocked | _NotBegun)
            self._count(ChannelFault(f"closing it: {fault}"))
        await self._end(running.thread, lost)

    async def _end(self, thread: LoopThread, lost: bool) -> None:
        http = self._tools.http
        if isinstance(http, _Closes) and not lost:
            with contextlib.suppress(ChannelFault):
                await self._call(thread, http.close, self._limits.grace)
        if not await thread.stop(self._limits.grace):
            self._abandoned.append(thread)

    # What is said about it

    def _count(self, fault: ChannelFault) -> None:
        self.faults += 1
        self._on_fault(str(fault))

    def _stray(self, error: BaseException | None, message: str) -> None:
        """On the channel's thread: an error of a task that it began by itself."""
        said = self._describe(error) if error is not None else self._say(message)
        try:
            self._loop.call_soon_threadsafe(self._count, ChannelFault(f"in a task of its own: {said}"))
        except RuntimeError:
            return  # Segue itself has ended

    def _describe(self, error: BaseException) -> str:
        try:
            text = str(error)
        except Exception:  # a stranger's __str__
            text = ""
        kind = type(error).__name__
        return self._say(f"it raised {kind}: {text}" if text else f"it raised {kind}")

    def _say(self, text: str) -> str:
        return clean(strike(text, self._secrets))
