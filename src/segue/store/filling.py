"""Fills a store with customers and their history at once: for benchmarks, which measure what comes after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.store.customers import CustomerRow, hash_id, insert_customers, name_numbers
from segue.store.database import Store, Transaction

_PIECE: Final = 50_000
_encode = msgspec.json.Encoder().encode


class PastEvent(msgspec.Struct, frozen=True):
    """Something that once happened to a customer, by number. ``fields`` are JSON."""

    customer: int
    name: str
    at: Instant
    fields: bytes


def fill_customers(store: Store, customers: Iterable[CustomerRow]) -> None:
    """Write customers."""
    waiting = iter(customers)
    while rows := list(islice(waiting, _PIECE)):
        store.apply(partial(insert_customers, customers=rows))


def fill_history(store: Store, events: Iterable[PastEvent]) -> None:
    """Write events in the order in which they arrived. Indexes are made anew when all are there."""
    indexes = store.apply(_drop_indexes)
    waiting = iter(events)
    number = 0
    while rows := list(islice(waiting, _PIECE)):
        store.apply(partial(_insert, rows=rows, before=number))
        number += len(rows)
    for sql in indexes:
        store.apply(partial(Transaction.run, sql=sql))
    store.forget()


def _drop_indexes(tx: Transaction) -> list[str]:
    found = tx.rows(
        "select name, sql from sqlite_master where type = 'index' and tbl_name = 'event' and sql is not null"
    )
    for name, _ in found:
        tx.run(f"drop index {name}")
    return [sql for _, sql in found]


def _insert(tx: Transaction, rows: list[PastEvent], before: int) -> None:
    names = name_numbers(tx, sorted({row.name for row in rows}))
    tx.run_many(
        "insert into event (id, hash, message_id, customer, name, at, received, kind, fields) "
        "values (?, ?, ?, ?, ?, ?, ?, 0, ?)",
        _values(rows, names, before),
    )


def _values(rows: list[PastEvent], names: dict[str, int], before: int) -> Iterator[tuple[Any, ...]]:
    for number, row in enumerate(rows, before + 1):
        message = f"past-{number}"
        yield number, hash_id(message), message, row.customer, names[row.name], row.at, row.at, row.fields or None
