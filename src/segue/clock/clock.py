"""The daemon's clock: wall time, or wall time compressed for trials."""

from __future__ import annotations

import threading
import time

from segue.api import Instant


class Clock:
    """Gives strictly increasing instants, so that no two transactions share one.

    With ``speed`` 3600 an hour passes in a second; ``real`` and ``shown`` say at which wall instant it showed what
    (both in microseconds), so that a restarted daemon goes on where it was.
    """

    def __init__(self, speed: float = 1.0, real: int | None = None, shown: int | None = None) -> None:
        if speed <= 0:
            raise ValueError("a clock's speed is above 0")
        self.speed = speed
        self.real = _wall() if real is None else real
        self.shown = self.real if shown is None else shown
        self._last = 0
        self._lock = threading.Lock()

    def now(self) -> Instant:
        """The present, later than every present before it."""
        with self._lock:
            self._last = max(self._last + 1, self._read())
            return Instant(self._last)

    def look(self) -> Instant:
        """The present, without making it one that was used."""
        return Instant(max(self._last, self._read()))

    def seconds_until(self, instant: Instant) -> float:
        """Wall seconds until an instant; 0 for the past."""
        return max(0.0, (instant - self._read()) / 1_000_000 / self.speed)

    def not_before(self, instant: Instant) -> None:
        """Never give a present before this instant: what is stored already happened."""
        with self._lock:
            self._last = max(self._last, instant)

    def _read(self) -> int:
        wall = _wall()
        if self.speed == 1.0 and self.real == self.shown:
            return wall
        return self.shown + int((wall - self.real) * self.speed)


def _wall() -> int:
    return time.time_ns() // 1000
