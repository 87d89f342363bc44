"""Queries for customers with a long history: who they are, and the aggregates that are kept of it.

What is kept of a customer is always the same as what their events come to. Whoever changes stored events in another
way than by writing new ones through a turn calls `forget` in the same transaction: it is counted anew where it is
asked for next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.program.aggregates import Bucket, Edge, Sums
from segue.program.facts import Past
from segue.store.customers import name_numbers
from segue.store.database import Transaction

ALL: Final = -1_000_000
"""Stands for the day of all events: before every day of the calendar."""

Place = tuple[int, int, int]
"""An aggregate, a customer and a day."""


class _Detail(msgspec.Struct, array_like=True):
    sums: dict[str, Sums]
    first: Edge | None
    last: Edge | None


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(_Detail).decode


class Aggregate(msgspec.Struct, frozen=True):
    """What is kept for customers with a long history of an event: see the table."""

    number: int
    digest: str | None
    event: str
    cursor: int
    last: int


def load_aggregates(tx: Transaction) -> list[Aggregate]:
    """All that is kept."""
    return [Aggregate(*row) for row in tx.rows("select id, hash, event, cursor, last from aggregate order by id")]


def numbers(tx: Transaction) -> Mapping[str, int]:
    """The numbers of what is kept, by hash."""
    known: dict[str, int] = tx.store.caches.setdefault("aggregates", {})
    if not known:
        known.update(tx.rows("select hash, id from aggregate where hash is not null"))
    return known


def arrange(tx: Transaction, wanted: Mapping[str, str], newest: int) -> None:
    """Have these be kept, hash to event, and no others. ``newest`` is the newest customer: those up to it who have a
    long history are counted by and by."""
    counted = 0 if _any_long(tx) else newest
    known = {one.digest for one in load_aggregates(tx) if one.digest is not None}
    tx.run_many(
        "insert into aggregate (hash, event, cursor, last) values (?, ?, ?, ?)",
        [(digest, event, counted, newest) for digest, event in sorted(wanted.items()) if digest not in known],
    )
    tx.run_many("update aggregate set hash = null where hash = ?", [(digest,) for digest in known - wanted.keys()])
    tx.store.caches.pop("aggregates", None)


def cover(tx: Transaction, event: str, cursor: int) -> None:
    """Customers up to this one have been counted, for all that is kept of an event."""
    tx.run("update aggregate set cursor = max(cursor, ?) where event = ? and hash is not null", (cursor, event))


def drop(tx: Transaction, number: int, limit: int) -> bool:
    """A piece of dropping what nobody asks for any more; True once nothing of it is left."""
    gone = tx.run(
        "delete from aggregate_day where aggregate = ?1 and (customer, day) in "
        "(select customer, day from aggregate_day where aggregate = ?1 order by customer, day limit ?2)",
        (number, limit),
    )
    if gone < limit:
        tx.run("delete from aggregate where id = ?", (number,))
    return gone < limit


# Customers


def load_long(tx: Transaction, customers: Iterable[int]) -> dict[int, set[str]]:
    """The names of which these customers have many events."""
    if not _any_long(tx):
        return {}
    people = msgspec.json.encode(list(customers)).decode()
    found: dict[int, set[str]] = {}
    for customer, name in tx.rows(
        "select long_history.customer, name.name from json_each(?) as people "
        "cross join long_history on long_history.customer = people.value join name on name.id = long_history.name",
        (people,),
    ):
        found.setdefault(customer, set()).add(name)
    return found


def _any_long(tx: Transaction) -> bool:
    known = tx.store.caches.setdefault("long", {})
    if not known:
        known["any"] = tx.row("select 1 from long_history limit 1") is not None
    return bool(known["any"])


def put_long(tx: Transaction, customer: int, name: str) -> None:
    """A customer has many events of a name."""
    number = name_numbers(tx, ())[name]
    tx.run("insert into long_history (customer, name) values (?, ?) on conflict do nothing", (customer, number))
    tx.store.caches["long"] = {"any": True}


def find_long(tx: Transaction, name: str, after: int, last: int, limit: int) -> list[int]:
    """Customers with many events of a name, in order: those above ``after``, up to ``last``."""
    return [
        row
        for (row,) in tx.rows(
            "select customer from long_history where customer > ? and customer <= ? "
            "and name = (select id from name where name = ?) order by customer limit ?",
            (after, last, name, limit),
        )
    ]


def forget(tx: Transaction, customers: Iterable[int]) -> None:
    """The stored events of these customers change: nothing that is kept of them holds any more. It is counted anew
    when it is next asked for."""
    if not _any_long(tx):
        return
    people = msgspec.json.encode(list(customers)).decode()
    tx.run("delete from long_history where customer in (select value from json_each(?))", (people,))
    tx.run(
        "delete from aggregate_day where aggregate in (select id from aggregate) "
        "and customer in (select value from json_each(?))",
        (people,),
    )


# What is kept


def load_buckets(
    tx: Transaction, aggregates: Iterable[int], customers: Iterable[int], first: int, last: int
) -> dict[Place, Bucket]:
    """What is kept of these customers from a day to another. One query for all of them."""
    wanted, people = (msgspec.json.encode(list(one)).decode() for one in (aggregates, customers))
    return {
        (aggregate, customer, day): _bucket(n, earliest, latest, detail)
        for aggregate, customer, day, n, earliest, latest, detail in tx.rows(
            "select kept.aggregate, kept.customer, kept.day, kept.n, kept.earliest, kept.latest, kept.detail "
            "from json_each(?) as wanted cross join json_each(?) as people cross join aggregate_day as kept "
            "on kept.aggregate = wanted.value and kept.customer = people.value and kept.day between ? and ?",
            (wanted, people, first, last),
        )
    }


def _bucket(n: int, earliest: int, latest: int, detail: bytes | None) -> Bucket:
    if detail is None:
        return Bucket(n, earliest, latest)
    more = _decode(detail)
    return Bucket(n, earliest, latest, more.sums, more.first, more.last)


def put_buckets(tx: Transaction, buckets: Mapping[Place, Bucket]) -> None:
    """Write what is kept."""
    tx.run_many(
        "replace into aggregate_day (aggregate, customer, day, n, earliest, latest, detail) "
        "values (?, ?, ?, ?, ?, ?, ?)",
        [(*place, one.n, one.earliest, one.latest, _detail(one)) for place, one in buckets.items()],
    )


def _detail(one: Bucket) -> bytes | None:
    return _encode(_Detail(one.sums, one.first, one.last)) if one.first is not None else None


def remove_buckets(tx: Transaction, customer: int, aggregates: Sequence[int]) -> None:
    """Nothing is kept of a customer's any more."""
    tx.run_many(
        "delete from aggregate_day where aggregate = ? and customer = ?", [(one, customer) for one in aggregates]
    )


