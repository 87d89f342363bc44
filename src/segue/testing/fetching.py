"""The suite for sources that fetch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import pytest

from segue.api import Event, Fetched, FetchingSource, SourceSpec, SourceTools
from segue.host.declarations import faults_of_source
from segue.host.http import AiohttpClient
from segue.host.sources import read_fetched
from segue.testing.declarations import require_config, require_unknown_settings_refused

T = TypeVar("T")

_LONGEST_BLOCK: Final = 1.0
_PATIENCE: Final = 30.0
"""Seconds in which a fetch must come back, also where nothing is new."""
_TRIES: Final = 30
_JUNK: Final = (
    "",
    "0",
    "-1",
    "x" * 10_000,
    "{",
    "[]",
    "null",
    "../../etc/passwd",
    "nul\0",
    "'; drop table x; --",
    "🙈",
)


class FetchingSourceConformance:
    """Subclass it in a test module, with a name that starts with ``Test``, and say how to `make` the source and how to
    `feed` its other side. ``folder`` is an empty folder for each test.

    Each test begins with another side of its own, or at least goes by what it fed itself.
    """

    folder: Path

    def make(self) -> tuple[SourceSpec, msgspec.Struct]:
        """The declaration, and a configuration with which the source opens: in one test always the same."""
        raise NotImplementedError("say how to make the source: def make(self): return SPEC, Config(…)")

    def feed(self, count: int) -> None:
        """Put so many new, good things where the source fetches from; each is to become one event."""
        raise NotImplementedError("say how something new comes up: def feed(self, count): …")

    @pytest.fixture(autouse=True)
    def _own_folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def test_the_declaration_is_valid(self) -> None:
        spec, _ = self.make()
        faults = faults_of_source(spec)
        assert not faults, f"segue would set this plugin aside: {'; '.join(faults)}"
        assert spec.fetches, "the declaration does not say fetches=True, so that segue would never ask it"

    def test_the_configuration_survives_a_round_trip(self) -> None:
        spec, config = self.make()
        require_config(spec.config, config)

    def test_unknown_settings_are_refused(self) -> None:
        spec, config = self.make()
        require_unknown_settings_refused(spec.config, config)

    def test_it_brings_what_is_new(self) -> None:
        self.feed(3)
        events, _ = self._run(lambda source: self._bring(source, 3, None))
        assert len(events) == 3, f"3 new things became {len(events)} events"
        ids = [event.message_id for event in events]
        assert len(set(ids)) == len(ids), f"two events have the same message id: {ids}"

    def test_what_was_not_settled_comes_again_as_the_same(self) -> None:
        """A crash between the commit and the acknowledgement: the same come again, and are known as the same."""
        self.feed(3)

        async def unsettled(source: FetchingSource) -> tuple[Event, ...]:
            for _ in range(_TRIES):
                fetched = await self._fetch(source, None)
                if fetched.events:
                    return fetched.events
                await asyncio.sleep(min(fetched.again, 0.5))
            raise AssertionError(f"nothing came in {_TRIES} fetches, though something is new")

        first = {event.message_id for event in self._run(unsettled)}
        again, _ = self._run(lambda source: self._bring(source, 3, None))
        ids = {event.message_id for event in again}
        assert len(ids) == 3, f"3 new things were fetched and not settled; from the same position came {len(ids)}"
        assert first <= ids, f"what was not settled came again as something else: {first}, then {ids}"

    def test_what_was_settled_does_not_come_again(self) -> None:
        self.feed(2)
        before, position = self._run(lambda source: self._bring(source, 2, None))
        self.feed(1)
        after, _ = self._run(lambda source: self._bring(source, 1, position))
        old = {event.message_id for event in before} & {event.message_id for event in after}
        assert not old, f"what was settled came again from the committed position: {old}"
        assert len(after) == 1, f"1 new thing became {len(after)} events"

    def test_nothing_new_comes_back_without_events(self) -> None:
        async def exchange(source: FetchingSource) -> None:
            fetched = await self._fetch(source, None)
            assert not fetched.events, f"nothing is new, and it brought {fetched.events}"

        self._run(exchange)

    def test_no_event_is_later_than_now(self) -> None:
        """What is fed has just happened: a later time means that a unit or a zone was misread. One that really lies in
        the future is handed on as it is."""
        self.feed(2)
        events, _ = self._run(lambda source: self._bring(source, 2, None))
        present = time.time_ns() // 1000
        late = [event for event in events if event.timestamp > present]
        assert not late, f"an event's timestamp is later than its arrival: {late}"

    def test_a_junk_position_does_no_harm(self) -> None:
        """It may raise, or begin anew; it may not hang, and the next, with a good position, finds everything."""
        self.feed(1)
        for junk in _JUNK:

            async def exchange(source: FetchingSource, junk: str = junk) -> None:
                try:
                    await self._within(_PATIENCE, source.fetch(junk), f"fetch({junk[:40]!r})")
                except AssertionError:
                    raise
                except Exception:
                    return  # it says that it cannot go on from there

            self._run(exchange)
        events, _ = self._run(lambda source: self._bring(source, 1, None))
        assert len(events) == 1, f"after junk positions 1 new thing became {len(events)} events"

    def test_a_fetch_can_be_cancelled(self) -> None:
        """Segue stops: the call ends soon, and what it had not returned comes again."""

        async def exchange(source: FetchingSource) -> None:
            fetching = asyncio.ensure_future(source.fetch(None))
            await asyncio.sleep(0.2)
            fetching.cancel()
            _, late = await asyncio.wait({fetching}, timeout=5.0)
            assert not late, "a cancelled fetch did not end within 5 s"
            if not fetching.cancelled():
                fetching.result()

        self._run(exchange)
        self.feed(2)
        events, _ = self._run(lambda source: self._bring(source, 2, None))
        assert len(events) == 2, f"after a cancelled fetch 2 new things became {len(events)} events"

    def test_fetching_does_not_block_the_event_loop(self) -> None:
        self.feed(50)
        longest = 0.0

        async def beat() -> None:
            nonlocal longest
            while True:
                before = time.monotonic()
                await asyncio.sleep(0.01)
                longest = max(longest, time.monotonic() - before)

        async def exchange(source: FetchingSource) -> None:
            heart = asyncio.create_task(beat())
            await asyncio.sleep(0.05)
            try:
                await self._bring(source, 50, None)
                await asyncio.sleep(0.05)
            finally:
                heart.cancel()

        self._run(exchange)
        assert longest < _LONGEST_BLOCK, f"the event loop stood still for {longest:.1f} s; use asyncio.to_thread"

    def test_closing_twice_is_harmless(self) -> None:
        async def exchange(source: FetchingSource) -> None:
            await self._fetch(source, None)
            await self._within(10.0, source.close(), "close")
            await self._within(10.0, source.close(), "the second close")

        self._run(exchange)

    def test_it_can_be_closed_unused_and_opened_again(self) -> None:
        async def nothing(source: FetchingSource) -> None:
            return None

        self._run(nothing)
        self.feed(1)
        events, _ = self._run(lambda source: self._bring(source, 1, None))
        assert len(events) == 1, f"opened again, 1 new thing became {len(events)} events"

    # The stage

    def _run(self, exchange: Callable[[FetchingSource], Awaitable[T]]) -> T:
        async def run() -> T:
            spec, config = self.make()
            http = AiohttpClient()
            source: Any = spec.open(config, SourceTools(source=spec.name, http=http, url="http://127.0.0.1:8080"))
            if asyncio.iscoroutine(source):
                source.close()
                raise AssertionError("open is a coroutine function; it must return the source itself")
            try:
                return await exchange(source)
            finally:
                await self._within(10.0, source.close(), "close")
                await http.close()

        return asyncio.run(run())

    async def _bring(self, source: FetchingSource, count: int, position: str | None) -> tuple[list[Event], str | None]:
        """Fetch and settle, as Segue does, until so many events have come; and the position then."""
        events: list[Event] = []
        for _ in range(_TRIES):
            fetched = await self._fetch(source, position)
            assert not fetched.rejections, f"good things were rejected: {fetched.rejections}"
            events += fetched.events
            await self._within(_PATIENCE, source.settle(fetched), "settle")
            position = fetched.position if fetched.position is not None else position
            if len(events) >= count:
                return events, position
            await asyncio.sleep(min(fetched.again, 0.5))
        raise AssertionError(f"{count} new things became {len(events)} events in {_TRIES} fetches")

    async def _fetch(self, source: FetchingSource, position: str | None) -> Fetched:
        spec, _ = self.make()
        returned = await self._within(_PATIENCE, source.fetch(position), "fetch")
        try:
            fetched = read_fetched(returned, spec.name)
        except ValueError as error:
            raise AssertionError(f"what it fetched {error}") from None
        unfit = fetched.rejections[len(returned.rejections) :]
        assert not unfit, f"an event cannot be stored: {unfit[0].reason} {unfit[0].raw!r}"
        strange = [event.source for event in returned.events if event.source != spec.name]
        assert not strange, f"an event's source is {strange[0]!r}; it must be tools.source, {spec.name!r}"
        return fetched

    @staticmethod
    async def _within(seconds: float, call: Awaitable[T], name: str) -> T:
        try:
            async with asyncio.timeout(seconds):
                return await call
        except TimeoutError:
            raise AssertionError(f"{name} did not return within {seconds:g} s") from None
