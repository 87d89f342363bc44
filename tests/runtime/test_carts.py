"""Abandoned carts in the daemon's loops: late, in pieces, put off, and with a source that is derived for no more."""

from __future__ import annotations

from collections import Counter
from functools import partial

import msgspec
import pytest

from segue.api import Instant
from segue.api.values import DAY, HOUR, MINUTE
from segue.runtime.admissions import MISSED
from segue.runtime.due import next_due, postpone_first
from segue.runtime.ingest import Intake, ingest
from segue.runtime.running import Running
from segue.runtime.turn import Turn
from segue.store.carts import load_carts
from segue.store.database import Store, Transaction
from segue.store.history import EMITTED, load_arrivals
from tests.runtime.rulebook import T0, event, pass_all_time, publish_text, told

RULES = """
event cart_updated
  total money
event cart_abandoned
  total money
event ordered
rule r
  when cart_abandoned
  wait 1h unless ordered
  send push
"""


@pytest.fixture
def store() -> Store:
    return Store(None)


@pytest.fixture
def running(store: Store) -> Running:
    return msgspec.structs.replace(publish_text(store, RULES, T0), carts={"shop": HOUR})


def fill(store: Store, running: Running, *customers: str, at: Instant = T0) -> None:
    events = [event("cart_updated", one, at=at, traits={}, total=20) for one in customers]
    store.apply(lambda tx: ingest(tx, running, events, at))


def test_however_many_are_abandoned_at_once_each_is_in_its_piece(store: Store, running: Running) -> None:
    people = [f"c{number}" for number in range(23)]
    fill(store, running, *people)
    assert store.apply(lambda tx: next_due(tx, running)) == T0 + HOUR
    lines = pass_all_time(store, running, Instant(T0 + HOUR + 5 * MINUTE), limit=4)
    assert Counter(line.customer for line in lines if line.decision == "entered") == Counter(people)
    assert {line.at for line in lines} == {T0 + HOUR}


def test_the_event_is_kept_as_one_that_nobody_sent(store: Store, running: Running) -> None:
    fill(store, running, "ann")
    pass_all_time(store, running, Instant(T0 + HOUR + 5))
    row = store.apply(lambda tx: load_arrivals(tx, 0, 10))[-1]
    assert (row.name, row.kind, row.at, row.received) == ("cart_abandoned", EMITTED, T0 + HOUR, T0 + HOUR + 5)
    assert row.fields == {"source": "shop", "total": 20}


def test_an_order_in_the_same_batch_as_the_change_ends_it(store: Store, running: Running) -> None:
    events = [event("cart_updated", at=T0, total=20), event("ordered", at=Instant(T0 + 1))]
    store.apply(lambda tx: ingest(tx, running, events, Instant(T0 + 1)))
    assert store.apply(lambda tx: next_due(tx, running)) is None
    assert store.apply(lambda tx: load_carts(tx, [1])) == {}


def test_a_daemon_that_was_late_decides_before_what_arrived_since(store: Store, running: Running) -> None:
    fill(store, running, "ann")
    lines = store.apply(
        lambda tx: ingest(tx, running, [event("ordered", at=Instant(T0 + 90 * MINUTE))], Instant(T0 + 90 * MINUTE))
    ).done.lines
    assert told(lines) == [("r", "entered", ""), ("r", "exited", "unless ordered")]
    assert lines[0].at == T0 + HOUR


def test_one_that_was_missed_by_a_day_begins_nothing_and_is_on_record(store: Store, running: Running) -> None:
    fill(store, running, "ann")
    assert told(pass_all_time(store, running, Instant(T0 + 2 * DAY))) == [("r", "ignored", MISSED)]


def test_what_cannot_be_done_is_put_off(store: Store, running: Running) -> None:
    fill(store, running, "ann", "bob")
    now, later = Instant(T0 + HOUR), Instant(T0 + 2 * HOUR)
    assert store.apply(lambda tx: postpone_first(tx, running, now, later)) == "a cart of customer 1 from shop"
    assert {line.customer for line in pass_all_time(store, running, now)} == {"bob"}
    assert {line.customer for line in pass_all_time(store, running, later) if line.decision == "entered"} == {"ann"}


def test_one_that_cannot_be_read_is_given_up(store: Store, running: Running) -> None:
    fill(store, running, "ann")
    store.apply(lambda tx: tx.run("update cart set state = ?", (b"{",)))
    now = Instant(T0 + HOUR)
    assert store.apply(lambda tx: postpone_first(tx, running, now, now)) == "a cart of customer 1 from shop"
    assert store.apply(lambda tx: postpone_first(tx, running, now, now)) == ""


def test_a_source_that_is_not_derived_for_any_more_has_no_more_abandoned_carts(store: Store, running: Running) -> None:
    fill(store, running, "ann")
    other = msgspec.structs.replace(running, carts={"another": HOUR})
    assert pass_all_time(store, other, Instant(T0 + DAY)) == []
    assert store.apply(lambda tx: load_carts(tx, [1])) == {}


def test_a_cart_is_forgotten_in_the_end(store: Store, running: Running) -> None:
    fill(store, running, "ann")
    pass_all_time(store, running, Instant(T0 + HOUR))
    assert store.apply(lambda tx: len(load_carts(tx, [1])[1])) == 1
    pass_all_time(store, running, Instant(T0 + 40 * DAY))
    assert store.apply(lambda tx: load_carts(tx, [1])) == {}


def test_a_customer_has_no_more_than_so_many_carts(store: Store, running: Running) -> None:
    for number in range(50):
        at = Instant(T0 + number)
        one = event("cart_updated", "ann", at=at, traits={}, total=20, cart_id=f"c{number}")
        store.apply(partial(ingest, running=running, events=[one], now=at))
    carts = store.apply(lambda tx: load_carts(tx, [1]))[1]
    assert [cart.id for cart in carts] == [f"c{number}" for number in range(30, 50)]


def test_no_cart_of_an_import_is_watched_but_its_orders_end_the_watch(store: Store, running: Running) -> None:
    fill(store, running, "ann", "bob")
    past = [
        event("cart_updated", "cem", at=T0, traits={}, total=20),
        event("ordered", "bob", at=Instant(T0 + MINUTE), traits={}),
    ]
    now = Instant(T0 + 2 * MINUTE)

    def bring(tx: Transaction) -> None:
        intake = Intake(Turn(tx, running, now))
        intake.expect(past)
        for one in past:
            intake.take(one, now, imported=True)
        intake.close()

    store.apply(bring)
    lines = pass_all_time(store, running, Instant(T0 + DAY))
    assert {line.customer for line in lines} == {"ann"}


def test_who_ordered_often_is_asked_only_for_orders_since(store: Store, running: Running) -> None:
    orders = [event("ordered", "ann", at=Instant(T0 - DAY + number), traits={}) for number in range(200)]
    store.apply(lambda tx: ingest(tx, running, orders, T0))
    fill(store, running, "ann", at=T0)
    store.apply(lambda tx: ingest(tx, running, [event("ordered", at=Instant(T0 + MINUTE))], Instant(T0 + MINUTE)))
    late = event("cart_updated", "ann", id="late", at=T0, traits={}, total=20)
    store.apply(lambda tx: ingest(tx, running, [late], Instant(T0 + 2 * MINUTE)))
    assert store.apply(lambda tx: load_carts(tx, [1])) == {}
    fill(store, running, "ann", at=Instant(T0 + 3 * MINUTE))
    assert [line.at for line in pass_all_time(store, running, Instant(T0 + DAY))][:1] == [T0 + HOUR + 3 * MINUTE]
