"""Queries for whose an arrival is: what came under which identifiers, and to whom it goes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from segue.api import Instant
from segue.store.database import Transaction
from segue.store.history import IMPORTED, SOURCE


class Arrival(msgspec.Struct, frozen=True):
    """An event of a source as it is stored. ``rest`` has its identifiers, but for a user id that is the customer's own,
    and its traits."""

    row: int
    customer: int
    message_id: str
    at: Instant
    fields: dict[str, Any]
    rest: dict[str, Any]


_COLUMNS = "id, customer, message_id, at, fields, rest"


def load_arrivals_of(tx: Transaction, customers: Collection[int]) -> list[Arrival]:
    """All events of sources that belong to customers. The two halves have an index each."""
    wanted = msgspec.json.encode(sorted(customers)).decode()
    mine = f"customer in (select value from json_each(?1)) and kind in ({SOURCE}, {IMPORTED})"
    return [
        Arrival(
            row,
            customer,
            message_id,
            at,
            msgspec.json.decode(fields) if fields else {},
            msgspec.json.decode(rest) if rest else {},
        )
        for row, customer, message_id, at, fields, rest in tx.rows(
            f"select {_COLUMNS} from event where {mine} and name is not null "
            f"union all select {_COLUMNS} from event where {mine} and name is null",
            (wanted,),
        )
    ]


def has_arrivals_since(tx: Transaction, customer: int, at: Instant) -> bool:
    """Whether anything of a customer happened at a moment or later."""
    mine = "customer = ?1 and at >= ?2"
    return (
        tx.row(
            f"select 1 from event where {mine} and name is not null "
            f"union all select 1 from event where {mine} and name is null limit 1",
            (customer, at),
        )
        is not None
    )


def give_arrivals(tx: Transaction, owners: Mapping[int, int]) -> None:
    """Events go to customers."""
    tx.run_many("update event set customer = ? where id = ?", [(customer, row) for row, customer in owners.items()])


def name_user(tx: Transaction, customer: int, user_id: str) -> None:
    """A customer is about to go by another identifier: have their events say by themselves whose they were."""
    tx.run_many(
        "update event set rest = ? where id = ?",
        [
            (msgspec.json.encode({**arrival.rest, "userId": user_id}), arrival.row)
            for arrival in load_arrivals_of(tx, (customer,))
            if "userId" not in arrival.rest and "anonymousId" not in arrival.rest
        ],
    )
