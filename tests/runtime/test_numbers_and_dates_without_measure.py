"""Fields of hostile size: they harm no other customer of the batch, and never hold the writer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from segue.api import Instant
from segue.api.values import DAY
from segue.runtime.ingest import ingest
from segue.runtime.wake import wake
from segue.store.database import Store
from segue.store.sweeps import count_rules
from tests.runtime.rulebook import T0, event, publish_text, told


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None)
    yield opened
    opened.close()


HUGE = (10**25, 10**400, "1e400", "1e2000000", "1e999999999", "-1e17000", 1e308, "9" * 4000, "1e-2000000")


@pytest.mark.parametrize("amount", HUGE, ids=range(len(HUGE)))
def test_a_number_without_measure_stops_nobody_else(store: Store, amount: Any) -> None:
    running = publish_text(
        store,
        """
        event paid
          points number
        event counted
          points number
        customer
          points number
        when paid set customer.points = points * points
          emit counted with points = points * 10
          send push "hello" with points = points
        """,
    )
    began = time.monotonic()
    batch = [event("paid", "mallory", points=amount), event("paid", "ann", points=3)]
    lines = store.apply(lambda tx: ingest(tx, running, batch, T0)).done.lines
    assert time.monotonic() - began < 1
    assert told(line for line in lines if line.customer == "ann")[0] == ("paid", "entered", "")
    assert not [line for line in lines if line.decision == "failed"]
    assert all(count.balanced for count in store.apply(count_rules))


def test_a_wait_beyond_the_calendar_ends_its_own_journey_and_no_other(store: Store) -> None:
    running = publish_text(
        store,
        """
        event paid
        customer
          cycle number
        when paid wait until now + customer.cycle * 1d send push "hello"
        """,
    )
    batch = [event("paid", "mallory", traits={"cycle": 10**12}), event("paid", "ann", traits={"cycle": 1})]
    lines = store.apply(lambda tx: ingest(tx, running, batch, T0)).done.lines
    assert told(lines) == [
        ("paid", "entered", ""),
        ("paid", "exited", "the date to wait for is missing"),
        ("paid", "entered", ""),
    ]
    woke = store.apply(lambda tx: wake(tx, running, Instant(T0 + 2 * DAY)))
    assert woke.fired == 1


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31T23:59:59", "0001-01-01T00:00:00+14:00", "9999-12-31"])
def test_a_date_at_the_end_of_time_fails_no_journey(store: Store, day: str) -> None:
    running = publish_text(
        store,
        """
        event paid
          due date
        event moved
          due date
        when paid goal moved where (due = 2026-11-27) within 7d
          wait until 1d before due unless moved where (due > 2026-11-27)
          send push "hello"
        """,
        zone="America/New_York",
    )
    batch = [event("paid", due="2030-01-01"), event("moved", due=day), event("paid", "mallory", due=day)]
    lines = store.apply(lambda tx: ingest(tx, running, batch, T0)).done.lines
    assert not [line.reason for line in lines if line.decision == "failed"]


def test_a_journey_that_ended_does_not_fail_as_well(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    running = publish_text(store, 'event paid\nevent came\nwhen paid goal came within 7d send push "hello" stop')
    store.apply(lambda tx: ingest(tx, running, [event("paid")], T0))
    store.apply(lambda tx: tx.run("update journey set state = 1"))
    store.apply(lambda tx: tx.run("insert into tally (rule, what, reason, n) values ('paid', 'finished', '', 1)"))

    def fail(*_: object, **__: object) -> object:
        raise ArithmeticError("planted")

    monkeypatch.setattr("segue.runtime.turn.step", fail)
    moment = Instant(T0 + 1)
    lines = store.apply(lambda tx: ingest(tx, running, [event("came", at=moment)], moment)).done.lines
    assert told(lines) == []
    assert all(count.balanced for count in store.apply(count_rules))


def test_a_journey_without_its_program_fails_once(store: Store) -> None:
    running = publish_text(store, 'event paid\nevent came\nwhen paid goal came within 7d wait 1d send push "hello"')
    store.apply(lambda tx: ingest(tx, running, [event("paid")], T0))
    lost = type(running)(**{**{name: getattr(running, name) for name in running.__struct_fields__}, "programs": {}})
    woke = store.apply(lambda tx: wake(tx, lost, Instant(T0 + 100 * DAY)))
    assert told(woke.done.lines) == [("paid", "failed", "its program is missing from the store")]
    assert woke.next_due is None
    assert all(count.balanced for count in store.apply(count_rules))
