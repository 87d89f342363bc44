"""A scratch store that begins with what another store knows of its customers: to try a rule book on the past.

Everything is read from the other store in pieces, each a short look of its own, so that a daemon that uses it is not
held up; rows keep their numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.store.database import Store, Transaction

Look = Callable[[], AbstractContextManager[Transaction]]
"""Opens one short look at the other store."""

_PIECE: Final = 5000
_ARRIVALS: Final = 50_000
_MINE: Final = (
    "key in (select key from customer where id in (select value from json_each(?1)) "
    "union all select key from alias where customer in (select value from json_each(?1)))"
)
_OF_CUSTOMERS: Final = {
    "customer": "id in (select value from json_each(?1))",
    "alias": "customer in (select value from json_each(?1))",
    "link": _MINE,
    "parting": _MINE,
    "entry": "customer in (select value from json_each(?1)) and at < ?2",
    "assignment": "customer in (select value from json_each(?1))",
    "reaction": "customer in (select value from json_each(?1))",
    "event": "customer in (select value from json_each(?1)) and id < ?3 and name in "
    "(select id from name where name in (select value from json_each(?4)))",
}
"""What is copied of each table: customers, the moment and the arrival at which the past ends, names of events."""


def first_arrival_since(tx: Transaction, moment: Instant) -> int:
    """The number of the first arrival at or after a moment, one more than the last where none is."""
    low, high = 1, last_arrival(tx) + 1
    while low < high:  # they are numbered in the order in which they arrived
        middle = (low + high) // 2
        row = tx.row("select received from event where id >= ? order by id limit 1", (middle,))
        if row is None or row[0] >= moment:
            high = middle
        else:
            low = middle + 1
    return low


def last_arrival(tx: Transaction) -> int:
    """The number of the last arrival, 0 where there is none."""
    row = tx.row("select coalesce(max(id), 0) from event")
    return int(row[0]) if row is not None else 0


def received_at(tx: Transaction, number: int) -> Instant | None:
    """When the first arrival from a number on arrived; None where there is none."""
    row = tx.row("select received from event where id >= ? order by id limit 1", (number,))
    return Instant(row[0]) if row is not None else None


def copy_past(look: Look, store: Store, before: int, names: Collection[str], *, everyone: bool) -> int:
    """Copy customers with their traits, consent and arms as they are now, and, of what came before an arrival, their
    entries and their events of these names. Those who arrive from then on, or everyone. Gives how many they are."""
    with look() as tx:
        moment = received_at(tx, before) or Instant(2**62)
        known = tx.rows("select id, name from name")
    store.apply(lambda into: into.run_many("insert into name (id, name) values (?, ?)", known))
    store.forget()
    wanted = msgspec.json.encode(sorted(names)).decode()
    count = 0
    for people in _everyone(look) if everyone else _arriving(look, before):
        numbers = msgspec.json.encode(people).decode()
        with look() as tx:
            rows = {
                table: tx.rows(f"select * from {table} where {where}", _values(where, numbers, moment, before, wanted))
                for table, where in _OF_CUSTOMERS.items()
            }
        store.apply(partial(_insert, rows=rows))
        count += len(people)
    return count


def _values(where: str, *values: Any) -> tuple[Any, ...]:
    """As many values as a condition has places."""
    return values[: max(int(mark) for mark in "1234" if f"?{mark}" in where)]


def _insert(tx: Transaction, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    for table, found in rows.items():
        if found:
            marks = ", ".join("?" * len(found[0]))
            tx.run_many(f"insert or ignore into {table} values ({marks})", found)


def _everyone(look: Look) -> Iterator[list[int]]:
    after = 0
    while True:
        with look() as tx:
            rows = tx.rows("select id from customer where id > ? order by id limit ?", (after, _PIECE))
        if not rows:
            return
        yield [row for (row,) in rows]
        after = rows[-1][0]


def _arriving(look: Look, since: int) -> Iterator[list[int]]:
    seen: set[int] = set()
    with look() as tx:
        last = last_arrival(tx)
    for first in range(since, last + 1, _ARRIVALS):
        with look() as tx:
            rows = tx.rows(
                "select distinct customer from event where id >= ? and id < ? and customer is not null",
                (first, first + _ARRIVALS),
            )
        fresh = sorted({row for (row,) in rows} - seen)
        seen.update(fresh)
        for place in range(0, len(fresh), _PIECE):
            yield fresh[place : place + _PIECE]
