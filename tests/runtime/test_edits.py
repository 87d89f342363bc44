"""Edits of rules with customers inside: taken over before any input, by a sweep that goes on, or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

import pytest

from segue.api import Instant
from segue.api.values import DAY, HOUR
from segue.runtime.ingest import ingest
from segue.runtime.publishing import resume
from segue.runtime.running import DecisionLine, Running
from segue.runtime.sweeping import chores, sweep
from segue.store import books
from segue.store.books import Changes
from segue.store.database import Store
from segue.store.sweeps import count_rules
from tests.engine.stage import setting
from tests.runtime.rulebook import T0, event, pass_all_time, publish_text, sweep_all, told

EVENTS = "event paid\nevent ordered\n"
FIRST = EVENTS + "rule r when paid on edit follow wait 7d send push"
SHORTER = EVENTS + "rule r when paid on edit follow wait 5d unless ordered send push"
GONE = EVENTS + "rule r when paid on edit follow send push"


@pytest.fixture
def store() -> Store:
    return Store(None)


def arrive(store: Store, running: Running, name: str, customers: Iterable[str], now: Instant) -> list[DecisionLine]:
    events = [event(name, one, at=now, traits={}) for one in customers]
    return list(store.apply(lambda tx: ingest(tx, running, events, now)).done.lines)


def test_the_sweep_takes_everybody_over_in_pieces_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "segue.db"
    with contextlib.closing(Store(path)) as store:
        running = publish_text(store, FIRST, T0)
        arrive(store, running, "paid", [f"c{number}" for number in range(10)], T0)
        publish_text(store, SHORTER, Instant(T0 + DAY))
    pieces = 0
    while True:
        with contextlib.closing(Store(path)) as store:
            found = store.apply(lambda tx: resume(tx, setting()))
            assert found is not None
            left = store.apply(lambda tx: chores(tx, found))  # noqa: B023
            if not left:
                break
            store.apply(lambda tx: sweep(tx, found, left[0], Instant(T0 + DAY), 3))  # noqa: B023
        pieces += 1
    assert pieces == 4
    with contextlib.closing(Store(path)) as store:
        running = store.apply(lambda tx: resume(tx, setting()))  # type: ignore[assignment]
        assert len(running.programs) == 1  # nobody runs the first version any more
        lines = pass_all_time(store, running, Instant(T0 + 5 * DAY))
        assert len(lines) == 0  # the messages are decided; they go when they are claimed
        assert store.apply(lambda tx: tx.row("select count(*) from message")) == (10,)


def test_an_input_before_the_sweep_meets_the_new_text(store: Store) -> None:
    running = publish_text(store, FIRST, T0)
    arrive(store, running, "paid", ["ann", "bob"], T0)
    running = publish_text(store, SHORTER, Instant(T0 + DAY))
    lines = arrive(store, running, "ordered", ["ann"], Instant(T0 + DAY + HOUR))
    assert told(lines) == [("r", "exited", "unless ordered")]
    assert sweep_all(store, running, Instant(T0 + DAY + 2 * HOUR)) == []
    assert store.apply(lambda tx: tx.row("select due from journey where state = 0")) == (T0 + 5 * DAY,)


def test_a_wait_that_was_over_before_the_edit_goes_by_the_old_text(store: Store) -> None:
    """Segue stood still: when it wakes, the edit is a day younger than the end of the wait."""
    running = publish_text(store, EVENTS + "rule r when paid on edit follow wait 2d send push wait 7d", T0)
    arrive(store, running, "paid", ["ann"], T0)
    running = publish_text(
        store, EVENTS + "rule r when paid on edit follow wait 4d send email wait 9d", Instant(T0 + 3 * DAY)
    )
    pass_all_time(store, running, Instant(T0 + 3 * DAY))
    assert store.apply(lambda tx: tx.rows("select channel, decided from message")) == [("push", T0 + 2 * DAY)]


def test_a_step_that_is_gone_strands_nobody(store: Store) -> None:
    running = publish_text(store, FIRST, T0)
    arrive(store, running, "paid", ["ann", "bob"], T0)
    running = publish_text(store, GONE, Instant(T0 + DAY))
    sweep_all(store, running, Instant(T0 + DAY + HOUR))
    assert store.apply(lambda tx: tx.rows("select channel, decided from message")) == [("push", T0 + DAY)] * 2


def test_two_edits_before_the_sweep_are_one(store: Store) -> None:
    running = publish_text(store, FIRST, T0)
    arrive(store, running, "paid", ["ann"], T0)
    publish_text(store, SHORTER, Instant(T0 + DAY))
    running = publish_text(store, FIRST.replace("7d", "6d"), Instant(T0 + 2 * DAY))
    sweep_all(store, running, Instant(T0 + 2 * DAY))
    assert store.apply(lambda tx: tx.row("select due from journey")) == (T0 + 6 * DAY,)


def test_finish_leaves_everybody_where_they_are(store: Store) -> None:
    running = publish_text(store, FIRST, T0)
    arrive(store, running, "paid", ["ann"], T0)
    running = publish_text(store, EVENTS + "rule r when paid wait 1d send email", Instant(T0 + DAY))
    assert store.apply(lambda tx: chores(tx, running)) == ()
    assert store.apply(lambda tx: tx.row("select due from journey")) == (T0 + 7 * DAY,)


def test_the_counts_agree_after_edits_and_removals(store: Store) -> None:
    running = publish_text(store, FIRST, T0)
    arrive(store, running, "paid", ["ann", "bob"], T0)
    running = publish_text(store, GONE.replace("rule r", "rule s"), Instant(T0 + DAY))
    lines = sweep_all(store, running, Instant(T0 + DAY), limit=1)
    assert told(lines) == [("r", "exited", "the rule was removed")] * 2
    assert all(count.balanced for count in store.apply(count_rules))


def test_a_publication_keeps_its_text_and_says_what_it_changed(store: Store) -> None:
    book = EVENTS + "segment buyers where ordered\nrule a when paid stop\nrule b when paid stop"
    publish_text(store, book, T0)
    edited = EVENTS + "segment buyers where paid\nrule a when paid wait 1d\nrule c when paid stop\n"
    publish_text(store, edited + "policy promotional\n  limit 1 email per 1d\n", Instant(T0 + 1))
    found = store.apply(books.load_publications)
    assert [(one.number, one.at, one.who) for one in found] == [(1, T0, "test"), (2, T0 + 1, "test")]
    assert found[0].changes == Changes(added=("a", "b", "buyers"))
    assert found[1].changes == Changes(added=("c", "policy promotional"), changed=("a", "buyers"), removed=("b",))
