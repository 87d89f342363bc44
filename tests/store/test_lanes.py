"""Whose turn it is, is found by an index, however long the backlog."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from segue.api import Instant
from segue.delivery.ledger import MessageState
from segue.store.database import Store, Transaction
from segue.store.lanes import Lane, load_expired, load_lanes, load_of_lane, next_expiry

LANE = Lane(MessageState.DECIDED, "promotional", "news")
NOW = Instant(10)


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None)
    yield opened
    opened.close()


class Explaining:
    """A transaction that keeps how each of its queries is answered."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.plans: list[str] = []

    def rows(self, sql: str, values: Any = ()) -> list[tuple[Any, ...]]:
        self.plans += [line[3] for line in self._tx.rows(f"explain query plan {sql}", values)]
        return self._tx.rows(sql, values)

    def row(self, sql: str, values: Any = ()) -> tuple[Any, ...] | None:
        return next(iter(self.rows(sql, values)), None)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (lambda tx: load_lanes(tx, "push"), "message_lane"),
        (lambda tx: load_of_lane(tx, "push", LANE, NOW, 10), "message_lane"),
        (lambda tx: load_of_lane(tx, "push", LANE, NOW, 10, (NOW, 3)), "message_lane"),
        (lambda tx: load_expired(tx, "push", NOW, 10, ("tips",)), "message_expiring"),
        (lambda tx: next_expiry(tx, "push", NOW), "message_expiring"),
    ],
    ids=["lanes", "a lane", "the rest of a lane", "expired", "next to expire"],
)
def test_each_question_has_its_index_and_sorts_nothing(store: Store, query: Callable[[Any], Any], index: str) -> None:
    def job(tx: Transaction) -> list[str]:
        explaining = Explaining(tx)
        query(explaining)
        return explaining.plans

    plans = store.apply(job)
    assert index in plans[0], plans
    assert not any("TEMP B-TREE" in plan for plan in plans), plans
