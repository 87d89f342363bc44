"""Queries for consent and suppression: the ledger of what customers said, and the addresses nothing may go to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from segue.api import Instant
from segue.customers.consent import Statement
from segue.customers.pseudonyms import hide_address
from segue.customers.suppression import Suppression, comparable
from segue.store.database import Transaction, open_reader
from segue.store.erasures import any_tombstone, secret
from segue.store.errors import StoreUnavailable

_COLUMNS: Final = "sort, address, reason, since, source, channel, detail, message, lifted, received"


def put_statements(tx: Transaction, rows: Iterable[tuple[int, Statement]]) -> None:
    """Append to the ledger: by customer, what they said."""
    tx.run_many(
        "insert into consent (customer, channel, kind, state, at, source, basis, wording, proof, event, received) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                customer,
                one.channel,
                one.kind,
                one.state,
                one.at,
                one.source,
                one.basis,
                one.wording,
                one.proof,
                one.event,
                one.received,
            )
            for customer, one in rows
        ],
    )


def load_statements(tx: Transaction, customer: int) -> list[Statement]:
    """The ledger of a customer, in the order in which things were said."""
    return [
        Statement(*row)
        for row in tx.rows(
            "select channel, kind, state, at, source, basis, wording, proof, event, received from consent "
            "where customer = ? order by at, id",
            (customer,),
        )
    ]


def give_statements(tx: Transaction, sources: Iterable[int], owners: Mapping[str, int]) -> set[int]:
    """What customers said in some events, by message id, goes to whom these go. Gives whom that concerns, before and
    after."""
    concerned: set[int] = set()
    wanted = msgspec.json.encode(list(sources)).decode()
    for number, event, before in tx.rows(
        "select id, event, customer from consent where customer in (select value from json_each(?))", (wanted,)
    ):
        if event in owners:
            tx.run("update consent set customer = ? where id = ?", (owners[event], number))
            concerned |= {before, owners[event]}
    return concerned


def any_suppressed(tx: Transaction) -> bool:
    """Whether any address is suppressed at all."""
    return tx.row("select 1 from suppression indexed by suppression_address where lifted is null limit 1") is not None


def find_suppressed(
    tx: Transaction, addresses: Iterable[tuple[str, str]]
) -> Mapping[tuple[str, str], list[Suppression]]:
    """The suppressions that hold, of addresses as they are compared: by sort and address. One query for all of them.
    Of somebody who was erased a suppression has a hash in the place of the address."""
    found: dict[tuple[str, str], list[Suppression]] = {}
    asked = {place: place for place in addresses}
    if any_tombstone(tx):
        key = secret(tx)
        asked |= {(sort, hide_address(key, sort, address)): (sort, address) for sort, address in asked}
    wanted = msgspec.json.encode(list(asked)).decode()
    for row in tx.rows(
        f"select {_COLUMNS} from json_each(?) as wanted cross join suppression indexed by suppression_address "
        "on sort = wanted.value ->> 0 and address = wanted.value ->> 1 and lifted is null order by suppression.id",
        (wanted,),
    ):
        one = _read(row)
        found.setdefault(asked[one.sort, one.address], []).append(one)
    return found


def put_suppressions(tx: Transaction, found: Iterable[Suppression], *, followed: bool = True) -> None:
    """Suppress addresses. Not ``followed``: whoever holds the store has still to look at those who have them."""
    tx.run_many(
        f"insert into suppression ({_COLUMNS}, followed) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                one.sort,
                one.address,
                one.reason,
                one.since,
                one.source,
                one.channel,
                one.detail,
                one.message,
                one.lifted,
                one.received,
                followed,
            )
            for one in found
        ],
    )


def to_follow(tx: Transaction, limit: int) -> list[tuple[int, Suppression]]:
    """Suppressions that began or ended without anybody's looking at those who have the address, with their numbers."""
    return [
        (row[0], _read(row[1:]))
        for row in tx.rows(f"select id, {_COLUMNS} from suppression where followed = 0 order by id limit ?", (limit,))
    ]


