"""A cart as the events of a source tell it, and when nobody has touched it for so long that it counts as abandoned.

Pure. A source either reports the whole cart (``cart_updated``, ``checkout_started``) or what goes in and out of it
(``product_added``, ``product_removed``); both may mix. Events count by their own moment: one that comes late changes
what it can still change, and never moves a cart's quiet time back.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.api.shop import item_ids
from segue.api.values import DAY

ORDERED: Final = "ordered"
ABANDONED: Final = "cart_abandoned"
WHOLE: Final = ("cart_updated", "checkout_started")
"""Events that may bring everything that is in the cart."""
PIECES: Final = ("product_added", "product_removed")
TOUCHES: Final = (
    "cart_viewed",
    "coupon_applied",
    "checkout_step_viewed",
    "checkout_step_completed",
    "payment_info_entered",
)
"""Events that show that somebody is at it still; they begin nothing."""
CHANGES: Final = frozenset((*WHOLE, *PIECES, *TOUCHES, ABANDONED))
"""Every event of a source that says something of a cart."""

KEPT: Final = 30 * DAY
"""How long a cart is remembered after it was abandoned or emptied, for the products it held."""
MOST_CARTS: Final = 20
"""Carts of one customer that are watched; the one that was touched longest ago makes room."""
MOST_LINES: Final = 200
"""Products of one cart that are kept."""


class Cart(msgspec.Struct, frozen=True, omit_defaults=True):
    """A cart by its ``source`` and ``id`` (empty where the source names none). ``touched`` is when somebody last did
    something with it, ``due`` when it is to be looked at: it is abandoned then, unless it holds nothing; one of which
    that was ``told`` already is forgotten then.

    ``lines`` are its products by id, ``whole`` the moment of which the source last told all of it. ``total`` holds
    while only whole carts were told, for what the source says goes before what can be summed up.
    """

    source: str
    id: str
    touched: Instant
    due: Instant
    told: bool = False
    whole: Instant | None = None
    lines: dict[str, dict[str, Any]] = {}
    total: Any = None
    currency: str | None = None
    coupon: str | None = None


def id_of(fields: Mapping[str, Any]) -> str:
    """The cart that an event names, empty where it names none."""
    named = fields.get("cart_id")
    return str(named) if isinstance(named, str | int) and not isinstance(named, bool) else ""


def change(
    cart: Cart | None, source: str, name: str, at: Instant, fields: Mapping[str, Any], quiet: int
) -> Cart | None:
    """The cart after an event of ``CHANGES`` that happened ``at``; None where there still is none. ``quiet`` is for how
    long nobody touches an abandoned cart, in microseconds."""
    if name == ABANDONED:
        return cart if cart is None or at < cart.touched else after_telling(cart)
    if cart is None:
        if name in TOUCHES:
            return None
        cart = Cart(source, id_of(fields), at, Instant(at + quiet))
    elif at > cart.touched:
        cart = msgspec.structs.replace(cart, touched=at, due=Instant(at + quiet), told=False)
    if name in WHOLE and (name == "cart_updated" or "products" in fields):
        cart = _replaced(cart, at, fields)
    elif name in PIECES:
        cart = _adjusted(cart, name, at, fields)
    return cart


def after_telling(cart: Cart) -> Cart:
    """The cart once ``cart_abandoned`` has happened: nothing more is said of it until somebody touches it again."""
    return msgspec.structs.replace(cart, told=True, due=Instant(cart.touched + KEPT))


def _replaced(cart: Cart, at: Instant, fields: Mapping[str, Any]) -> Cart:
    if cart.whole is not None and at < cart.whole:
        return cart
    products = fields.get("products")
    if not isinstance(products, list):
        products = [{"product_id": one} for one in items] if isinstance(items := fields.get("items"), list) else []
    lines: dict[str, dict[str, Any]] = {}
    for product in products[:MOST_LINES]:
        if ids := item_ids([product]):
            lines[ids[0]] = dict(product) if isinstance(product, dict) else {"product_id": ids[0]}
    return msgspec.structs.replace(
        cart,
        whole=at,
        lines=lines,
        total=fields.get("total"),
        currency=_text(fields.get("currency")),
        coupon=_text(fields.get("coupon")),
    )


def _adjusted(cart: Cart, name: str, at: Instant, fields: Mapping[str, Any]) -> Cart:
    ids = item_ids([dict(fields)])
    if not ids or (cart.whole is not None and at <= cart.whole):
        return cart
    before = cart.lines.get(ids[0])
    number = _number(fields.get("quantity", 1))
    sign = 1 if name == "product_added" else -1
    quantity = (_number(before.get("quantity", 1)) if before is not None else Decimal(0)) + sign * number
    if before is None and len(cart.lines) >= MOST_LINES:
        return cart
    known = {key: value for key, value in fields.items() if key in _KEPT_FIELDS}
    # A product that was taken out before it was put in, for the one came late, is kept with what it lacks.
    line = {**(before or {}), **known, "product_id": ids[0], "quantity": _json(quantity)}
    lines = {**cart.lines, ids[0]: line}
    if quantity == 0:
        del lines[ids[0]]
    currency = _text(fields.get("currency")) or cart.currency
    return msgspec.structs.replace(cart, lines=lines, total=None, currency=currency)


_KEPT_FIELDS: Final = ("sku", "name", "category", "brand", "variant", "price", "url", "image_url", "currency")


def _there(cart: Cart) -> list[dict[str, Any]]:
    return [line for line in cart.lines.values() if _number(line.get("quantity", 1)) > 0]


def holds_something(cart: Cart) -> bool:
    """Whether there is anything in it that could be left behind."""
    if cart.lines or cart.whole is None:
        return bool(_there(cart))
    # A source may tell a whole cart by its total alone.
    return _number(cart.total) > 0


def fields_of(cart: Cart) -> dict[str, Any]:
    """The fields of its ``cart_abandoned``: what is in it, and what that costs. A total that nobody told is the sum of
    its lines, and is left out where the price of one is not known."""
    products = _there(cart)
    total = cart.total if cart.total is not None else _sum(products)
    fields = {
        "cart_id": cart.id or None,
        "items": item_ids(products) or None,
        "products": products or None,
        "total": total,
        "currency": cart.currency,
        "coupon": cart.coupon,
    }
    return {"source": cart.source, **{name: value for name, value in fields.items() if value is not None}}


def _sum(products: list[dict[str, Any]]) -> float | int | None:
    total = Decimal(0)
    for product in products:
        if product.get("price") is None:
            return None
        total += _number(product["price"]) * _number(product.get("quantity", 1))
    return _json(total) if products else None


def _number(value: Any) -> Decimal:
    if not isinstance(value, str | int | float):
        return Decimal(0)
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)
    return found if found.is_finite() and abs(found) < _LARGEST else Decimal(0)


_LARGEST: Final = Decimal(10) ** 12


def _json(number: Decimal) -> float | int:
    return int(number) if number == number.to_integral_value() else float(number)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
