"""A store made many times as large: each customer, with all that happened to them, becomes many who lived the same.

Copies stand beside their original in the order of numbers, so that rows are still numbered in the order in which they
were written, and queries that rely on it find what they would in a store that grew by itself. Only what reports read is
multiplied; such a store is to be read, not to be run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from segue.store.database import Store, Transaction

Tell = Callable[[str], None]
Change = Callable[[Any, int], Any]
"""What a copy's cell holds in the place of the original's; the second is the number of the copy."""

_PIECE: Final = 200
"""Originals whose copies are written in one transaction."""
_KEY: Final = re.compile(rb"(?<![0-9a-f])([0-9a-f]{26})[0-9a-f]{6}(?![0-9a-f])")
"""A key of a journey or a message where it is written out."""
_ONCE: Final = (
    "delete from coupon where journey is null",
    "delete from entry",
    "delete from reaction",
    "delete from lookout",
    "delete from aggregate_day",
    "delete from ignored",
)
"""What is of no use to a report, or would be of no customer."""
_INDEXES: Final = "select name, sql from sqlite_master where tbl_name = ? and type = 'index' and sql is not null"


def multiply(store: Store, times: int, tell: Tell) -> None:
    """Have ``times`` customers for each that there is. ``tell`` hears the name of each table when it begins."""

    def number(value: Any, copy: int) -> Any:
        return None if value is None else (value - 1) * times + copy + 1

    changes: dict[str, dict[str, Change]] = {
        "customer": {"id": number, "key": _text},
        "event": {"id": number, "customer": number, "hash": _hash, "message_id": _text, "fields": _fields},
        "journey": {"id": number, "customer": number, "key": _key, "detail": _keys},
        "message": {"id": number, "customer": number, "journey": number, "key": _key, "receipt": _text},
        "exposure": {"id": number, "customer": number, "journey": number},
        "assignment": {"customer": number},
        "consent": {"id": number, "customer": number},
        "hit": {"id": number, "customer": number, "message": number},
        "coupon": {"id": number, "journey": number, "message": number, "code": _text},
    }
    for statement in _ONCE:
        store.apply(_running(statement))
    for table, columns in changes.items():
        tell(table)
        _multiply(store, table, columns, times)
    for table, column in (("tally", "n"), ("spend", "amount"), ("arm", "assigned"), ("arm", "met")):
        store.apply(_running(f"update {table} set {column} = {column} * {times}"))
    store.apply(_running("analyze"))


def count_rows(tx: Transaction) -> dict[str, int]:
    """How many rows the large tables have."""
    counts = {table: tx.row(f"select count(*) from {table}") for table in ("customer", "event", "journey", "message")}
    return {table: row[0] for table, row in counts.items() if row is not None}


def _running(statement: str) -> Callable[[Transaction], int]:
    return lambda tx: tx.run(statement)


def _multiply(store: Store, table: str, changes: dict[str, Change], times: int) -> None:
    names = [name for (name,) in store.apply(lambda tx: tx.rows("select name from pragma_table_info(?)", (table,)))]
    rows = store.apply(lambda tx: tx.rows(f"select * from {table} order by 1"))
    indexes = store.apply(lambda tx: tx.rows(_INDEXES, (table,)))
    for name, _ in indexes:  # written once at the end, each in its own order
        store.apply(_running(f"drop index {name}"))
    store.apply(_running(f"delete from {table}"))
    insert = f"insert into {table} values ({', '.join('?' * len(names))})"
    for first in range(0, len(rows), _PIECE):
        copies = _copies(rows[first : first + _PIECE], names, changes, times)
        store.apply(partial(Transaction.run_many, sql=insert, values=copies))
    for _, sql in indexes:
        store.apply(_running(sql))


def _copies(
    rows: list[tuple[Any, ...]], names: list[str], changes: dict[str, Change], times: int
) -> Iterator[list[Any]]:
    places = [(names.index(name), change) for name, change in changes.items()]
    for row in rows:
        for copy in range(times):
            cells = list(row)
            for place, change in places:
                cells[place] = change(cells[place], copy)
            yield cells


def _text(value: str | None, copy: int) -> str | None:
    return None if value is None else f"{value}.{copy}"


def _hash(value: int, copy: int) -> int:
    return (value + copy * 0x9E3779B97F4A7C15 + 2**63) % 2**64 - 2**63


def _key(value: bytes, copy: int) -> bytes:
    return value[:13] + copy.to_bytes(3)


def _keys(value: bytes | None, copy: int) -> bytes | None:
    return None if value is None else _KEY.sub(rb"\g<1>%06x" % copy, value)


def _fields(value: bytes | None, copy: int) -> bytes | None:
    """Orders have numbers of their own, too."""
    changed = _keys(value, copy)
    return None if changed is None else changed.replace(b'"order_id":"', b'"order_id":"%d.' % copy)
