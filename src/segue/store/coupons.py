"""Queries for messages: pools of coupon codes, who has which, and which were used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from segue.api import Instant
from segue.delivery.ledger import LedgerRow
from segue.messages.codes import make_code
from segue.store.database import Transaction
from segue.store.erasures import secret

_TRIALS: Final = 100


class Pool(msgspec.Struct, frozen=True):
    """A pool of codes: how many there are, how many of them nobody has and how many were used. ``pattern`` is how codes
    are made where none is left, ``valid`` for how long each then holds, in microseconds; ``until`` is when the pool
    closes. ``low`` is below how many free ones it runs low."""

    name: str
    codes: int
    free: int
    redeemed: int = 0
    pattern: str | None = None
    valid: int | None = None
    until: Instant | None = None
    low: int | None = None

    @property
    def runs_low(self) -> bool:
        """Whether there will soon be no code left: below ``low``, else below a tenth of its codes."""
        return self.pattern is None and self.free < (self.low if self.low is not None else self.codes / 10)


class Given(msgspec.Struct, frozen=True):
    """A code that a customer has. ``customer`` is empty where they were erased."""

    code: str
    customer: str
    rule: str
    at: Instant | None
    expires: Instant | None
    redeemed: Instant | None


def add_codes(tx: Transaction, pool: str, codes: Iterable[str], expires: Instant | None = None) -> int:
    """Put codes into a pool, behind those that it has. A code that it has already stays as it is. How many are new."""
    return sum(
        tx.run(
            "insert into coupon (pool, code, expires) values (?, ?, ?) on conflict (pool, code) do nothing",
            (pool, code, expires),
        )
        for code in codes
    )


def describe_pool(tx: Transaction, pool: Pool) -> None:
    """Say how a pool makes codes, until when it gives them out, and when it runs low."""
    tx.run(
        "insert into pool (name, pattern, valid, until, low) values (?, ?, ?, ?, ?) on conflict (name) do update "
        "set pattern = excluded.pattern, valid = excluded.valid, until = excluded.until, low = excluded.low",
        (pool.name, pool.pattern, pool.valid, pool.until, pool.low),
    )


def load_pools(tx: Transaction, now: Instant | None = None) -> list[Pool]:
    """All pools, by name. Codes that have expired at ``now`` are not free."""
    counted = {
        name: counts
        for name, *counts in tx.rows(
            "select pool, count(*), sum(journey is null and (?1 is null or expires is null or expires > ?1)), "
            "sum(redeemed is not null) from coupon group by pool",
            (now,),
        )
    }
    said = {name: rest for name, *rest in tx.rows("select name, pattern, valid, until, low from pool")}
    return [
        Pool(name, *(counted.get(name) or (0, 0, 0)), *(said.get(name) or ())) for name in sorted({*counted, *said})
    ]


def take_code(tx: Transaction, pool: str, message: LedgerRow, now: Instant) -> str | None:
    """A code for a message: the one its journey has of the pool, else the one that is free and expires first, else one
    that is made, which it then has. None where the pool is empty, or closed."""
    row = tx.row("select code from coupon where journey = ? and pool = ?", (message.journey, pool))
    if row is not None:
        return str(row[0])
    said = tx.row("select pattern, valid, until from pool where name = ?", (pool,))
    pattern, valid, until = said if said is not None else (None, None, None)
    if until is not None and until <= now:
        return None
    row = tx.row(
        "select id, code from coupon where pool = ? and journey is null and expires > ? order by expires, id limit 1",
        (pool, now),
    ) or tx.row(
        "select id, code from coupon where pool = ? and journey is null and expires is null order by id limit 1",
        (pool,),
    )
    if row is not None:
        number, code = row
        tx.run(
            "update coupon set journey = ?, message = ?, at = ? where id = ?",
            (message.journey, message.row, now, number),
        )
        return str(code)
    return _make(tx, pool, pattern, valid, message, now) if pattern is not None else None


def _make(tx: Transaction, pool: str, pattern: str, valid: int | None, message: LedgerRow, now: Instant) -> str | None:
    key = secret(tx)
    expires = now + valid if valid is not None else None
    for trial in range(_TRIALS):
        code = make_code(pattern, key, pool, message.journey, trial)
        if tx.run(
            "insert into coupon (pool, code, journey, message, at, expires) values (?, ?, ?, ?, ?, ?) "
            "on conflict (pool, code) do nothing",
            (pool, code, message.journey, message.row, now, expires),
        ):
            return code
    return None


def redeem(tx: Transaction, code: str, at: Instant) -> int:
    """An event says that a code was used, however it is spelled. How many codes that was: those that nobody has, or
    that were used before, do not count."""
    return tx.run(
        "update coupon set redeemed = ? where code = ? collate nocase and journey is not null and redeemed is null",
        (at, code.strip()),
    )


def load_given(tx: Transaction, pool: str, after: int, limit: int) -> list[tuple[int, Given]]:
    """Codes of a pool that somebody has, each with its number, by number above ``after``."""
    return [
        (number, Given(code, customer or "", rule or "", at, expires, redeemed))
        for number, code, customer, rule, at, expires, redeemed in tx.rows(
            "select coupon.id, code, customer.key, program.rule, at, expires, redeemed from coupon "
            "left join journey on journey.id = coupon.journey left join customer on customer.id = journey.customer "
            "left join program on program.id = journey.program "
            "where coupon.pool = ? and coupon.journey is not null and coupon.id > ? order by coupon.id limit ?",
            (pool, after, limit),
        )
    ]


def give_back(tx: Transaction, customer: int, journey: int, pool: str) -> None:
    """Free the journey's code of a pool, unless one of its messages has carried it to a channel, or may. One that was
    made goes to the next as well: nobody has seen it."""
    tx.run(
        "update coupon set journey = null, message = null, at = null "
        "where journey = ?1 and pool = ?2 and redeemed is null "
        "and not exists (select 1 from message where customer = ?3 and message.journey = ?1 and coupons is not null "
        "and claimed is not null and state not in (6, 7) "
        "and exists (select 1 from json_each(coupons) where json_extract(value, '$[1]') = ?2))",
        (journey, pool, customer),
    )
