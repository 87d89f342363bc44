"""An open source that fetches, kept apart from the engine: see `segue.host.containment`.

Whatever it does, the caller gets a `Fetched` with every type checked, or a `Fault`. After a fault it is set
aside, closed and opened anew: a source that raises says that its other side cannot be reached.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import msgspec

from segue.api import Event, Fetched, FetchingSource, Rejection, SourceSpec, SourceTools
from segue.host.answers import clean
from segue.host.containment import Blocked, Contained, Fault, Limits, NotBegun, Running
from segue.host.declarations import checked

T = TypeVar("T")

MOST: Final = 100_000
"""Events that one `Fetched` may bring, the lines of orders among them: what a fetch returns is held in memory."""
_LONGEST_POSITION: Final = 1_000_000
_SHOWN: Final = 1_000


class OpenSource(Contained[FetchingSource]):
    """One fetching source of the project. Made by `OpenSource.open`."""

    def __init__(
        self,
        spec: SourceSpec,
        config: msgspec.Struct,
        tools: SourceTools,
        limits: Limits,
        on_fault: Callable[[str], None],
    ) -> None:
        super().__init__(
            "source",
            tools.source,
            config,
            lambda: spec.open(config, tools),
            ("fetch", "settle"),
            tools.http,
            limits,
            on_fault,
        )
        self.spec = spec
        self._changed = asyncio.Event()

    @classmethod
    async def open(
        cls,
        spec: SourceSpec,
        config: msgspec.Struct,
        tools: SourceTools,
        *,
        limits: Limits | None = None,
        on_fault: Callable[[str], None] = lambda reason: None,
    ) -> OpenSource:
        """Open the source. One that doesn't open is returned all the same, set aside, and is tried again.

        ``on_fault`` hears of each fault, on the caller's loop; its text holds no secret of the configuration.
        """
        opened = cls(spec, config, tools, limits or Limits(), on_fault)
        await opened._begin()
        return opened

    async def ready(self) -> None:
        """Wait until it is open."""
        while self._running is None:
            self._changed.clear()
            await self._changed.wait()

    async def fetch(self, position: str | None) -> Fetched:
        """What is new since a position. Raises Fault, and it is set aside then. When cancelled, it ends with the
        source's own call, so that no two are ever under way."""
        running = self._take()
        try:
            returned = await self._fetch(running, position)
        except Fault as fault:
            raise self._failed(fault, running) from None
        try:
            fetched = read_fetched(returned, self.name)
        except ValueError as error:
            raise self._failed(Fault(self._say(f"what it fetched {error}")), running) from None
        self._pause = self._limits.first
        return fetched

    async def settle(self, fetched: Fetched) -> None:
        """Say that everything of it is committed. Raises Fault, and it is set aside then."""
        running = self._take()
        try:
            await self._on(running, lambda: running.plugin.settle(fetched), self._limits.settling)
        except Fault as fault:
            raise self._failed(fault, running) from None

    def _take(self) -> Running[FetchingSource]:
        if self._running is None:
            raise Fault(f"the source {self.name} is {self.state}: {self.reason}")
        return self._running

    async def _fetch(self, running: Running[FetchingSource], position: str | None) -> Any:
        ended = asyncio.Event()

        async def ask() -> Any:
            try:
                return await running.plugin.fetch(position)
            finally:
                self._loop.call_soon_threadsafe(ended.set)

        try:
            return await self._on(running, ask, self._limits.fetching)
        except asyncio.CancelledError:
            await _within(ended.wait(), self._limits.grace)
            raise

    def _failed(self, fault: Fault, running: Running[FetchingSource]) -> Fault:
        self._count(fault)
        self._set_aside(str(fault), running, lost=isinstance(fault, Blocked | NotBegun))
        return fault

    def _take_over(self, running: Running[FetchingSource]) -> None:
        super()._take_over(running)
        self._changed.set()


async def _within(waiting: Awaitable[T], seconds: float) -> None:
    await asyncio.wait({asyncio.ensure_future(waiting)}, timeout=seconds)


def read_fetched(returned: object, source: str) -> Fetched:
    """What a source fetched, with every type checked. An event that cannot be stored becomes a rejection; what cannot
    be trusted as a whole raises ValueError with the rest of a sentence."""
    if type(returned) is not Fetched:
        raise ValueError(f"is a {type(returned).__name__}, not Fetched")
    listed: tuple[object, object] = (returned.events, returned.rejections)
    for found in listed:
        if not isinstance(found, list | tuple):
            raise ValueError("has events or rejections that are no list")
        if len(found) > MOST:
            raise ValueError(f"has more than {MOST:,} events or rejections; fetch about a thousand things at once")
    position: object = returned.position
    if position is not None and not (isinstance(position, str) and len(position) <= _LONGEST_POSITION):
        raise ValueError("has a position that is no text, or one of more than a million characters")
    again: object = returned.again
    if isinstance(again, bool) or not isinstance(again, int | float) or not math.isfinite(again) or again < 0:
        raise ValueError(f"asks to be asked again in {clean(repr(again), 40)} seconds")
    events: list[Event] = []
    rejections = [_rejection(one) for one in returned.rejections]
    for event in returned.events:
        try:
            good = checked(event, Event)
        except ValueError as error:
            raise ValueError(f"has an event that cannot be read: {clean(str(error))}") from None
        if (fault := _fault_of(good)) is None:
            events.append(good if good.source == source else msgspec.structs.replace(good, source=source))
        else:
            place = clean(good.message_id, 200)
            rejections.append(Rejection(place=place, reason=fault, raw=repr(good)[:_SHOWN].encode("utf-8", "replace")))
    return Fetched(
        events=tuple(events),
        rejections=tuple(rejections),
        position=position.encode("utf-8", "replace").decode() if position is not None else None,
        again=float(again),
    )


def _rejection(one: object) -> Rejection:
    try:
        return checked(one, Rejection)
    except ValueError as error:
        raise ValueError(f"has a rejection that cannot be read: {clean(str(error))}") from None


def _fault_of(event: Event) -> str | None:
    """Why an event cannot be stored, in a sentence; None where it can."""
    if not event.message_id:
        return "The event has an empty message_id; it needs one by which it is known when it comes again."
    if not _storable(msgspec.to_builtins(event)):
        return "The event holds what JSON in a database cannot: NaN, an endless number, or half of a character."
    return None


def _storable(value: Any) -> bool:
    match value:
        case None | bool():
            return True
        case int():
            return -(2**63) <= value < 2**64
        case float():
            return math.isfinite(value)
        case str():
            return not any("\ud800" <= character <= "\udfff" for character in value) if not value.isascii() else True
        case list() | tuple():
            return all(map(_storable, value))
        case dict():
            return all(_storable(key) and _storable(one) for key, one in value.items())
        case _:
            return False
