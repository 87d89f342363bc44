"""``expect``: how entries compare with what a rule expects, in a window that rolls."""

from __future__ import annotations

import pytest

from segue.api import Instant
from segue.api.values import DAY, HOUR, MINUTE
from segue.runtime.ingest import ingest
from segue.runtime.pace import look_at_paces, tidy_paces
from segue.runtime.running import Running
from segue.store.database import Store
from tests.runtime.rulebook import T0, event, publish_text

BOOK = "event paid\nrule r when paid expect 3 per 1d stop\nrule other when paid stop"


@pytest.fixture
def store() -> Store:
    return Store(None)


def enter(store: Store, running: Running, count: int, now: Instant) -> int:
    """So many customers come at once. How many entered."""
    events = [event("paid", f"c{number}", at=now, traits={}, id=f"{number}-{now}") for number in range(count)]
    lines = store.apply(lambda tx: ingest(tx, running, events, now)).done.lines
    return sum(1 for line in lines if line.rule == "r" and line.decision == "entered")


def state(store: Store, running: Running, now: Instant) -> tuple[int, str]:
    (pace,) = store.apply(lambda tx: look_at_paces(tx, running, now))
    return pace.counted, pace.state


def test_under_a_third_and_over_three_times_is_told_and_over_ten_times_pauses(store: Store) -> None:
    running = publish_text(store, BOOK, T0)
    assert state(store, running, T0) == (0, "as expected")  # it is too early to miss anybody
    assert state(store, running, Instant(T0 + DAY)) == (0, "low")
    now = Instant(T0 + 2 * DAY)
    assert enter(store, running, 1, now) == 1
    assert state(store, running, now) == (1, "as expected")
    assert enter(store, running, 9, Instant(now + 1)) == 9
    assert state(store, running, now) == (10, "high")
    assert enter(store, running, 25, Instant(now + 2)) == 21
    assert state(store, running, now) == (35, "paused")
    assert enter(store, running, 5, Instant(now + HOUR)) == 0
    assert store.apply(lambda tx: tx.row("select sum(n) from tally where rule = 'r' and what = 'ignored'")) == (9,)


def test_the_window_rolls_and_entries_go_on_once_it_holds_less(store: Store) -> None:
    running = publish_text(store, BOOK, T0)
    assert enter(store, running, 40, T0) == 31
    assert enter(store, running, 1, Instant(T0 + DAY - MINUTE)) == 0
    assert enter(store, running, 1, Instant(T0 + DAY + MINUTE)) == 1


def test_an_edit_does_not_begin_the_count_anew(store: Store) -> None:
    running = publish_text(store, BOOK, T0)
    enter(store, running, 4, T0)
    running = publish_text(store, BOOK.replace("stop\n", "wait 1h\n"), Instant(T0 + HOUR))
    assert state(store, running, Instant(T0 + HOUR)) == (4, "as expected")
    assert state(store, running, Instant(T0 + DAY + MINUTE)) == (0, "low")


def test_minutes_that_nothing_counts_any_more_are_forgotten(store: Store) -> None:
    running = publish_text(store, BOOK, T0)
    enter(store, running, 4, T0)
    store.apply(lambda tx: tidy_paces(tx, running, Instant(T0 + HOUR)))
    assert store.apply(lambda tx: tx.row("select sum(n) from pace")) == (4,)
    store.apply(lambda tx: tidy_paces(tx, running, Instant(T0 + 2 * DAY)))
    assert store.apply(lambda tx: tx.row("select count(*) from pace")) == (0,)
