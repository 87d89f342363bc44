"""From the bodies that Shopify posts to the events of a shop. Pure.

Only the body is signed: the headers that name a call are not. So the message ids come from the body too: what happens
once to an order has the order's number in its id, what happens again and again the moment that the body tells. The same
call again, or the same body under another name, brings nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, Literal, TypeVar

import msgspec

from segue.api import Event, Instant
from segue.api.bodies import read_id, read_json, read_timestamp
from segue.api.shop import item_ids
from segue.api.values import DAY
from segue.api.webhooks import number, present
from segue_shopify.objects import (
    Address,
    Cart,
    Checkout,
    Consent,
    Customer,
    DiscountCode,
    Fulfillment,
    Line,
    Order,
    Privacy,
    Refund,
)

__all__ = ["TOPICS", "Reading", "UserId"]

UserId = Literal["id", "email"]
"""What is the shop's own id of a customer: Shopify's, or the email."""

T = TypeVar("T")

RECENT: Final = 6 * DAY
"""An order tells all its refunds each time. Those from before are known already: for seven days they are duplicates."""


class Reading(msgspec.Struct, frozen=True):
    """One call that is read: its body, when it arrived, the source's name, and what the shop's own id is."""

    body: bytes
    now: Instant
    source: str
    user_id: UserId | None

    def decode(self, type_: type[T]) -> T:
        """The body as its type. Raises Refused."""
        return read_json(self.body, msgspec.json.Decoder(type_))

    def event(
        self,
        message_id: str,
        at: str | None,
        name: str | None,
        fields: dict[str, Any] | None = None,
        *,
        customer: Customer | None = None,
        traits: dict[str, Any] | None = None,
        visitor: str | None = None,
        order: int | str | None = None,
    ) -> Event:
        """An event of the customer, of a visitor of whom only a cart is known, or of whoever placed an ``order``."""
        traits = traits or {}
        own = read_id(customer.id, "customer.id") if customer is not None else None
        named = {"id": own, "email": traits.get("email")}
        return Event(
            message_id=f"{self.source}/{message_id}",
            timestamp=read_timestamp(at, "updated_at") if at is not None else self.now,
            source=self.source,
            name=name,
            user_id=read_id(named[self.user_id], self.user_id) if self.user_id is not None else None,
            anonymous_id=read_id(visitor, "token"),
            ids={"shopify": own} if own is not None else {},
            follows=tuple(f"{self.source}/orders/{order}/{what}" for what in _OF_ORDER) if order is not None else (),
            properties=fields or {},
            traits=traits,
        )


# Orders

_OF_ORDER: Final = ("created", "paid", "fulfilled", "cancelled")
"""What happens once to an order, as the message ids say it."""


def _created(reading: Reading) -> Iterator[Event]:
    order = reading.decode(Order)
    yield _of_order(reading, order, "ordered", "created", order.created_at)


def _paid(reading: Reading) -> Iterator[Event]:
    order = reading.decode(Order)
    if order.financial_status == "paid":
        yield _of_order(reading, order, "paid", "paid", order.updated_at)


def _cancelled(reading: Reading) -> Iterator[Event]:
    order = reading.decode(Order)
    if order.cancelled_at is not None:
        yield _of_order(reading, order, "order_cancelled", "cancelled", order.cancelled_at)


def _fulfilled(reading: Reading) -> Iterator[Event]:
    order = reading.decode(Order)
    if order.fulfillment_status == "fulfilled":
        yield _of_order(reading, order, "order_shipped", "fulfilled", order.updated_at)


def _updated(reading: Reading) -> Iterator[Event]:
    order = reading.decode(Order)
    yield _of_order(reading, order, "order_updated", f"updated/{order.updated_at}", order.updated_at)
    for refund in order.refunds or ():
        at = read_timestamp(refund.created_at, "refunds.created_at") if refund.created_at is not None else reading.now
        if reading.now - at < RECENT:
            yield _refund(reading, refund, order)


def _of_order(reading: Reading, order: Order, name: str, what: str, at: str | None) -> Event:
    shipping = order.total_shipping_price_set.shop_money if order.total_shipping_price_set is not None else None
    fields = {
        "order_id": read_id(order.id, "id"),
        "order_number": order.name,
        "checkout_id": order.checkout_token,
        "cart_id": order.cart_token,
        "total": number(order.total_price),
        "revenue": number(order.subtotal_price),
        "subtotal": number(order.subtotal_price),
        "shipping": number(shipping.amount) if shipping is not None else None,
        "tax": number(order.total_tax),
        "discount": number(order.total_discounts),
        "payment_method": order.payment_gateway_names[0] if order.payment_gateway_names else None,
        **_basket(order.line_items, order.currency, order.discount_codes),
    }
    return reading.event(
        f"orders/{order.id}/{what}",
        at,
        name,
        present(fields),
        customer=order.customer,
        traits=_traits(order.customer, order.email, order.phone, order.customer_locale),
        visitor=order.cart_token,
    )


def _refunded(reading: Reading) -> Iterator[Event]:
    yield _refund(reading, reading.decode(Refund), None)


def _refund(reading: Reading, refund: Refund, order: Order | None) -> Event:
    """A refund, with the customer where its order is at hand."""
    paid = [one for one in refund.transactions or () if one.kind == "refund" and one.status != "failure"]
    lines = [one.line_item for one in refund.refund_line_items or () if one.line_item is not None]
    back = sum((Decimal(str(number(one.amount) or 0)) for one in paid), Decimal(0))
    fields = {
        "order_id": read_id(refund.order_id, "order_id"),
        # What only went back to the shelf paid nothing back; a refund without an amount would be of the whole order.
        "total": number(back) if refund.transactions is not None else None,
        **_basket(lines, paid[0].currency if paid else None, None),
    }
    return reading.event(
        f"refunds/{refund.id}",
        refund.created_at,
        "order_refunded",
        present(fields),
        customer=order.customer if order is not None else None,
        traits=_traits(order.customer, order.email, order.phone, None) if order is not None else None,
        order=refund.order_id,
    )


def _delivered(reading: Reading) -> Iterator[Event]:
    parcel = reading.decode(Fulfillment)
    if parcel.shipment_status != "delivered":
        return
    fields = {"order_id": read_id(parcel.order_id, "order_id"), **_basket(parcel.line_items, None, None)}
    yield reading.event(
        f"fulfillments/{parcel.id}/delivered",
        parcel.updated_at,
        "order_delivered",
        present(fields),
        traits=present({"email": parcel.email}),
        order=parcel.order_id,
    )


# Carts and checkouts


def _cart(reading: Reading) -> Iterator[Event]:
    cart = reading.decode(Cart)
    at = cart.updated_at or cart.created_at
    fields = {"cart_id": cart.token, "total": _sum(cart.line_items), **_basket(cart.line_items, None, None)}
    # An empty one says so: nothing is left behind in it any more.
    fields = present(fields) | {"products": fields["products"]}
    yield reading.event(f"carts/{cart.token}/{at}", at, "cart_updated", fields, visitor=cart.token)


def _checkout_begun(reading: Reading) -> Iterator[Event]:
    yield from _checkout(reading, "checkout_started")


def _checkout_changed(reading: Reading) -> Iterator[Event]:
    yield from _checkout(reading, "cart_updated")


def _checkout(reading: Reading, name: str) -> Iterator[Event]:
    checkout = reading.decode(Checkout)
    if checkout.completed_at is not None:
        return  # it became an order, which says so
    at = checkout.updated_at or checkout.created_at
    fields = {
        "checkout_id": checkout.token,
        "cart_id": checkout.cart_token or checkout.token,
        "total": number(checkout.total_price),
        "revenue": number(checkout.subtotal_price) if name == "checkout_started" else None,
        "url": checkout.abandoned_checkout_url,
        **_basket(checkout.line_items, checkout.currency, checkout.discount_codes),
    }
    what = "created" if name == "checkout_started" else at
    yield reading.event(
        f"checkouts/{checkout.token}/{what}",
        at,
        name,
        present(fields) | {"products": fields["products"]},
        customer=checkout.customer,
        traits=_traits(checkout.customer, checkout.email, checkout.phone, checkout.customer_locale),
        visitor=checkout.cart_token or checkout.token,
    )


# Customers


def _customer_created(reading: Reading) -> Iterator[Event]:
    customer = reading.decode(Customer)
    # Shopify keeps everybody who orders; an account is what they can sign in to.
    name = "signed_up" if customer.state == "enabled" else None
    at = customer.created_at
    yield reading.event(f"customers/{customer.id}/created", at, name, customer=customer, traits=_all_traits(customer))
    yield from _consent(reading, customer)


def _customer_updated(reading: Reading) -> Iterator[Event]:
    customer = reading.decode(Customer)
    at = customer.updated_at
    yield reading.event(f"customers/{customer.id}/{at}", at, None, customer=customer, traits=_all_traits(customer))
    yield from _consent(reading, customer)


_SAID: Final = {"subscribed": "subscribed", "unsubscribed": "unsubscribed", "redacted": "unsubscribed"}


def _consent(reading: Reading, customer: Customer) -> Iterator[Event]:
    """What the customer said of each channel. A `pending` one has not been confirmed and says nothing yet."""
    for channel, consent in (("email", customer.email_marketing_consent), ("sms", customer.sms_marketing_consent)):
        name = _SAID.get(consent.state or "") if consent is not None else None
        if consent is None or name is None:
            continue
        at = consent.consent_updated_at or customer.updated_at
        yield reading.event(
            f"customers/{customer.id}/{channel}/{consent.state}/{at}",
            at,
            name,
            # Without a kind all but transactional messages are meant: who unsubscribes wants none of them.
            present(
                {
                    "channel": channel,
                    "basis": "consent" if name == "subscribed" else None,
                    "proof": _proof(consent),
                }
            ),
            customer=customer,
            traits=_traits(customer, None, None, None),
        )


def _proof(consent: Consent) -> str | None:
    return f"Shopify: {consent.opt_in_level}" if consent.opt_in_level else None


def _redact(reading: Reading) -> Iterator[Event]:
    yield from _privacy(reading, "customer_redact")


def _data_request(reading: Reading) -> Iterator[Event]:
    yield from _privacy(reading, "data_request")


def _privacy(reading: Reading, name: str) -> Iterator[Event]:
    asked = reading.decode(Privacy)
    digest = blake2b(reading.body, digest_size=16).hexdigest()
    traits = present({"email": asked.customer.email, "phone": asked.customer.phone})
    fields = present({"shop_domain": asked.shop_domain})
    yield reading.event(f"{name}/{digest}", None, name, fields, customer=asked.customer, traits=traits)


def _nothing(_reading: Reading) -> Iterator[Event]:
    return iter(())


TOPICS: Final[dict[str, Callable[[Reading], Iterator[Event]]]] = {
    "orders/create": _created,
    "orders/paid": _paid,
    "orders/cancelled": _cancelled,
    "orders/fulfilled": _fulfilled,
    "orders/updated": _updated,
    "refunds/create": _refunded,
    "fulfillments/update": _delivered,
    "carts/create": _cart,
    "carts/update": _cart,
    "checkouts/create": _checkout_begun,
    "checkouts/update": _checkout_changed,
    "customers/create": _customer_created,
    "customers/update": _customer_updated,
    "customers/redact": _redact,
    "customers/data_request": _data_request,
    "shop/redact": _nothing,
    "app/uninstalled": _nothing,
}
"""What each topic means. The last two concern no customer: they are taken, for Shopify asks that of every app."""


# Parts


def _basket(lines: list[Line] | None, currency: str | None, codes: list[DiscountCode] | None) -> dict[str, Any]:
    products = [_line(line) for line in lines or ()]
    return {
        "products": products,
        "items": item_ids(products),
        "currency": currency,
        "coupon": codes[0].code if codes else None,
    }


def _line(line: Line) -> dict[str, Any]:
    return present(
        {
            "product_id": read_id(line.product_id, "product_id") or read_id(line.variant_id, "variant_id"),
            "sku": line.sku,
            "name": line.title,
            "variant": line.variant_title,
            "brand": line.vendor,
            "price": number(line.price),
            "quantity": line.quantity,
        }
    )


def _sum(lines: list[Line] | None) -> int | float | None:
    total = Decimal(0)
    for line in lines or ():
        price = number(line.price)
        if price is None:
            return None
        total += Decimal(str(price)) * (line.quantity if line.quantity is not None else 1)
    return number(total)


def _traits(customer: Customer | None, email: str | None, phone: str | None, locale: str | None) -> dict[str, Any]:
    known = customer or Customer()
    return present(
        {
            "email": email or known.email,
            "phone": phone or known.phone,
            "first_name": known.first_name,
            "last_name": known.last_name,
            "locale": locale,
        }
    )


def _all_traits(customer: Customer) -> dict[str, Any]:
    address = customer.default_address or Address()
    street = " ".join(line for line in (address.address1, address.address2) if line)
    return _traits(customer, None, customer.phone or address.phone, None) | present(
        {
            "street": street,
            "city": address.city,
            "state": address.province,
            "postal_code": address.zip,
            "country": address.country_code,
            "created_at": customer.created_at,
        }
    )
