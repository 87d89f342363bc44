"""Products for a customer: from what they bought and looked at, and from what others bought who bought the same.

The similarity of two products is the cosine of who bought them (G. Linden, B. Smith, J. York, *Amazon.com
Recommendations: Item-to-Item Collaborative Filtering*, IEEE Internet Computing 7(1), 2003), for pairs that at least two
customers bought:

    similarity(a, b) = bought both / sqrt(bought a · bought b)
    score(b)         = sum over the customer's products a of weight(a) · similarity(a, b)

A product that was bought weighs 1, one that was only looked at a half; both lose half of that in ninety days. What the
customer has, and what cannot be had, is left out; what is missing is filled up with what most customers bought.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any, Final

from segue.api import Instant
from segue.api.values import DAY
from segue.messages.recommending import SHOWN
from segue.store import products as rows
from segue.store.database import Transaction

FEWEST: Final = 2
"""Customers who bought both of two products, at least, before that says anything."""
HALF_LIFE: Final = 90 * DAY
_SEEDS: Final = 10
_LOOKED_AT: Final = 0.5
_LONGEST: Final = 200

_BOUGHT: Final = "item_ordered"
_STOCK: Final[Mapping[str, bool]] = {"out_of_stock": True, "back_in_stock": False}
_SEEN: Final = frozenset({_BOUGHT, "product_viewed", *_STOCK})


def note_event(tx: Transaction, customer: int | None, name: str | None, fields: Mapping[str, Any], at: Instant) -> None:
    """An event may show a product, that somebody bought it or looked at it, or that it can be had or not."""
    if name not in _SEEN:
        return
    key = fields.get("product_id")
    if isinstance(key, int) and not isinstance(key, bool):
        key = str(key)
    if not isinstance(key, str) or not 0 < len(key) <= _LONGEST:
        return
    shown = {field: fields[field] for field in SHOWN if isinstance(fields.get(field), str | int | float)}
    product = rows.note_product(tx, key, shown)
    if name in _STOCK:
        rows.set_gone(tx, product, _STOCK[name])
    elif customer is not None:
        rows.note_interest(tx, customer, product, at, bought=name == _BOUGHT)


def recommend(tx: Transaction, customer: int, count: int, now: Instant) -> list[dict[str, Any]]:
    """So many products for a customer, or fewer where there are not as many, as templates see them."""
    known = rows.load_interests(tx, customer)
    has = {one.product for one in known if one.bought}
    scores: dict[int, float] = {}
    for one in known[:_SEEDS]:
        weight = (1.0 if one.bought else _LOOKED_AT) * 0.5 ** (max(0, now - one.at) / HALF_LIFE)
        for other, together, buyers in rows.load_neighbours(tx, one.product, FEWEST):
            if other not in has:
                scores[other] = scores.get(other, 0.0) + weight * together / sqrt(max(one.buyers, 1) * max(buyers, 1))
    chosen = sorted(scores, key=lambda product: (-scores[product], product))[:count]
    if len(chosen) < count:
        without = has.union(chosen)
        best = (product for product in rows.load_best(tx, count + len(without)) if product not in without)
        chosen += [product for _, product in zip(range(count - len(chosen)), best, strict=False)]
    found = rows.load_products(tx, chosen)
    return [{**found[product].fields, "product_id": found[product].key} for product in chosen]
