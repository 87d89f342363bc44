"""Queries for what a customer bought and did lately. For cards: read beside the writer, by the customer's own rows.

What an order is, and what is left of it, is told in `segue.measure.orders`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from segue.api import Instant, Money
from segue.measure.orders import exact
from segue.measure.touchpoints.columns import Conversions
from segue.store.database import Transaction
from segue.store.orders import VALUES, load_orders


class Order(msgspec.Struct, frozen=True):
    """An order; ``total`` None where it did not say, ``refunded`` what was paid back of it. ``items`` are the names of
    what was bought, else the ids."""

    at: Instant
    order_id: str
    total: Money | None
    items: tuple[str, ...]
    refunded: Decimal = Decimal(0)


class Purchases(msgspec.Struct, frozen=True):
    """How many orders there were, when the first and the last, what they came to by currency less what was paid back,
    and the newest ones."""

    orders: int
    first: Instant | None
    last: Instant | None
    totals: dict[str, Decimal]
    newest: tuple[Order, ...]


class Happened(msgspec.Struct, frozen=True):
    """Something that happened to the customer."""

    at: Instant
    event: str
    fields: dict[str, Any]


def load_purchases(tx: Transaction, customer: int, newest: int, names: Sequence[str], currency: str) -> Purchases:
    """The orders of a customer, by events of these ``names``. ``currency`` is the project's. Refunds that name no
    customer are not looked for."""
    found = load_orders(tx, customer, names, currency)
    latest = sorted(range(len(found.at)), key=lambda place: (found.at[place], found.rows[place]), reverse=True)
    totals: dict[str, float] = {}
    for code, value in zip(found.currencies.tolist(), found.values.tolist(), strict=True):
        totals[found.money[code]] = totals.get(found.money[code], 0.0) + value
    fields = dict(
        tx.rows(
            "select id, fields from event where id in (select value from json_each(?))",
            (msgspec.json.encode(found.rows[latest[:newest]].tolist()).decode(),),
        )
    )
    return Purchases(
        orders=len(latest),
        first=Instant(int(found.at[latest[-1]])) if latest else None,
        last=Instant(int(found.at[latest[0]])) if latest else None,
        totals={name: exact(amount) for name, amount in sorted(totals.items()) if amount},
        newest=tuple(_order(found, place, fields.get(int(found.rows[place]))) for place in latest[:newest]),
    )


def load_latest(tx: Transaction, customer: int, limit: int) -> list[Happened]:
    """The newest events of a customer, the newest first."""
    return [
        Happened(Instant(at), name, msgspec.json.decode(fields) if fields else {})
        for at, name, fields in tx.rows(
            "select event.at, name.name, event.fields from event join name on name.id = event.name "
            "where event.customer = ? and event.name is not null order by event.at desc, event.id desc limit ?",
            (customer, limit),
        )
    ]


def _order(found: Conversions, place: int, raw: bytes | None) -> Order:
    fields: dict[str, Any] = msgspec.json.decode(raw) if raw else {}
    gross = exact(found.gross[place])
    items = fields.get("products") or fields.get("items")
    names = (
        one.get("name") or one.get("product_id") or one.get("sku") if isinstance(one, dict) else one
        for one in (items if isinstance(items, list) else ())
    )
    return Order(
        Instant(int(found.at[place])),
        str(fields.get("order_id") or ""),
        Money(gross, found.money[found.currencies[place]])
        if any(fields.get(one) is not None for one in VALUES)
        else None,
        tuple(str(name) for name in names if name),
        exact(found.refunds[place]),
    )
