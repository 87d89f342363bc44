"""One story, in the words of each source: a cart is filled and left, and bought after all; the parcel arrives, or the
money goes back."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from segue.api import Request

BEGAN: Final = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
"""A Monday, at eleven in Berlin."""
SECRET: Final = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()

MAP: Final = """
event = "$.what"
names = { basket = "cart_updated", sale = "ordered", arrived = "order_delivered", back = "order_refunded" }
id = "$.id"
time = "$.at"
user = "$.mail"
fields = { order_id = "$.sale", cart_id = "$.basket", total = "$.cents | hundredths", currency = "EUR" }
lines = { each = "$.lines | json", product_id = "$.article", price = "$.cents | hundredths", quantity = "$.pieces" }
traits = { email = "$.mail", first_name = "$.first" }
"""
"""The mapping by which sources read the `payload`."""


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def encoded(body: Any) -> bytes:
    return json.dumps(body).encode()


def digest(body: bytes, key: bytes = SECRET.encode()) -> bytes:
    return hmac.new(key, body, hashlib.sha256).digest()


def by_segment(what: str, at: datetime) -> Request | None:
    names = {
        "cart": "Cart Updated",
        "order": "Order Completed",
        "delivered": "Order Delivered",
        "refunded": "Order Refunded",
    }
    if what not in names:
        return None
    products = [{"product_id": "11", "price": 29.9, "quantity": 2}]
    call = {
        "type": "track",
        "event": names[what],
        "messageId": what,
        "userId": "ann@example.com",
        "timestamp": iso(at),
        "context": {"traits": {"email": "ann@example.com", "firstName": "Ann"}},
        "properties": {"cart_id": "c1", "order_id": "7", "total": 59.8, "currency": "EUR", "products": products},
    }
    return Request("POST", "/v1/track", {}, {}, encoded(call))


def payload(what: str, at: datetime) -> dict[str, Any] | None:
    """What a shop puts on a broker, into a table or a file, or calls an address with: see `MAP`."""
    names = {"cart": "basket", "order": "sale", "delivered": "arrived", "refunded": "back"}
    if what not in names:
        return None
    lines = [{"article": "11", "cents": 2990, "pieces": 2}]
    return {
        "id": what,
        "what": names[what],
        "at": iso(at),
        "mail": "ann@example.com",
        "first": "Ann",
        "sale": "7",
        "basket": "c1",
        "cents": 5980,
        "lines": lines,
    }


def by_webhooks(what: str, at: datetime) -> Request | None:
    found = payload(what, at)
    if found is None:
        return None
    body, moment = encoded(found), str(int(at.timestamp()))
    signature = digest(f"{what}.{moment}.".encode() + body, b"0123456789abcdef01234567")
    headers = {
        "webhook-id": what,
        "webhook-timestamp": moment,
        "webhook-signature": "v1," + base64.b64encode(signature).decode(),
    }
    return Request("POST", "/hooks/webhooks", headers, {}, body)


def by_shopify(what: str, at: datetime) -> Request | None:
    customer = {"id": 65, "email": "ann@example.com", "first_name": "Ann"}
    lines = [{"product_id": 11, "price": "29.90", "quantity": 2}]
    common = {"email": "ann@example.com", "customer": customer, "currency": "EUR", "total_price": "59.80"}
    order = {
        "id": 7,
        "cart_token": "c1",
        "line_items": lines,
        "created_at": iso(BEGAN),
        "updated_at": iso(at),
        **common,
    }
    refund = {
        "id": 1,
        "order_id": 7,
        "created_at": iso(at),
        "transactions": [{"kind": "refund", "status": "success", "amount": "59.80", "currency": "EUR"}],
    }
    parcel = {
        "id": 3,
        "order_id": 7,
        "shipment_status": "delivered",
        "email": "ann@example.com",
        "updated_at": iso(at),
    }
    told: Mapping[str, tuple[str, Any]] = {
        "cart": (
            "checkouts/create",
            {"token": "k1", "cart_token": "c1", "line_items": lines, "updated_at": iso(at), **common},
        ),
        "order": ("orders/create", {**order, "created_at": iso(at)}),
        "delivered": ("fulfillments/update", parcel),
        "refunded": ("refunds/create", refund),
    }
    if what not in told:
        return None
    topic, found = told[what]
    body = encoded(found)
    headers = {"x-shopify-topic": topic, "x-shopify-hmac-sha256": base64.b64encode(digest(body)).decode()}
    return Request("POST", "/hooks/shopify", headers, {}, body)


def to_forget() -> Request:
    """Shopify hands on that the customer is to be erased."""
    body = encoded({"shop_domain": "x.myshopify.com", "customer": {"id": 65, "email": "ann@example.com"}})
    headers = {"x-shopify-topic": "customers/redact", "x-shopify-hmac-sha256": base64.b64encode(digest(body)).decode()}
    return Request("POST", "/hooks/shopify", headers, {}, body)


def by_woocommerce(what: str, at: datetime) -> Request | None:
    states = {"cart": "pending", "order": "processing", "delivered": "completed", "refunded": "refunded"}
    if what not in states:
        return None
    now = iso(at).removesuffix("Z")
    bought = iso(BEGAN + timedelta(hours=3, minutes=30)).removesuffix("Z")
    order = {
        "id": 7,
        "status": states[what],
        "currency": "EUR",
        "total": "59.80",
        "billing": {"email": "ann@example.com", "first_name": "Ann"},
        "line_items": [{"product_id": 11, "price": 29.9, "quantity": 2}],
        "date_created_gmt": iso(BEGAN).removesuffix("Z"),
        "date_modified_gmt": now,
        "date_paid_gmt": None if what == "cart" else bought,
        "date_completed_gmt": now if what == "delivered" else None,
        "refunds": [{"id": 1, "total": "-59.80"}] if what == "refunded" else [],
    }
    body = encoded(order)
    headers = {
        "x-wc-webhook-topic": "order.updated",
        "x-wc-webhook-signature": base64.b64encode(digest(body)).decode(),
    }
    return Request("POST", "/hooks/woocommerce", headers, {}, body)


def by_stripe(what: str, at: datetime) -> Request | None:
    moment = int(at.timestamp())
    details = {"email": "ann@example.com"}
    session = {
        "id": "cs_1",
        "mode": "payment",
        "payment_intent": "7",
        "currency": "eur",
        "amount_total": 5980,
        "customer_details": details,
        "line_items": {"data": [{"quantity": 2, "price": {"product": "11", "unit_amount": 2990}}]},
    }
    charge = {
        "id": "ch_1",
        "payment_intent": "7",
        "amount_refunded": 5980,
        "currency": "eur",
        "billing_details": details,
    }
    told: Mapping[str, tuple[str, Any]] = {
        "expired": ("checkout.session.expired", session),
        "order": ("checkout.session.completed", session),
        "refunded": ("charge.refunded", charge),
    }
    if what not in told:
        return None
    kind, found = told[what]
    body = encoded({"id": f"evt_{what}", "type": kind, "created": moment, "data": {"object": found}})
    signature = digest(f"{moment}.".encode() + body).hex()
    return Request("POST", "/hooks/stripe", {"stripe-signature": f"t={moment},v1={signature}"}, {}, body)


CALLS: Final[Mapping[str, Callable[[str, datetime], Request | None]]] = {
    "segment": by_segment,
    "shopify": by_shopify,
    "stripe": by_stripe,
    "webhooks": by_webhooks,
    "woocommerce": by_woocommerce,
}
"""Sources that are called over HTTP: what happened, and when, as a request; None where they have no word for it."""