def mark_followed(tx: Transaction, numbers: Iterable[int]) -> None:
    """Those who have these addresses were looked at again."""
    tx.run_many("update suppression set followed = 1 where id = ?", [(number,) for number in numbers])


def lift(
    tx: Transaction,
    address: str,
    at: Instant,
    sort: str = "",
    reason: str = "",
    channel: str = "",
    *,
    followed: bool = True,
) -> int:
    """Have an address, written as anybody writes it, be suppressed no more: of one sort, for one reason or on one
    channel where these are given. Gives how many suppressions that ended. ``followed`` as in `put_suppressions`."""
    sorts = [sort] if sort else [one for (one,) in tx.rows("select distinct sort from suppression")]
    return sum(
        tx.run(
            "update suppression set lifted = ?1, followed = ?7 where sort = ?2 and address in (?3, ?6) "
            "and lifted is null and (?4 = '' or reason = ?4) and (?5 = '' or channel = ?5)",
            (at, one, comparable(one, address), reason, channel, hide_address(secret(tx), one, address), followed),
        )
        for one in sorts
    )


class NewlySuppressed:
    """Addresses that are suppressed since it last looked, whichever process did it: read beside the writer, for a few
    microseconds. Used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Raises StoreUnavailable."""
        self._connection = open_reader(path)
        self._last = 0
        for (last,) in self._connection.execute("select coalesce(max(id), 0) from suppression"):
            self._last = int(last)

    def look(self) -> list[tuple[str, str]]:
        """Each by its sort, and as it is compared. Raises StoreUnavailable."""
        try:
            found: list[tuple[Any, ...]] = self._connection.execute(
                "select id, sort, address from suppression where id > ? and lifted is null order by id", (self._last,)
            ).fetchall()
        except apsw.Error as error:
            raise StoreUnavailable(str(error)) from error
        if found:
            self._last = found[-1][0]
        return [(sort, address) for _, sort, address in found]

    def close(self) -> None:
        self._connection.close()


def list_suppressed(tx: Transaction, after: int = 0, limit: int = 1000) -> list[tuple[int, Suppression]]:
    """The suppressions that hold, each with its number, in the order in which they came; those after a number."""
    return [
        (row[0], _read(row[1:]))
        for row in tx.rows(
            f"select id, {_COLUMNS} from suppression where lifted is null and id > ? order by id limit ?",
            (after, limit),
        )
    ]


def list_said(tx: Transaction, after: int, limit: int, *, shown: bool = False) -> list[tuple[int, Suppression]]:
    """The suppressions that no message showed, also those that were lifted, each with its number, in the order in which
    they came; those after a number. With ``shown`` those that a message showed as well. Without those that have a hash
    in the place of the address."""
    return [
        (row[0], _read(row[1:]))
        for row in tx.rows(
            f"select id, {_COLUMNS} from suppression where (message is null or ?) and address not like '#%' "
            "and id > ? order by id limit ?",
            (shown, after, limit),
        )
    ]


def hide_suppressed(tx: Transaction, addresses: Iterable[tuple[str, str]]) -> int:
    """Whoever has these addresses is erased: they stay suppressed, each with a hash in its place. How many that
    were."""
    key = secret(tx)
    return sum(
        tx.run(
            "update suppression set address = ?, detail = '', message = null where sort = ? and address = ?",
            (hide_address(key, sort, address), sort, address),
        )
        for sort, address in addresses
    )


def shown_dead_by(tx: Transaction, message: int) -> bool:
    """Whether it was this message that showed its address to be dead."""
    row = tx.row("select 1 from suppression where message = ? and reason = 'bounced' limit 1", (message,))
    return row is not None


def _read(row: tuple[Any, ...]) -> Suppression:
    return Suppression(*row)
