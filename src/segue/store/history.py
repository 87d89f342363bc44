"""Queries over what happened: arrivals and messages in order, and everything about one customer. For records,
explanations and reports."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.delivery.ledger import LedgerRow
from segue.store.database import Transaction
from segue.store.ledger import select_messages

SOURCE: Final = 0
REPORT: Final = 1
EMITTED: Final = 2
IMPORTED: Final = 3
"""Kinds of arrivals: a source's event, a provider's report, what a rule emitted, and a source's past event that began
nothing."""
KINDS: Final = ("source", "report", "emitted", "import")
"""What the kinds are called."""


class ArrivalRow(msgspec.Struct, frozen=True):
    """Something that arrived. ``key`` is the customer's, empty where it named none."""

    row: int
    message_id: str
    key: str
    name: str | None
    at: Instant
    received: Instant
    kind: int
    fields: dict[str, Any]
    rest: dict[str, Any]


def load_arrivals(tx: Transaction, after: int, limit: int) -> list[ArrivalRow]:
    """What arrived after a row, in order."""
    return [
        ArrivalRow(
            row=row,
            message_id=message_id,
            key=key or "",
            name=name,
            at=at,
            received=received,
            kind=kind,
            fields=msgspec.json.decode(fields) if fields else {},
            rest=msgspec.json.decode(rest) if rest else {},
        )
        for row, message_id, key, name, at, received, kind, fields, rest in tx.rows(
            "select event.id, message_id, customer.key, name.name, at, received, kind, fields, rest from event "
            "left join customer on customer.id = event.customer left join name on name.id = event.name "
            "where event.id > ? order by event.id limit ?",
            (after, limit),
        )
    ]


def load_messages_after(tx: Transaction, after: int, limit: int) -> list[LedgerRow]:
    """Messages after a row, in the order in which they were decided."""
    return select_messages(tx, "id > ? order by id limit ?", (after, limit))


def last_arrived(tx: Transaction) -> Instant:
    """When the last event of a source arrived; 1970 where none did."""
    row = tx.row("select received from event where kind in (?, ?) order by id desc limit 1", (SOURCE, IMPORTED))
    return Instant(row[0]) if row is not None else Instant(0)


def first_moment(tx: Transaction) -> Instant | None:
    """About when history begins: the earliest of the events that arrived first; None where there are none."""
    row = tx.row("select min(at) from (select at from event where customer is not null order by id limit 1000)")
    return Instant(row[0]) if row is not None and row[0] is not None else None


def last_message_before(tx: Transaction, moment: Instant) -> int:
    """The number of the last message decided before a moment, 0 where there is none. Messages are numbered as they are
    decided, apart from a wait that was found to be over late."""
    row = tx.row("select coalesce(max(id), 0) from message")
    low, high = 0, int(row[0]) if row is not None else 0
    while low < high:
        middle = (low + high + 1) // 2
        found = tx.row("select decided from message where id >= ? order by id limit 1", (middle,))
        if found is not None and found[0] < moment:
            low = middle
        else:
            high = middle - 1
    return low


def load_messages_of(tx: Transaction, journey: int) -> list[LedgerRow]:
    """The messages of a journey."""
    return select_messages(
        tx,
        "journey = ? and customer = (select customer from journey where id = ?) order by id",
        (journey, journey),
    )


def load_latest_messages(tx: Transaction, customer: int, limit: int) -> list[LedgerRow]:
    """The newest messages to a customer, the newest first."""
    return select_messages(tx, "customer = ? order by id desc limit ?", (customer, limit))


class IgnoredRow(msgspec.Struct, frozen=True):
    """A trigger that began nothing."""

    rule: str
    at: Instant
    reason: str


def load_ignored(tx: Transaction, customer: int, rule: str) -> list[IgnoredRow]:
    """Triggers of a rule that began nothing for a customer, oldest first."""
    return [
        IgnoredRow(name, at, reason)
        for name, at, reason in tx.rows(
            "select rule, at, reason from ignored where customer = ? and rule = ? order by id", (customer, rule)
        )
    ]