# Events, where they are needed

_OF_NAME: Final = "customer = ? and name = (select id from name where name = ?)"


def load_between(tx: Transaction, customer: int, name: str, first: int, last: int) -> list[Past]:
    """The events of a name that happened from an instant to another, both included."""
    return [
        Past(at, order, fields or b"")
        for at, order, fields in tx.rows(
            f"select at, id, fields from event where {_OF_NAME} and at between ? and ?", (customer, name, first, last)
        )
    ]


def find_event(tx: Transaction, customer: int, name: str, row: int) -> Past | None:
    """An event by its place in the order of arrival, where it is one of that customer and name."""
    found = tx.row(f"select at, fields from event where id = ? and {_OF_NAME}", (row, customer, name))
    return Past(found[0], row, found[1] or b"") if found is not None else None


def first_after(tx: Transaction, customer: int, name: str, moment: Instant) -> Instant | None:
    """When the first event after a moment happened."""
    return _moment(tx, "min", ">", customer, name, moment)


def last_until(tx: Transaction, customer: int, name: str, moment: Instant) -> Instant | None:
    """When the last event happened that is not later than a moment."""
    return _moment(tx, "max", "<=", customer, name, moment)


def _moment(tx: Transaction, which: str, order: str, *values: Any) -> Instant | None:
    row = tx.row(f"select {which}(at) from event where {_OF_NAME} and at {order} ?", values)
    return row[0] if row is not None else None
