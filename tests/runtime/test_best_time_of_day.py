"""`wait until best time`, on clocks that change and of customers who answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from segue.api import Instant, to_rfc3339
from segue.api.instants import read_instant
from segue.api.values import HOUR
from segue.store.database import Store
from tests.runtime.stage import Stage

RULE = 'event paid\nwhen paid wait until best time send push "a" within 2d'


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None)
    yield opened
    opened.close()


def begun(store: Store, zone: str, at: str, hours: dict[int, int] | None = None) -> Stage:
    """A customer of a zone comes to wait at a moment; ``hours`` are their answers by hour of the day."""
    stage = Stage(store, RULE)
    stage.now = read_instant(at)
    stage.arrive(None, traits={"timezone": zone}, id="who")
    for hour, times in (hours or {}).items():
        store.apply(
            lambda tx, hour=hour, times=times: tx.run(  # type: ignore[misc]
                "insert into reaction values (1, 'push', ?, ?)", (168 + hour, times)
            )
        )
    stage.arrive("paid", traits={}, id="begin")
    return stage


def goes(stage: Stage) -> str:
    (due,) = stage.store.apply(lambda tx: tx.row("select due from journey"))  # type: ignore[misc]
    return to_rfc3339(Instant(due)) if due is not None else "at once"


@pytest.mark.parametrize(
    ("zone", "at", "hour", "expected"),
    [
        ("Europe/Paris", "2026-03-29T00:10:00+01:00", 2, "2026-03-29T01:00:00Z"),  # 02:00 does not exist: 03:00+02:00
        ("Europe/Paris", "2026-03-28T22:10:00+01:00", 4, "2026-03-29T02:00:00Z"),
        ("Europe/Paris", "2026-10-25T00:10:00+02:00", 2, "2026-10-25T00:00:00Z"),  # of two, the first
        ("Europe/Paris", "2026-10-24T22:10:00+02:00", 4, "2026-10-25T03:00:00Z"),
        ("Europe/Paris", "2026-10-25T02:30:00+02:00", 2, "at once"),
        ("Europe/Paris", "2026-10-25T02:30:00+01:00", 2, "at once"),
        ("Asia/Kolkata", "2026-05-01T10:00:00+05:30", 23, "2026-05-01T17:30:00Z"),
        ("Asia/Kolkata", "2026-05-01T23:59:59+05:30", 23, "at once"),
        ("Asia/Kolkata", "2026-05-02T00:00:00+05:30", 23, "2026-05-02T17:30:00Z"),
        ("Australia/Lord_Howe", "2026-10-04T00:10:00+10:30", 2, "2026-10-03T15:30:00Z"),  # 02:00 is 02:30 that day
    ],
)
def test_the_hour_is_that_of_the_customer_s_clock_also_when_it_changes(
    store: Store, zone: str, at: str, hour: int, expected: str
) -> None:
    assert goes(begun(store, zone, at, {hour: 5})) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-05-01T09:00:00Z", "2026-05-01T10:00:00Z"),
        ("2026-05-01T10:59:59Z", "at once"),
        ("2026-05-01T11:00:00Z", "2026-05-02T10:00:00Z"),
    ],
)
def test_the_project_s_best_time_is_an_hour_long(store: Store, at: str, expected: str) -> None:
    assert goes(begun(store, "UTC", at)) == expected


def test_of_two_hours_alike_the_next_to_come_is_taken_also_over_midnight(store: Store) -> None:
    assert goes(begun(store, "UTC", "2026-05-01T20:30:00Z", {1: 4, 20: 0, 19: 4})) == "2026-05-02T01:00:00Z"


def test_one_answer_in_the_night_wins_over_nothing_known(store: Store) -> None:
    assert goes(begun(store, "UTC", "2026-05-01T20:30:00Z", {3: 2})) == "2026-05-02T03:00:00Z"


def test_who_moves_while_they_wait_goes_at_that_hour_of_their_new_clock(store: Store) -> None:
    stage = begun(store, "Europe/London", "2026-05-01T12:30:00Z", {18: 5})
    assert goes(stage) == "2026-05-01T17:00:00Z"
    stage.later(HOUR)
    stage.arrive(None, traits={"timezone": "America/New_York"}, id="moved")
    assert goes(stage) == "2026-05-01T22:00:00Z"
    stage.now = read_instant("2026-05-01T17:00:00Z")
    assert stage.wake() == []
    stage.now = read_instant("2026-05-01T22:00:00Z")
    stage.wake()
    assert len(stage.claim("push")[0]) == 1


def test_who_moves_into_that_hour_goes_at_once(store: Store) -> None:
    stage = begun(store, "Europe/London", "2026-05-01T12:30:00Z", {18: 5})
    stage.arrive(None, traits={"timezone": "Europe/Samara"}, id="moved")
    stage.later(2 * HOUR)
    stage.arrive(None, traits={"timezone": "Europe/Moscow"}, id="again")  # 17:30
    assert goes(stage) == "2026-05-01T15:00:00Z"
    stage.arrive(None, traits={"timezone": "Europe/Samara"}, id="back")  # 18:30
    assert len(stage.claim("push")[0]) == 1


def test_answers_that_come_while_somebody_waits_change_nothing_for_them(store: Store) -> None:
    stage = begun(store, "UTC", "2026-05-01T12:30:00Z", {18: 5})
    store.apply(lambda tx: tx.run("insert into reaction values (1, 'push', ?, 50)", (168 + 15,)))
    stage.later(10)
    stage.arrive(None, traits={"vip": True}, id="other")
    assert goes(stage) == "2026-05-01T18:00:00Z"
