"""Queries for messages: products, who bought and looked at which, and which were bought by the same customers.

Counts are kept as events come, so that a recommendation reads a few hundred rows by index, however many products there
are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.store.database import Transaction

_PAIRED: Final = 20
"""Products of a customer, the newest bought, that a further one is counted together with."""
_REMEMBERED: Final = 100
"""Products that a customer only looked at of which that is known: the newest."""
_NEIGHBOURS: Final = 50
"""Products bought together with one, most often, that are looked at."""


class Product(msgspec.Struct, frozen=True):
    """A product: its id at the shop, what the latest event about it said, and how many customers bought it."""

    number: int
    key: str
    fields: dict[str, Any]
    buyers: int


class Interest(msgspec.Struct, frozen=True):
    """A product that a customer bought, or only looked at; how many customers bought it."""

    product: int
    bought: bool
    at: Instant
    buyers: int


def note_product(tx: Transaction, key: str, fields: Mapping[str, Any]) -> int:
    """A product, as an event shows it: what it does not say stays as it was. Gives its number."""
    row = tx.row("select id, fields from product where key = ?", (key,))
    known = msgspec.json.decode(row[1]) if row is not None and row[1] else {}
    now = {**known, **fields}
    if row is None:
        tx.run("insert into product (key, fields) values (?, ?)", (key, msgspec.json.encode(now)))
        row = tx.row("select id from product where key = ?", (key,))
    elif now != known:
        tx.run("update product set fields = ? where id = ?", (msgspec.json.encode(now), row[0]))
    assert row is not None
    return int(row[0])


def set_gone(tx: Transaction, product: int, gone: bool) -> None:
    """Whether a product can be had."""
    tx.run("update product set gone = ? where id = ?", (int(gone), product))


def note_interest(tx: Transaction, customer: int, product: int, at: Instant, *, bought: bool) -> None:
    """A customer looked at a product, or bought it. The first time they buy it, it counts together with what they
    bought before."""
    row = tx.row("select bought from interest where customer = ? and product = ?", (customer, product))
    if bought and (row is None or not row[0]):
        others = [
            other
            for (other,) in tx.rows(
                "select product from interest indexed by interest_newest where customer = ? and bought = 1 "
                "order by at desc limit ?",
                (customer, _PAIRED),
            )
        ]
        tx.run("update product set buyers = buyers + 1 where id = ?", (product,))
        tx.run_many(
            "insert into bought_together (product, other, customers) values (?, ?, 1) "
            "on conflict (product, other) do update set customers = customers + 1",
            [pair for other in others for pair in ((product, other), (other, product))],
        )
    tx.run(
        "insert into interest (customer, product, bought, at) values (?, ?, ?, ?) on conflict (customer, product) "
        "do update set bought = max(bought, excluded.bought), at = max(at, excluded.at)",
        (customer, product, int(bought), at),
    )
    if row is None:
        tx.run(
            "delete from interest where customer = ?1 and product in (select product from interest "
            "indexed by interest_newest where customer = ?1 and bought = 0 order by at desc limit -1 offset ?2)",
            (customer, _REMEMBERED),
        )


def load_interests(tx: Transaction, customer: int) -> list[Interest]:
    """What a customer bought and looked at, the newest first."""
    return [
        Interest(product, bool(bought), Instant(at), buyers)
        for product, bought, at, buyers in tx.rows(
            "select interest.product, bought, at, buyers from interest join product on product.id = interest.product "
            "where customer = ? order by at desc, interest.product",
            (customer,),
        )
    ]


def load_neighbours(tx: Transaction, product: int, fewest: int) -> list[tuple[int, int, int]]:
    """Products that can be had and that at least ``fewest`` customers bought who bought this one: which, how many
    customers, and how many bought that other one at all."""
    return tx.rows(
        "select other, customers, buyers from (select other, customers from bought_together "
        "indexed by bought_together_most where product = ? and customers >= ? order by customers desc, other limit ?) "
        "join product on product.id = other where gone = 0",
        (product, fewest, _NEIGHBOURS),
    )


def load_best(tx: Transaction, limit: int) -> list[int]:
    """The products that can be had and that most customers bought, those first."""
    return [
        number
        for (number,) in tx.rows(
            "select id from product indexed by product_best where buyers > 0 and gone = 0 "
            "order by buyers desc, id limit ?",
            (limit,),
        )
    ]


def load_products(tx: Transaction, numbers: list[int]) -> dict[int, Product]:
    """Products by number."""
    wanted = msgspec.json.encode(numbers).decode()
    return {
        number: Product(number, key, msgspec.json.decode(fields) if fields else {}, buyers)
        for number, key, fields, buyers in tx.rows(
            "select id, key, fields, buyers from product where id in (select value from json_each(?))", (wanted,)
        )
    }
