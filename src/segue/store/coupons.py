"""Queries for messages: pools of coupon codes, and who has which."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from segue.api import Instant
from segue.delivery.ledger import LedgerRow
from segue.store.database import Transaction


class Pool(msgspec.Struct, frozen=True):
    """A pool of codes: how many there are, and how many of them nobody has."""

    name: str
    codes: int
    free: int


def add_codes(tx: Transaction, pool: str, codes: Iterable[str]) -> int:
    """Put codes into a pool, behind those that it has. A code that it has already stays as it is. How many are new."""
    return sum(
        tx.run("insert into coupon (pool, code) values (?, ?) on conflict (pool, code) do nothing", (pool, code))
        for code in codes
    )


def load_pools(tx: Transaction) -> list[Pool]:
    """All pools, by name."""
    return [
        Pool(name, codes, free)
        for name, codes, free in tx.rows(
            "select pool, count(*), sum(journey is null) from coupon group by pool order by pool"
        )
    ]


def take_code(tx: Transaction, pool: str, message: LedgerRow, now: Instant) -> str | None:
    """A code for a message: the one its journey has of the pool, else the first that is free, which it then has.
    None where the pool is empty."""
    row = tx.row("select code from coupon where journey = ? and pool = ?", (message.journey, pool))
    if row is None:
        row = tx.row("select id, code from coupon where pool = ? and journey is null order by id limit 1", (pool,))
        if row is None:
            return None
        number, code = row
        tx.run(
            "update coupon set journey = ?, message = ?, at = ? where id = ?",
            (message.journey, message.row, now, number),
        )
        return str(code)
    return str(row[0])


def give_back(tx: Transaction, customer: int, journey: int, pool: str) -> None:
    """Free the journey's code of a pool, unless one of its messages has carried it to a channel, or may."""
    tx.run(
        "update coupon set journey = null, message = null, at = null where journey = ?1 and pool = ?2 "
        "and not exists (select 1 from message where customer = ?3 and message.journey = ?1 and coupons is not null "
        "and claimed is not null and state not in (6, 7) "
        "and exists (select 1 from json_each(coupons) where json_extract(value, '$[1]') = ?2))",
        (journey, pool, customer),
    )
