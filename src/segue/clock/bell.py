"""The bell: APScheduler rings when something is due, and on every sweep. It holds a handful of jobs and no truth.

A ring only says "look now": what is due stands in the store, so a lost, early or double ring changes nothing. Rings
never lapse (``misfire_grace_time`` None) and fall together (``coalesce``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from segue.api import Instant
from segue.clock.clock import Clock


class Bell:
    """Rings on the running asyncio loop."""

    LONGEST = 3600.0
    """Seconds: the furthest ahead a ring is set. Looking once an hour in any case heals a wall clock that was set."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._set: dict[str, Instant] = {}
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )

    def start(self) -> None:
        """Begin to ring. Needs a running loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """Ring no more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def ring_at(self, name: str, instant: Instant, listener: Callable[[], None]) -> None:
        """Ring for ``name`` at an instant, unless it rings earlier already."""
        known = self._set.get(name)
        if known is not None and known <= instant and known > self._clock.look():
            return
        self._set[name] = instant

        def ring() -> None:
            if self._set.get(name) == instant:
                del self._set[name]
            listener()

        seconds = min(self._clock.seconds_until(instant), self.LONGEST)
        self._scheduler.add_job(
            _on_loop(ring),
            "date",
            run_date=datetime.now(UTC) + timedelta(seconds=seconds),
            id=name,
            replace_existing=True,
        )

    def ring_every(self, name: str, seconds: float, listener: Callable[[], None]) -> None:
        """Ring again and again, every so many wall seconds."""
        self._scheduler.add_job(_on_loop(listener), "interval", seconds=seconds, id=name, replace_existing=True)


def _on_loop(listener: Callable[[], None]) -> Callable[[], object]:
    """APScheduler runs a coroutine function on the loop, and a plain one in a thread: listeners belong on the loop."""

    async def ring() -> None:
        listener()

    return ring
