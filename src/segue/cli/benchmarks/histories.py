"""What one more event costs a customer with many: a rule that sums and counts over windows, beside a look through all
of their events, which is what it cost before aggregates were kept."""

from __future__ import annotations

import time
from datetime import UTC
from pathlib import Path
from typing import Final

import msgspec

from segue.api import Event, Instant
from segue.api.values import DAY, MINUTE
from segue.cli.benchmarks.workload import setting
from segue.language import model as m
from segue.language.book import Source, check_book
from segue.language.vocabulary import ChannelWords, Words
from segue.program.facts import Customer, Scene
from segue.runtime.ingest import ingest
from segue.runtime.publishing import publish, resume
from segue.runtime.running import Running
from segue.store.aggregates import forget
from segue.store.customers import EventRow, hash_id, insert_events, load_history
from segue.store.database import Store, Transaction

RULE: Final = """\
event ordered
  total money
when ordered where sum(ordered.total in last 30d) > 1000000 and count(ordered in last 90d) > 5
  and count(ordered ever) > 5 send email
"""
EVENTS: Final = 200
"""Events whose cost is measured, each in a batch of its own."""
_SCANS: Final = 5
_LONG_AGO: Final = 2 * 365 * DAY
"""The past events lie evenly over two years."""


class Cost(msgspec.Struct, frozen=True):
    """Events a second of a customer with so many ``past`` ones: as Segue takes them, and how many looks through all
    past events there could be."""

    past: int
    taken: float
    looked_through: float


def measure_histories(folder: Path, lengths: tuple[int, ...]) -> tuple[Cost, ...]:
    """The cost of an event after so many of the same customer, over a store in a file."""
    return tuple(_measure(folder / f"history-{past}.db", past) for past in lengths)


def _measure(path: Path, past: int) -> Cost:
    store = Store(path, durable=False)
    now = Instant(time.time_ns() // 1000)
    checked = book()

    def prepare(tx: Transaction) -> Running | None:
        publish(tx, checked, Instant(now - 1), "bench")
        return resume(tx, setting())

    running = store.apply(prepare)
    assert running is not None
    _order(store, running, 0, now)
    store.apply(lambda tx: _fill(tx, past, now))
    _order(store, running, 1, now)  # who was found to have many events was counted here
    began = time.perf_counter()
    for number in range(2, EVENTS + 2):
        _order(store, running, number, Instant(now + number * MINUTE))
    taken = EVENTS / (time.perf_counter() - began)
    later = Instant(now + (EVENTS + 2) * MINUTE)
    began = time.perf_counter()
    for _ in range(_SCANS):
        if store.apply(lambda tx: _look_through(tx, running, later)) is not False:
            raise RuntimeError("the customer of the benchmark spent a fortune")
    looked_through = _SCANS / (time.perf_counter() - began)
    store.close()
    return Cost(past, taken, looked_through)


def _order(store: Store, running: Running, number: int, at: Instant) -> None:
    fields = {"total": 59.9, "currency": "EUR", "order_id": f"order-{number}"}
    name = f"order-{number}"
    one = Event(message_id=name, timestamp=at, source="segment", name="ordered", user_id="buyer", properties=fields)
    store.apply(lambda tx: ingest(tx, running, [one], at))


def _fill(tx: Transaction, past: int, now: Instant) -> None:
    """History as an import writes it."""
    raw = msgspec.json.encode({"total": 12.5, "currency": "EUR", "source": "import"})
    events = []
    for number in range(past):
        name, at = f"past-{number}", Instant(now - _LONG_AGO + number * _LONG_AGO // past)
        events.append(EventRow(tx.store.ids.take("event"), hash_id(name), name, 1, "ordered", at, now, 0, raw, None))
    insert_events(tx, events)
    forget(tx, [1])


def _look_through(tx: Transaction, running: Running, now: Instant) -> bool:
    found = load_history(tx, [1], ["ordered"])
    (program,) = running.current.values()
    assert program.where is not None
    buyer = Customer("buyer", {}, UTC, "EUR", {"ordered": found[1, "ordered"]}, lambda *_: None)
    return bool(program.where.judge(Scene(buyer, now)))


def book() -> m.Book:
    """The rule, parsed and checked."""
    words = Words(channels={"email": ChannelWords(needs_content=False)})
    checked = check_book([Source("bench.rules", RULE)], words)
    assert checked.ok, checked.diagnostics
    return checked.book
