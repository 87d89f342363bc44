"""The bell: it rings on the loop, the earlier ring wins, and a late one still rings."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator

import pytest

from segue.api import Instant
from segue.api.values import DAY, HOUR, SECOND
from segue.clock.bell import Bell
from segue.clock.clock import Clock


class Rings:
    """What rang, in which thread, and a way to wait for it."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.threads: set[int] = set()
        self._rang = asyncio.Event()

    def __call__(self, name: str = "due") -> None:
        self.heard.append(name)
        self.threads.add(threading.get_ident())
        self._rang.set()

    async def wait(self, count: int = 1, seconds: float = 5.0) -> list[str]:
        async with asyncio.timeout(seconds):
            while len(self.heard) < count:
                self._rang.clear()
                await self._rang.wait()
        return self.heard


@contextlib.asynccontextmanager
async def ringing(clock: Clock | None = None) -> AsyncIterator[tuple[Bell, Clock]]:
    using = clock or Clock()
    bell = Bell(using)
    bell.start()
    try:
        yield bell, using
    finally:
        bell.stop()
        await asyncio.sleep(0)


def soon(clock: Clock, seconds: float) -> Instant:
    """That many wall seconds from now, as the clock will show it."""
    return Instant(clock.look() + int(seconds * clock.speed * SECOND))


@pytest.mark.asyncio
async def test_it_rings_on_the_running_loop() -> None:
    async with ringing() as (bell, clock):
        rings = Rings()
        began = time.monotonic()
        bell.ring_at("due", soon(clock, 0.1), rings)
        assert await rings.wait() == ["due"]
        assert time.monotonic() - began >= 0.09
        assert rings.threads == {threading.get_ident()}


@pytest.mark.asyncio
async def test_the_earlier_ring_wins_in_whatever_order_they_are_set() -> None:
    for first, second in ((0.1, 60.0), (60.0, 0.1)):
        async with ringing() as (bell, clock):
            rings = Rings()
            bell.ring_at("due", soon(clock, first), rings)
            bell.ring_at("due", soon(clock, second), rings)
            await rings.wait()
            await asyncio.sleep(0.05)
            assert rings.heard == ["due"]


@pytest.mark.asyncio
async def test_after_a_ring_a_later_one_can_be_set() -> None:
    async with ringing() as (bell, clock):
        rings = Rings()
        for count in (1, 2, 3):
            bell.ring_at("due", soon(clock, 0.03), rings)
            await rings.wait(count)


@pytest.mark.asyncio
async def test_a_listener_may_set_the_next_ring() -> None:
    async with ringing() as (bell, clock):
        rings = Rings()

        def again() -> None:
            rings()
            if len(rings.heard) < 3:
                bell.ring_at("due", soon(clock, 0.02), again)

        bell.ring_at("due", soon(clock, 0.02), again)
        await rings.wait(3)


@pytest.mark.asyncio
async def test_names_ring_each_for_themselves() -> None:
    async with ringing() as (bell, clock):
        rings = Rings()
        bell.ring_at("due", soon(clock, 0.08), lambda: rings("due"))
        bell.ring_at("email", soon(clock, 0.02), lambda: rings("email"))
        assert await rings.wait(2) == ["email", "due"]


@pytest.mark.asyncio
@pytest.mark.parametrize("ago", [1, HOUR, 400 * DAY])
async def test_what_was_due_long_ago_rings_at_once(ago: int) -> None:
    async with ringing() as (bell, clock):
        rings = Rings()
        bell.ring_at("due", Instant(clock.look() - ago), rings)
        await rings.wait()


@pytest.mark.asyncio
async def test_a_ring_does_not_lapse_while_the_loop_was_busy() -> None:
    async with ringing() as (bell, clock):
        rings = Rings()
        bell.ring_at("due", soon(clock, 0.05), rings)
        bell.ring_at("email", soon(clock, 0.06), rings)
        await asyncio.sleep(0)
        time.sleep(1.5)  # APScheduler's own grace is one second
        await rings.wait(2)


@pytest.mark.asyncio
async def test_a_ring_that_was_set_and_missed_does_not_hold_a_new_one_back() -> None:
    async with ringing() as (bell, clock):
        rings = Rings()
        bell.ring_at("due", Instant(clock.look() + 1), rings)
        time.sleep(0.01)
        bell.ring_at("due", soon(clock, 0.05), rings)
        await rings.wait()


@pytest.mark.asyncio
async def test_compressed_time_rings_by_its_own_clock() -> None:
    async with ringing(Clock(speed=86_400.0)) as (bell, clock):
        rings = Rings()
        due = Instant(clock.look() + 6 * HOUR)
        bell.ring_at("due", due, rings)
        await rings.wait()
        assert clock.look() >= due


@pytest.mark.asyncio
async def test_a_ring_far_ahead_is_set_no_further_than_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    # a wall clock that was set forward meanwhile is noticed then
    monkeypatch.setattr(Bell, "LONGEST", 0.05)
    async with ringing() as (bell, clock):
        rings = Rings()
        bell.ring_at("due", Instant(clock.look() + 400 * DAY), rings)
        await rings.wait()
    assert Bell(Clock()).LONGEST <= 3600


@pytest.mark.asyncio
async def test_it_rings_again_and_again() -> None:
    async with ringing() as (bell, _):
        rings = Rings()
        bell.ring_every("sweep", 0.03, rings)
        await rings.wait(3)
        assert rings.threads == {threading.get_ident()}


@pytest.mark.asyncio
async def test_a_listener_that_raises_does_not_silence_the_bell(caplog: pytest.LogCaptureFixture) -> None:
    async with ringing() as (bell, clock):
        rings = Rings()

        def bad() -> None:
            rings()
            raise LookupError("no such thing")

        bell.ring_at("due", soon(clock, 0.02), bad)
        await rings.wait()
        bell.ring_at("due", soon(clock, 0.02), rings)
        await rings.wait(2)
    assert "no such thing" in caplog.text


@pytest.mark.asyncio
async def test_after_a_stop_nothing_rings() -> None:
    rings = Rings()
    async with ringing() as (bell, clock):
        bell.ring_at("due", soon(clock, 0.05), rings)
    bell.stop()  # twice does no harm
    await asyncio.sleep(0.15)
    assert rings.heard == []
