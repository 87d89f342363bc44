"""Orders are read from the store: the same for the same period, whatever else is asked for and whoever else bought."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from segue.api import Event, Instant
from segue.api.values import DAY
from segue.measure.period import Period
from segue.measure.touchpoints.columns import Conversions
from segue.runtime.ingest import ingest
from segue.runtime.publishing import publish, resume
from segue.runtime.running import Running
from segue.store.database import Store, Transaction, read_only
from segue.store.orders import read_orders
from tests.acceptance.drivers import read_rules, setting

START = Instant(1_780_000_000_000_000)


class Shop:
    """A store that is told of orders, by days from the start."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.store = Store(path, durable=False)

        def prepare(tx: Transaction) -> Running:
            publish(tx, read_rules("rule hello\n  when signed_up\n  send email\n"), START, "test")
            running = resume(tx, setting())
            assert running is not None
            return running

        self._running = self.store.apply(prepare)
        self._number = 0

    def tell(self, day: float, name: str, customer: str, **fields: Any) -> None:
        self._number += 1
        at = Instant(START + int(day * DAY))
        event = Event(
            message_id=str(self._number), timestamp=at, source="web", name=name, user_id=customer, properties=fields
        )
        self.store.apply(partial(ingest, running=self._running, events=[event], now=at))

    def read(self, since: float, until: float, lookback: float = 30) -> Conversions:
        period = Period(Instant(START + int(since * DAY)), Instant(START + int(until * DAY)))
        begin = Instant(period.since - int(lookback * DAY))
        look = partial(read_only, self._path)
        found = read_orders(look, begin, period, ("ordered",), "EUR", lambda _done, _of: None)
        assert all(begin <= at < period.until for at in found.at.tolist())
        return found


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path / "segue.db")
    yield made
    made.store.close()


def test_what_an_order_is_worth_may_be_told_after_its_period(shop: Shop) -> None:
    shop.tell(40, "ordered", "ann", order_id="1")
    shop.tell(45, "ordered", "ann", order_id="1", total=20)
    shop.tell(45, "ordered", "ann", order_id="2", total=7)
    for until in (41, 44, 46):
        found = shop.read(40, until)
        assert dict(zip(found.at.tolist(), found.values.tolist(), strict=True))[START + 40 * DAY] == 20
        assert found.unpriced == 0
    assert sorted(shop.read(41, 46).values.tolist()) == [7, 20]
    assert shop.read(41, 46, lookback=0).values.tolist() == [7]


def test_refunds_of_two_customers_may_have_one_id(shop: Shop) -> None:
    for customer in ("ann", "bob"):
        shop.tell(1, "ordered", customer, order_id="1", total=20)
        shop.tell(2, "order_refunded", customer, order_id="1", refund_id="r", amount=5)
        shop.tell(3, "order_refunded", customer, order_id="1", refund_id="r", amount=5)
    found = shop.read(0, 10)
    assert found.refunds.tolist() == [5, 5]
    assert found.loose_refunds == 0
