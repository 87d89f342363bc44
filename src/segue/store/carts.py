"""Queries for carts that are watched until somebody orders, or nobody touches them any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from segue.api import Instant
from segue.customers.carts import Cart
from segue.store.database import Transaction

Place = tuple[int, str, str]
"""A customer, a source and the id of a cart."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Cart).decode


def load_carts(tx: Transaction, customers: Iterable[int]) -> dict[int, list[Cart]]:
    """The carts of customers."""
    found: dict[int, list[Cart]] = {}
    for customer, state in tx.rows(
        "select customer, state from json_each(?) as people cross join cart on cart.customer = people.value "
        "order by customer, touched, source, cart",
        (msgspec.json.encode(list(customers)).decode(),),
    ):
        found.setdefault(customer, []).append(_decode(state))
    return found


def load_due(tx: Transaction, now: Instant, limit: int) -> list[tuple[Instant, int]]:
    """What is to be looked at, the earliest first: when, and whose."""
    return [
        (due, customer)
        for due, customer in tx.rows(
            "select due, customer from cart where due <= ? order by due, customer, source, cart limit ?", (now, limit)
        )
    ]


def next_due(tx: Transaction) -> Instant | None:
    """When there is a cart to look at next."""
    row = tx.row("select min(due) from cart")
    return row[0] if row is not None else None


def put_carts(tx: Transaction, carts: Mapping[Place, Cart]) -> None:
    """Write carts as they are now."""
    tx.run_many(
        "insert into cart (customer, source, cart, touched, due, state) values (?, ?, ?, ?, ?, ?) "
        "on conflict (customer, source, cart) do update set touched = excluded.touched, due = excluded.due, "
        "state = excluded.state",
        [(*place, one.touched, one.due, _encode(one)) for place, one in carts.items()],
    )


def remove_carts(tx: Transaction, places: Iterable[Place]) -> None:
    """Nothing more is to be known of these."""
    tx.run_many("delete from cart where customer = ? and source = ? and cart = ?", places)


def postpone_earliest(tx: Transaction, now: Instant, until: Instant) -> str:
    """Have the cart that is to be looked at first wait until another moment; one that cannot be read is given up. Says
    which; empty where none is due."""
    row = tx.row(
        "select customer, source, cart, state from cart where due <= ? order by due, customer, source, cart limit 1",
        (now,),
    )
    if row is None:
        return ""
    place = (row[0], row[1], row[2])
    try:
        put_carts(tx, {place: msgspec.structs.replace(_decode(row[3]), due=until)})
    except msgspec.MsgspecError:
        remove_carts(tx, [place])
    return f"a cart of customer {row[0]} from {row[1]}"
