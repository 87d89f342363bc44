"""Queries for what a customer bought and did lately. For cards: read beside the writer, by the customer's own rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from segue.api import Instant, Money
from segue.program.values import read_money
from segue.store.database import Transaction


class Order(msgspec.Struct, frozen=True):
    """An order; ``total`` None where it did not say. ``items`` are the names of what was bought, else the ids."""

    at: Instant
    order_id: str
    total: Money | None
    items: tuple[str, ...]


class Purchases(msgspec.Struct, frozen=True):
    """How many orders there were, when the first and the last, what they came to by currency, and the newest ones."""

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


def load_purchases(tx: Transaction, customer: int, newest: int, currency: str) -> Purchases:
    """The orders of a customer, by the events ``ordered``. ``currency`` is the project's."""
    rows = tx.rows(
        "select at, fields from event where customer = ? and name = (select id from name where name = 'ordered') "
        "order by at desc, id desc",
        (customer,),
    )
    orders = [_order(Instant(at), msgspec.json.decode(fields) if fields else {}, currency) for at, fields in rows]
    totals: dict[str, Decimal] = {}
    for order in orders:
        if order.total is not None:
            totals[order.total.currency] = totals.get(order.total.currency, Decimal(0)) + order.total.amount
    return Purchases(
        orders=len(orders),
        first=orders[-1].at if orders else None,
        last=orders[0].at if orders else None,
        totals=dict(sorted(totals.items())),
        newest=tuple(orders[:newest]),
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


def _order(at: Instant, fields: dict[str, Any], currency: str) -> Order:
    items = fields.get("products") or fields.get("items")
    names = (
        one.get("name") or one.get("product_id") or one.get("sku") if isinstance(one, dict) else one
        for one in (items if isinstance(items, list) else ())
    )
    return Order(
        at,
        str(fields.get("order_id") or ""),
        read_money(fields.get("total"), fields, currency),
        tuple(str(name) for name in names if name),
    )
