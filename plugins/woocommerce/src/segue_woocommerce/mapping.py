"""From the bodies that WooCommerce posts to the events of a shop. Pure.

Only the body is signed: the headers that name a call are not. So what happened to an order is read from the order
itself, which says its status and when it was made, paid and completed, and message ids are made of that: the same
happening told once more, by whatever call, is a duplicate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, Literal, TypeVar

import msgspec

from segue.api import Event, Instant
from segue.api.bodies import read_id, read_json, read_timestamp
from segue.api.shop import item_ids
from segue.api.values import DAY
from segue.api.webhooks import number, present
from segue_woocommerce.objects import Address, Customer, Deleted, Line, Order, Refund

__all__ = ["TOPICS", "Completed", "Reading", "UserId"]

UserId = Literal["id", "email"]
"""What is the shop's own id of a customer: WooCommerce's, or the email."""

Completed = Literal["order_delivered", "order_shipped"]
"""What it means that an order is completed."""

T = TypeVar("T")

RECENT: Final = 6 * DAY
"""An order tells its whole life each time. What is older than this is known already: for seven days at least such an
event is a duplicate."""
BOUGHT: Final = frozenset(("processing", "on-hold", "completed"))
"""Statuses of an order that was placed. One that is `pending` waits for its customer to pay."""


class Reading(msgspec.Struct, frozen=True):
    """One call that is read: its body, when it arrived, the source's name, what the shop's own id is, and what it means
    that an order is completed."""

    body: bytes
    now: Instant
    source: str
    user_id: UserId | None
    completed: Completed = "order_delivered"

    def decode(self, type_: type[T]) -> T:
        """The body as its type. Raises Refused."""
        return read_json(self.body, msgspec.json.Decoder(type_))

    def moment(self, written: str | None, field: str) -> Instant | None:
        """A moment of the body; None where it has none. Raises Refused."""
        return read_timestamp(written, field) if written else None

    def event(
        self,
        message_id: str,
        at: Instant | None,
        name: str | None,
        fields: dict[str, Any],
        customer: object,
        traits: dict[str, Any],
    ) -> Event:
        """An event of the customer with this id (0: a guest), known by their addresses beside it."""
        own = read_id(customer, "customer_id")
        own = None if own == "0" else own
        named = {"id": own, "email": traits.get("email")}
        return Event(
            message_id=f"{self.source}/{message_id}",
            timestamp=self.now if at is None else at,
            source=self.source,
            name=name,
            user_id=read_id(named[self.user_id], self.user_id) if self.user_id is not None else None,
            ids={self.source: own} if own is not None else {},
            properties=fields,
            traits=traits,
        )


# Orders


def _order(reading: Reading) -> Iterator[Event]:
    order = reading.decode(Order)
    created = reading.moment(order.date_created_gmt, "date_created_gmt")
    modified = reading.moment(order.date_modified_gmt, "date_modified_gmt")
    paid = reading.moment(order.date_paid_gmt, "date_paid_gmt")
    completed = reading.moment(order.date_completed_gmt, "date_completed_gmt")
    # What waited for its payment, perhaps for days, is an order from then on.
    placed = max(created, paid) if created is not None and paid is not None else created
    for recent, name, what, at in (
        (order.status == "pending", "checkout_started", "pending", created),
        (order.status in BOUGHT, "ordered", "ordered", placed),
        (paid is not None, "paid", "paid", paid),
        (order.status == "completed", reading.completed, "completed", completed),
    ):
        if recent and (at is None or reading.now - at < RECENT):
            yield _of_order(reading, order, name, what, at)
    if order.status == "cancelled":
        yield _of_order(reading, order, "order_cancelled", "cancelled", modified)
    if order.status == "failed":
        yield _of_order(reading, order, "payment_failed", f"failed/{order.date_modified_gmt}", modified)
    for refund in order.refunds or ():
        yield _refund(reading, order, refund, modified)


def _of_order(reading: Reading, order: Order, name: str, what: str, at: Instant | None) -> Event:
    products = [_line(line) for line in order.line_items or ()]
    basket = {
        # Whatever was in the cart became this order.
        "cart_id": f"order-{order.id}",
        "total": number(order.total),
        "currency": order.currency,
        "coupon": order.coupon_lines[0].code if order.coupon_lines else None,
        "products": products,
        "items": item_ids(products),
    }
    fields = {"order_id": read_id(order.id, "id"), **basket}
    if name == "checkout_started":
        fields |= {"checkout_id": fields["cart_id"], "url": order.payment_url}
    elif name != "payment_failed":
        fields |= {
            "order_number": f"#{order.number}" if order.number else None,
            "shipping": number(order.shipping_total),
            "tax": number(order.total_tax),
            "discount": number(order.discount_total),
            "payment_method": order.payment_method,
        }
    return reading.event(
        f"orders/{order.id}/{what}", at, name, present(fields), order.customer_id, _billed(order.billing)
    )


def _refund(reading: Reading, order: Order, refund: Refund, at: Instant | None) -> Event:
    total = number(refund.total)
    fields = {
        "order_id": read_id(order.id, "id"),
        "total": abs(total) if total is not None else None,
        "currency": order.currency,
    }
    return reading.event(
        f"refunds/{read_id(refund.id, 'refunds.id')}",
        at,
        "order_refunded",
        present(fields),
        order.customer_id,
        _billed(order.billing),
    )


def _line(line: Line) -> dict[str, Any]:
    return present(
        {
            "product_id": read_id(line.product_id or None, "product_id"),
            "sku": line.sku,
            "name": line.name,
            "variant": read_id(line.variation_id or None, "variation_id"),
            "price": number(line.price),
            "quantity": line.quantity,
        }
    )


# Customers


def _customer_created(reading: Reading) -> Iterator[Event]:
    customer = reading.decode(Customer)
    at = reading.moment(customer.date_created_gmt, "date_created_gmt")
    yield reading.event(f"customers/{customer.id}/created", at, "signed_up", {}, customer.id, _traits(customer))


def _customer_updated(reading: Reading) -> Iterator[Event]:
    customer = reading.decode(Customer)
    written = customer.date_modified_gmt or customer.date_created_gmt
    at = reading.moment(written, "date_modified_gmt")
    yield reading.event(f"customers/{customer.id}/{written}", at, None, {}, customer.id, _traits(customer))


def _customer_deleted(reading: Reading) -> Iterator[Event]:
    gone = reading.decode(Deleted)
    yield reading.event(f"customers/{gone.id}/deleted", None, "account_deleted", {}, gone.id, {})


def _traits(customer: Customer) -> dict[str, Any]:
    own = {"email": customer.email, "first_name": customer.first_name, "last_name": customer.last_name}
    created = f"{customer.date_created_gmt}Z" if customer.date_created_gmt else None
    return _billed(customer.billing) | present({**own, "created_at": created})


def _billed(address: Address | list[Any] | None) -> dict[str, Any]:
    if not isinstance(address, Address):
        return {}
    return present(
        {
            "email": address.email,
            "phone": address.phone,
            "first_name": address.first_name,
            "last_name": address.last_name,
            "street": " ".join(line for line in (address.address_1, address.address_2) if line),
            "city": address.city,
            "state": address.state,
            "postal_code": address.postcode,
            "country": address.country,
        }
    )


TOPICS: Final[dict[str, Callable[[Reading], Iterator[Event]]]] = {
    "order.created": _order,
    "order.updated": _order,
    "customer.created": _customer_created,
    "customer.updated": _customer_updated,
    "customer.deleted": _customer_deleted,
}
"""What each topic means."""
