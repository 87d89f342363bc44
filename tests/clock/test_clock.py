"""The daemon's clock: strictly forward, at any speed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from segue.api import Instant
from segue.api.values import DAY, HOUR, SECOND
from segue.clock import clock as clock_module
from segue.clock.clock import Clock

BASE = 1_780_000_000_000_000


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A wall clock that stands where it was put."""
    shown = [BASE]
    monkeypatch.setattr(clock_module, "_wall", lambda: shown[0])

    def put(instant: int) -> None:
        shown[0] = instant

    return put


def test_it_shows_the_wall_clock_in_microseconds() -> None:
    before = time.time_ns() // 1000
    assert before <= Clock().now() <= time.time_ns() // 1000 + 1


def test_no_two_presents_are_the_same(wall: Callable[[int], None]) -> None:
    clock = Clock()
    assert [clock.now() for _ in range(4)] == [BASE, BASE + 1, BASE + 2, BASE + 3]


def test_it_does_not_go_back_with_the_wall_clock(wall: Callable[[int], None]) -> None:
    clock = Clock()
    assert clock.now() == BASE
    wall(BASE - HOUR)
    assert clock.now() == BASE + 1
    assert clock.look() == BASE + 1
    wall(BASE + HOUR)
    assert clock.now() == BASE + HOUR


def test_looking_uses_no_present_up(wall: Callable[[int], None]) -> None:
    clock = Clock()
    assert clock.look() == clock.look() == BASE
    assert clock.now() == BASE


def test_what_is_stored_already_happened(wall: Callable[[int], None]) -> None:
    clock = Clock()
    clock.not_before(Instant(BASE + DAY))
    assert clock.now() == BASE + DAY + 1
    clock.not_before(Instant(BASE))
    assert clock.now() == BASE + DAY + 2


def test_compressed_time_goes_faster_from_where_it_stood(wall: Callable[[int], None]) -> None:
    clock = Clock(speed=3600.0, real=BASE, shown=BASE + 10 * DAY)
    assert clock.now() == BASE + 10 * DAY
    wall(BASE + 2 * SECOND)
    assert clock.now() == BASE + 10 * DAY + 2 * HOUR


def test_seconds_until_are_those_of_the_wall(wall: Callable[[int], None]) -> None:
    assert Clock().seconds_until(Instant(BASE + 90 * SECOND)) == 90
    assert Clock(speed=3600.0).seconds_until(Instant(BASE + DAY)) == 24
    assert Clock().seconds_until(Instant(BASE - 1)) == 0


@pytest.mark.parametrize("speed", [0.0, -1.0])
def test_a_clock_that_stands_or_goes_back_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        Clock(speed=speed)


def test_threads_never_share_a_present() -> None:
    clock = Clock()
    found: list[int] = []

    def look() -> None:
        mine = [clock.now() for _ in range(2000)]
        assert mine == sorted(mine)
        found.extend(mine)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == len(found) == 8000
