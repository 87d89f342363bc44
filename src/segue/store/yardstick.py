"""The bare loop: what Python and this SQLite do with rows like ours and no engine; ``segue bench`` compares with it.

It finds duplicates, keeps customers, journeys, history and a ledger, and commits by the thousand with synchronous=FULL.
It knows one rule only, written out by hand, and no conditions, identities, traits or programs.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from segue.store.customers import hash_id
from segue.store.database import Transaction

BATCH: Final = 1000
_DAY: Final = 86_400_000_000

_SCHEMA: Final = """
create table event (id integer primary key, hash integer not null, message_id text not null, customer integer not null,
  name integer not null, at integer not null, fields blob);
create index event_hash on event (hash);
create index event_history on event (customer, name, at);
create table customer (id integer primary key, key text not null unique);
create table journey (id integer primary key, customer integer not null, trigger integer not null,
  entered integer not null, state integer not null, step integer not null, due integer);
create index journey_due on journey (due) where due is not null;
create index journey_live on journey (customer) where state = 0;
create table message (id integer primary key, journey integer not null, customer integer not null,
  channel text not null, state integer not null, due integer);
create index message_due on message (channel, due) where due is not null;
"""


class PlainEvent(msgspec.Struct, frozen=True):
    """An event as the bare loop takes it. ``orders`` ends the customer's journey, any other begins one."""

    message_id: str
    customer: str
    orders: bool
    at: int
    fields: dict[str, Any]


def read_through(tx: Transaction, customers: int) -> tuple[int, float]:
    """Read the whole history of the first so many customers in a plain loop, with its fields: how many they were, and
    the seconds it took."""
    decode = msgspec.json.Decoder().decode
    people = tx.rows("select id from customer where id <= ?", (customers,))
    began = time.perf_counter()
    for _, _, _, fields in tx.rows(
        "select customer, name, at, fields from event where customer between 1 and ? and name is not null "
        "order by customer, name, at",
        (customers,),
    ):
        if fields:
            decode(fields)
    return max(len(people), 1), time.perf_counter() - began


class BareLoop:
    """One run of the bare loop on a database file of its own."""

    def __init__(self, path: Path) -> None:
        self._connection = apsw.Connection(str(path))
        for pragma in ("journal_mode = wal", "synchronous = full", "cache_size = -65536", "wal_autocheckpoint = 1000"):
            self._connection.execute(f"pragma {pragma}")
        self._connection.execute(_SCHEMA)
        self._events = self._customers = self._journeys = 0

    def close(self) -> None:
        self._connection.close()

    def take(self, events: Sequence[PlainEvent]) -> float:
        """Take events in batches; the seconds it took."""
        began = time.perf_counter()
        for start in range(0, len(events), BATCH):
            self._connection.execute("begin immediate")
            self._take_batch(events[start : start + BATCH])
            self._connection.execute("commit")
        return time.perf_counter() - began

    def _take_batch(self, events: Sequence[PlainEvent]) -> None:
        ask = self._ask
        hashes = [hash_id(event.message_id) for event in events]
        found = ask("select message_id from event where hash in (select value from json_each(?))", hashes)
        seen = {name for (name,) in found}
        names = [event.customer for event in events]
        known = ask("select key, id from customer where key in (select value from json_each(?))", names)
        customers: dict[str, int] = dict(known)
        live: dict[int, int] = dict(
            ask(
                "select customer, id from journey where state = 0 and customer in (select value from json_each(?))",
                customers.values(),
            )
        )
        rows: list[tuple[Any, ...]] = []
        people: list[tuple[int, str]] = []
        begun: list[tuple[int, ...]] = []
        ended: list[tuple[int]] = []
        for event, hashed in zip(events, hashes, strict=True):
            if event.message_id in seen:
                continue
            seen.add(event.message_id)
            customer = customers.get(event.customer)
            if customer is None:
                self._customers += 1
                customer = customers[event.customer] = self._customers
                people.append((customer, event.customer))
            self._events += 1
            fields = msgspec.json.encode(event.fields)
            rows.append((self._events, hashed, event.message_id, customer, event.orders, event.at, fields))
            if event.orders:
                if (journey := live.pop(customer, None)) is not None:
                    ended.append((journey,))
            elif customer not in live:
                self._journeys += 1
                live[customer] = self._journeys
                begun.append((self._journeys, customer, self._events, event.at, event.at + _DAY))
        many = self._connection.executemany
        many("insert into event values (?, ?, ?, ?, ?, ?, ?)", rows)
        many("insert into customer values (?, ?)", people)
        many("insert into journey values (?, ?, ?, ?, 0, 0, ?)", begun)
        many("update journey set state = 2, due = null where id = ?", ended)

    def fire(self, now: int) -> tuple[int, float]:
        """End every wait that is over at ``now``; how many there were, and the seconds it took."""
        began = time.perf_counter()
        fired = 0
        while True:
            self._connection.execute("begin immediate")
            due: list[Any] = self._connection.execute(
                "select id, customer, step from journey where due <= ? order by due limit ?", (now, BATCH)
            ).fetchall()
            self._connection.executemany(
                "update journey set step = ?, due = null where id = ?", [(step + 1, row) for row, _, step in due]
            )
            self._connection.executemany(
                "insert into message (journey, customer, channel, state, due) values (?, ?, 'email', 0, ?)",
                [(row, customer, now) for row, customer, _ in due],
            )
            self._connection.execute("commit")
            fired += len(due)
            if len(due) < BATCH:
                return fired, time.perf_counter() - began

    def _ask(self, sql: str, values: Iterable[object]) -> list[Any]:
        return self._connection.execute(sql, (msgspec.json.encode(list(values)).decode(),)).fetchall()
