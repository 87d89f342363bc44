"""Orders and carts as every source hands them on: the order first, then each of its lines as an event of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from segue.api.bodies import Refused
from segue.api.events import Event
from segue.api.shop.vocabulary import SHOP

__all__ = ["MOST_LINES", "item_ids", "order_lines", "with_lines"]

MOST_LINES: Final = 2_000
"""Lines of one order. Each is an event, so that a body of some KB could bring a hundred thousand of them."""

_ORDERED: Final = frozenset(
    name for event in SHOP.events if event.name == "ordered" for name in (event.name, *event.sent_as)
)
_IDS: Final = ("product_id", "productId", "sku", "id")
_OTHER_IDS: Final = ("product_id", "productId", "id")
"""What the ``product_id`` of a line stands for; its ``sku`` is a field of its own."""


def order_lines(event: Event) -> tuple[Event, ...]:
    """One ``item_ordered`` for each line in the ``products`` of an order; nothing for any other event.

    A source hands them on right behind the order, whose customer, moment and source they have. Their fields are those
    of the line, with ``product_id`` (else its sku), ``quantity`` (1 where none is written), and the order's
    ``order_id`` and ``currency``. The message ids are ``ID/line-1``, ``ID/line-2`` and so on: the same order again
    brings the same lines, which are duplicates then. Raises Refused for an order of more than `MOST_LINES`.
    """
    products = event.properties.get("products") if event.name in _ORDERED else None
    if not isinstance(products, list):
        return ()
    if len(products) > MOST_LINES:
        raise Refused("products", f"has {len(products):,} lines; an order may have {MOST_LINES:,}", status=413)
    common = {
        name: event.properties[sent]
        for name, sent in (
            ("order_id", "orderId"),
            ("order_id", "order_id"),
            ("currency", "currency"),
            ("source", "source"),
        )
        if event.properties.get(sent) is not None
    }
    return tuple(
        Event(
            message_id=f"{event.message_id}/line-{number}",
            timestamp=event.timestamp,
            source=event.source,
            name="item_ordered",
            user_id=event.user_id,
            anonymous_id=event.anonymous_id,
            ids=event.ids,
            properties={**line, **common},
        )
        for number, product in enumerate(products, 1)
        if (line := _line(product))
    )


def with_lines(events: Iterable[Event]) -> Iterator[Event]:
    """The events, each order followed by its lines. Raises Refused, as `order_lines` does."""
    for event in events:
        yield event
        yield from order_lines(event)


def item_ids(products: object) -> list[str]:
    """The ids in a ``products`` list, for ``"X1" in items``: of each its product_id, else its sku or id."""
    if not isinstance(products, list):
        return []
    return [found for product in products if (found := _identity(product)) is not None]


def _line(product: object) -> dict[str, Any]:
    identity = _identity(product)
    if isinstance(product, dict):
        known = {} if identity is None else {"product_id": identity}
        return {"quantity": 1, **{name: value for name, value in product.items() if name not in _OTHER_IDS}, **known}
    return {"product_id": identity, "quantity": 1} if identity is not None else {}


def _identity(product: object) -> str | None:
    if isinstance(product, str):
        return product or None
    if isinstance(product, dict):
        for name in _IDS:
            identity = product.get(name)
            if isinstance(identity, str | int) and not isinstance(identity, bool) and identity != "":
                return str(identity)
    return None
