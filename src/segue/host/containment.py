"""What a plugin opened, kept apart from the engine.

It runs on a thread with an event loop of its own, and time is measured on the caller's. It may raise, hang, block its
loop or answer junk: the caller hears of it as a `Fault`, never waits longer than it said, and whatever was set aside
is opened anew on a fresh thread, after growing pauses. The pauses are spread by chance, so that many which lost the
same provider don't come back to it in one moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final, Generic, Literal, Protocol, TypeVar, runtime_checkable

import msgspec

from segue.host.answers import clean
from segue.host.loops import LoopThread, Raised
from segue.host.secrets import secrets_in, strike

T = TypeVar("T")
P = TypeVar("P", bound="_Closes")

State = Literal["open", "set aside", "closed"]

_SPREAD: Final = 0.5
"""How much longer chance may make a pause, as a part of it."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How patient the host is with a plugin. All but the counts are seconds.

    ``opening``, ``receiving``, ``closing``, ``fetching``, ``settling``, ``examining``  for each of these calls
    (polling is fetching); a send has its spec's time-out
    ``grace``      for a cancelled call to end; one that doesn't blocks its loop, and the thread is abandoned
    ``first``, ``longest``  the wait before what was set aside is opened again; doubled each time
    ``faults``     this many sends in a row that raise, time out or answer junk set a channel aside
    ``abandoned``  with this many threads left behind and still alive, it stays aside until Segue restarts
    """

    opening: float = 15.0
    receiving: float = 10.0
    closing: float = 5.0
    fetching: float = 120.0
    settling: float = 30.0
    examining: float = 60.0
    grace: float = 2.0
    first: float = 1.0
    longest: float = 60.0
    faults: int = 5
    abandoned: int = 3


@runtime_checkable
class _Closes(Protocol):
    """Whatever lets go of its connections. An HTTP client is asked by what it does: to load aiohttp for its type alone
    would take a tenth of a second of every command."""

    async def close(self) -> None: ...


class Fault(Exception):
    """The plugin could not do what was asked; the text says why, and holds no secret of the configuration."""


class Blocked(Fault):
    """It did not even stop when asked: its thread is lost."""


class NotBegun(Fault):
    """The call never reached the plugin."""


class Running(Generic[P]):
    """What was opened, on its thread, and whether calls are on it."""

    def __init__(self, thread: LoopThread, plugin: P) -> None:
        self.thread = thread
        self.plugin = plugin
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


class Contained(Generic[P]):
    """What a plugin offers under a name of the project: open, or set aside and being opened again.

    ``state`` and ``reason`` say how it is. ``kind`` is what it is, in words (``channel``). ``make`` opens it, on its
    own loop, and what it makes has these ``calls``. ``on_fault`` hears of each fault, on the caller's loop. All calls
    come from one event loop, never its own.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        config: msgspec.Struct,
        make: Callable[[], Any],
        calls: tuple[str, ...],
        http: object,
        limits: Limits,
        on_fault: Callable[[str], None],
    ) -> None:
        self.name = name
        self.state: State = "set aside"
        self.reason = "not opened yet"
        self.faults = 0
        """How often it raised, timed out, blocked or answered junk, in its whole life."""
        self._kind = kind
        self._open = make
        self._calls = (*calls, "close")
        self._http = http
        self._limits = limits
        self._on_fault = on_fault
        self._secrets = tuple(secrets_in(config))
        self._loop = asyncio.get_running_loop()
        self._running: Running[P] | None = None
        self._pause = limits.first
        self._next: float | None = None
        self._abandoned: list[LoopThread] = []
        self._recovery: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Close it and end its thread; waits a little for calls under way. Closing twice is harmless."""
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

    # What is asked of it

    async def _on(self, running: Running[P], make: Callable[[], Awaitable[T]], seconds: float) -> T:
        with running:
            return await self._call(running.thread, make, seconds)

    async def _call(self, thread: LoopThread, make: Callable[[], Awaitable[T]], seconds: float) -> T:
        """Raises Fault; its text is fit for the ledger and the log."""
        try:
            call = thread.call(make)
        except RuntimeError:
            raise NotBegun("its thread has ended") from None
        try:
            if not await call.wait(seconds):
                if call.withdraw():
                    raise NotBegun(f"its event loop was blocked for {seconds:g} s")
                if not await call.wait(self._limits.grace):
                    raise Blocked(f"it did not answer within {seconds:g} s, and blocks its event loop")
                late = call.outcome()
                if isinstance(late, Raised) and isinstance(late.error, asyncio.CancelledError):
                    raise Fault(f"it did not answer within {seconds:g} s")
        except asyncio.CancelledError:
            call.withdraw()
            raise
        outcome = call.outcome()
        if isinstance(outcome, Raised):
            raise Fault(self._describe(outcome.error))
        return outcome

    # Opening, setting aside, opening again

    async def _begin(self) -> None:
        """Open it. What doesn't open is set aside, and is tried again."""
        try:
            self._take_over(await self._start())
        except Fault as fault:
            self._count(fault)
            self._set_aside(str(fault), None)

    async def _start(self) -> Running[P]:
        try:
            thread = LoopThread(f"segue-{self._kind}-{self.name}", self._stray)
        except RuntimeError as error:
            raise Fault(f"no thread for it: {error}") from None
        try:
            return Running(thread, await self._call(thread, self._make, self._limits.opening))
        except BaseException as error:
            await self._end(thread, lost=isinstance(error, Blocked | NotBegun))
            raise

    async def _make(self) -> P:
        """On its own loop."""
        opened: Any = self._open()
        if asyncio.iscoroutine(opened):
            opened.close()
            raise TypeError(f"open is a coroutine function; it must return the {self._kind} itself")
        for name in self._calls:
            if not callable(getattr(opened, name, None)):
                raise TypeError(f"open returned {type(opened).__name__}, which has no {name}")
        return opened  # type: ignore[no-any-return]  # it has every call that is asked for

    def _take_over(self, running: Running[P]) -> None:
        self._running = running
        self._next = None
        self.state, self.reason = "open", ""

    def _set_aside(self, reason: str, running: Running[P] | None, lost: bool = False) -> None:
        """Stop using it, and see to its being opened again. ``running`` is where the fault was: a late fault of a
        thread that has been replaced changes nothing. ``lost``: the thread no longer listens."""
        if running is not self._running or self.state == "closed":
            return
        self._running = None
        self.state, self.reason = "set aside", reason
        self._next = self._loop.time() + self._pause
        self._recovery = self._loop.create_task(self._recover(running, lost))

    async def _recover(self, running: Running[P] | None, lost: bool) -> None:
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
            pause = self._pause * random.uniform(1, 1 + _SPREAD)
            self._next = self._loop.time() + pause
            await asyncio.sleep(pause)
            self._pause = min(self._pause * 2, self._limits.longest)
            try:
                self._take_over(await self._start())
                return
            except Fault as fault:
                self._count(fault)
                self.reason = str(fault)

    async def _retire(self, running: Running[P]) -> None:
        """Close it once nothing is in flight (its calls all have a limit), and end its thread."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(running.idle.wait(), self._limits.closing)
        lost = False
        try:
            await self._call(running.thread, running.plugin.close, self._limits.closing)
        except Fault as fault:
            lost = isinstance(fault, Blocked | NotBegun)
            self._count(Fault(f"closing it: {fault}"))
        await self._end(running.thread, lost)

    async def _end(self, thread: LoopThread, lost: bool) -> None:
        if isinstance(self._http, _Closes) and not lost:
            with contextlib.suppress(Fault):
                await self._call(thread, self._http.close, self._limits.grace)
        if not await thread.stop(self._limits.grace):
            self._abandoned.append(thread)

    # What is said about it

    def _count(self, fault: Fault) -> None:
        self.faults += 1
        self._on_fault(str(fault))

    def _stray(self, error: BaseException | None, message: str) -> None:
        """On its thread: an error of a task that it began by itself."""
        said = self._describe(error) if error is not None else self._say(message)
        try:
            self._loop.call_soon_threadsafe(self._count, Fault(f"in a task of its own: {said}"))
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
