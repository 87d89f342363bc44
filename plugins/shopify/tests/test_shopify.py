"""Shopify's webhooks: the signature, and what becomes of each topic."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.api import Event, Instant, Received, Request, SourceSpec, SourceTools
from segue.testing import SourceConformance
from segue_shopify import SHOPIFY, Config, ShopifySource
from segue_shopify.mapping import TOPICS, UserId

NOW = Instant(1_790_000_000_000_000)  # 2026-09-21T14:13:20Z
SECRET = "shpss_test"
AN_HOUR_AGO = "2026-09-21T15:13:20+02:00"

LINES: list[dict[str, Any]] = [
    {"product_id": 11, "variant_id": 21, "sku": "CUP-R", "title": "Cup", "variant_title": "Red", "vendor": "Arabia"},
    {"product_id": None, "variant_id": None, "title": "Gift wrapping", "price": "2.50", "quantity": 1},
]
LINES[0] |= {"price": "29.90", "quantity": 2}
CUSTOMER: dict[str, Any] = {
    "id": 6501,
    "email": "ann@example.com",
    "first_name": "Ann",
    "last_name": "Lee",
    "phone": None,
}
ORDER: dict[str, Any] = {
    "id": 450789469,
    "name": "#1001",
    "email": "ann@example.com",
    "customer": CUSTOMER,
    "customer_locale": "fi-FI",
    "currency": "EUR",
    "total_price": "66.30",
    "subtotal_price": "62.30",
    "total_tax": "12.05",
    "total_discounts": "0.00",
    "total_shipping_price_set": {"shop_money": {"amount": "4.00", "currency_code": "EUR"}},
    "financial_status": "paid",
    "fulfillment_status": "fulfilled",
    "discount_codes": [{"code": "MAY", "amount": "0"}],
    "payment_gateway_names": ["shopify_payments"],
    "checkout_token": "ck1",
    "cart_token": "ca1",
    "line_items": LINES,
    "created_at": AN_HOUR_AGO,
    "updated_at": "2026-09-21T16:00:00+02:00",
    "cancelled_at": "2026-09-21T16:05:00+02:00",
}
CHECKOUT: dict[str, Any] = {
    "id": 7,
    "token": "ck1",
    "cart_token": "ca1",
    "email": "ann@example.com",
    "currency": "EUR",
    "total_price": "62.30",
    "abandoned_checkout_url": "https://shop.example/recover",
    "line_items": LINES,
    "created_at": AN_HOUR_AGO,
    "updated_at": AN_HOUR_AGO,
    "completed_at": None,
}


def post(topic: str, body: object, secret: str = SECRET, **headers: str) -> Request:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    own = {
        "x-shopify-topic": topic,
        "x-shopify-hmac-sha256": base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode(),
    }
    return Request("POST", "/hooks/shopify", own | headers, {}, raw)


def received(request: Request, user_id: UserId | None = None, secret: str | tuple[str, ...] = SECRET) -> Received:
    return ShopifySource(Config(secret, user_id), SourceTools(source="shop")).receive(request, NOW)


def events(topic: str, body: object, user_id: UserId | None = None) -> tuple[Event, ...]:
    answer = received(post(topic, body), user_id)
    assert answer.response.status == 200, answer.response.body
    return answer.events


class TestConformance(SourceConformance):
    def make(self) -> tuple[SourceSpec, Config]:
        return SHOPIFY, Config((SECRET, "another"), "id")

    def good(self) -> Request:
        return post("orders/create", ORDER)


# Orders


def test_an_order_comes_with_everything_that_rules_read_and_its_lines_behind_it() -> None:
    order, cup, wrapping = events("orders/create", ORDER, "id")
    assert (order.name, order.message_id, order.source) == ("ordered", "shop/orders/450789469/created", "shop")
    assert order.timestamp == NOW - 3_600_000_000
    assert (order.user_id, order.anonymous_id, order.ids) == ("6501", "ca1", {"shopify": "6501"})
    assert order.traits == {"email": "ann@example.com", "first_name": "Ann", "last_name": "Lee", "locale": "fi-FI"}
    products = order.properties.pop("products")
    assert order.properties == {
        "order_id": "450789469",
        "order_number": "#1001",
        "checkout_id": "ck1",
        "cart_id": "ca1",
        "total": 66.3,
        "revenue": 62.3,
        "subtotal": 62.3,
        "shipping": 4,
        "tax": 12.05,
        "discount": 0,
        "payment_method": "shopify_payments",
        "items": ["11"],
        "currency": "EUR",
        "coupon": "MAY",
    }
    assert products[0] == {
        "product_id": "11",
        "sku": "CUP-R",
        "name": "Cup",
        "variant": "Red",
        "brand": "Arabia",
        "price": 29.9,
        "quantity": 2,
    }
    assert cup.properties == {**products[0], "order_id": "450789469", "currency": "EUR"}
    assert (wrapping.properties["name"], wrapping.properties["price"]) == ("Gift wrapping", 2.5)


@pytest.mark.parametrize(
    ("topic", "name", "field", "missing"),
    [
        ("orders/paid", "paid", "financial_status", "pending"),
        ("orders/fulfilled", "order_shipped", "fulfillment_status", "partial"),
        ("orders/cancelled", "order_cancelled", "cancelled_at", None),
    ],
)
def test_what_happens_to_an_order_is_what_its_body_says(topic: str, name: str, field: str, missing: str | None) -> None:
    (one,) = events(topic, ORDER)
    assert (one.name, one.properties["order_id"]) == (name, "450789469")
    assert events(topic, {**ORDER, field: missing}) == ()  # the topic alone is no signed word


def test_an_update_tells_the_refunds_of_late_with_whose_they_are() -> None:
    refund = {
        "id": 1,
        "order_id": 450789469,
        "created_at": AN_HOUR_AGO,
        "transactions": [
            {"kind": "refund", "status": "success", "amount": "10.00", "currency": "EUR"},
            {"kind": "refund", "status": "failure", "amount": "99.00", "currency": "EUR"},
            {"kind": "refund", "status": "success", "amount": "2.30", "currency": "EUR"},
        ],
        "refund_line_items": [{"quantity": 1, "line_item": LINES[0]}],
    }
    old = {**refund, "id": 2, "created_at": "2026-09-01T00:00:00Z"}
    updated, refunded = events("orders/updated", {**ORDER, "refunds": [refund, old]}, "email")
    assert (updated.name, refunded.name) == ("order_updated", "order_refunded")
    assert (refunded.user_id, refunded.message_id) == ("ann@example.com", "shop/refunds/1")
    (alone,) = events("refunds/create", refund, "email")
    assert (alone.user_id, alone.message_id) == (None, refunded.message_id)
    assert alone.properties == refunded.properties
    assert alone.follows[0] == events("orders/create", ORDER, "email")[0].message_id
    assert {f"shop/orders/{refund['order_id']}/{what}" for what in ("created", "paid")} < set(alone.follows)
    assert (alone.properties["order_id"], alone.properties["total"]) == ("450789469", 12.3)
    assert alone.properties["items"] == ["11"]


@pytest.mark.parametrize("transactions", [[], [{"kind": "refund", "status": "failure", "amount": "99.00"}]])
def test_a_refund_that_paid_nothing_back_says_so(transactions: list[Any]) -> None:
    (refunded,) = events("refunds/create", {"id": 1, "order_id": 450789469, "transactions": transactions}, "email")
    assert refunded.properties["total"] == 0


def test_a_parcel_is_delivered_once_the_carrier_says_so() -> None:
    parcel = {"id": 5, "order_id": 450789469, "shipment_status": "in_transit", "email": "ann@example.com"}
    assert events("fulfillments/update", parcel) == ()
    (one,) = events("fulfillments/update", {**parcel, "shipment_status": "delivered"}, "email")
    assert (one.name, one.user_id) == ("order_delivered", "ann@example.com")
    assert one.properties == {"order_id": "450789469"}


# Carts


def test_a_cart_is_a_visitor_s_until_a_checkout_says_whose_it_is() -> None:
    (cart,) = events("carts/update", {"token": "ca1", "line_items": LINES, "updated_at": AN_HOUR_AGO}, "email")
    (begun,) = events("checkouts/create", CHECKOUT, "email")
    (changed,) = events("checkouts/update", CHECKOUT, "email")
    assert [one.name for one in (cart, begun, changed)] == ["cart_updated", "checkout_started", "cart_updated"]
    assert {one.anonymous_id for one in (cart, begun, changed)} == {"ca1"}
    assert [one.user_id for one in (cart, begun, changed)] == [None, "ann@example.com", "ann@example.com"]
    assert {one.properties["cart_id"] for one in (cart, begun, changed)} == {"ca1"}
    assert {one.properties["total"] for one in (cart, begun, changed)} == {62.3}
    assert changed.properties["url"] == "https://shop.example/recover"


def test_an_emptied_cart_says_so() -> None:
    (cart,) = events("carts/update", {"token": "ca1", "line_items": [], "updated_at": AN_HOUR_AGO})
    assert cart.properties == {"cart_id": "ca1", "total": 0, "products": []}


def test_a_checkout_that_became_an_order_is_no_cart_any_more() -> None:
    assert events("checkouts/update", {**CHECKOUT, "completed_at": AN_HOUR_AGO}) == ()


# Customers


def test_a_customer_brings_traits_and_what_they_said_of_each_channel() -> None:
    body = {
        **CUSTOMER,
        "state": "enabled",
        "created_at": AN_HOUR_AGO,
        "updated_at": AN_HOUR_AGO,
        "default_address": {"address1": "Street 1", "city": "Espoo", "zip": "02100", "country_code": "FI"},
        "email_marketing_consent": {
            "state": "subscribed",
            "opt_in_level": "confirmed_opt_in",
            "consent_updated_at": "2026-09-01T00:00:00Z",
        },
        "sms_marketing_consent": {"state": "unsubscribed", "consent_updated_at": None},
    }
    signed, email, sms = events("customers/create", body, "id")
    assert (signed.name, signed.user_id) == ("signed_up", "6501")
    assert signed.traits == {
        "email": "ann@example.com",
        "first_name": "Ann",
        "last_name": "Lee",
        "street": "Street 1",
        "city": "Espoo",
        "postal_code": "02100",
        "country": "FI",
        "created_at": AN_HOUR_AGO,
    }
    assert (email.name, email.timestamp) == ("subscribed", 1_788_220_800_000_000)
    assert email.properties == {
        "channel": "email",
        "basis": "consent",
        "proof": "Shopify: confirmed_opt_in",
    }
    assert (sms.name, sms.properties) == ("unsubscribed", {"channel": "sms"})
    later = {**body, "updated_at": "2026-09-21T16:00:00+02:00"}
    traits, same, _ = events("customers/update", later, "id")
    assert (traits.name, same.message_id) == (None, email.message_id)


def test_whoever_ordered_without_an_account_did_not_sign_up() -> None:
    (one,) = events("customers/create", {**CUSTOMER, "state": "disabled", "created_at": AN_HOUR_AGO})
    assert one.name is None


@pytest.mark.parametrize("state", ["pending", "not_subscribed", "invalid", None])
def test_what_was_not_confirmed_says_nothing_yet(state: str | None) -> None:
    consent = {"state": state, "consent_updated_at": AN_HOUR_AGO}
    (one,) = events("customers/update", {**CUSTOMER, "updated_at": AN_HOUR_AGO, "email_marketing_consent": consent})
    assert one.name is None


def test_requests_about_their_data_are_handed_on() -> None:
    body = {"shop_id": 1, "shop_domain": "x.myshopify.com", "customer": {"id": 6501, "email": "ann@example.com"}}
    for topic, name in (("customers/redact", "customer_redact"), ("customers/data_request", "data_request")):
        (one,) = events(topic, body, "id")
        assert (one.name, one.user_id, one.ids) == (name, "6501", {"shopify": "6501"})
        assert one.properties == {"shop_domain": "x.myshopify.com"}


@pytest.mark.parametrize("topic", ["app/uninstalled", "shop/redact", "themes/publish"])
def test_what_concerns_no_customer_is_taken_and_means_nothing(topic: str) -> None:
    assert events(topic, {"id": 1}) == ()


def test_the_same_call_under_other_headers_brings_the_same_events() -> None:
    first = received(post("orders/create", ORDER, **{"x-shopify-webhook-id": "1", "x-shopify-triggered-at": "x"}))
    again = received(post("orders/create", ORDER, **{"x-shopify-webhook-id": "2"}))
    assert first.events == again.events


# Who may call


@pytest.mark.parametrize("shown", ["", "AAAA", "é", "0" * 5000])
def test_a_forged_call_is_refused(shown: str) -> None:
    answer = received(post("orders/create", ORDER, **{"x-shopify-hmac-sha256": shown}))
    assert (answer.response.status, answer.events) == (401, ())


def test_while_the_secret_is_changed_both_are_good() -> None:
    assert received(post("orders/create", ORDER, "old"), secret=("new", "old")).response.status == 200
    assert received(post("orders/create", ORDER, "older"), secret=("new", "old")).response.status == 401


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("orders/create", b""),
        ("orders/create", b"[]"),
        ("orders/create", {"id": None}),
        ("orders/create", {**ORDER, "line_items": [{"quantity": "two"}]}),
        ("orders/create", {**ORDER, "created_at": "yesterday"}),
        ("orders/create", {**ORDER, "customer": {"id": "x" * 1001}}),
        ("orders/create", b'{"id": 1, "customer": ' + b'{"a":' * 100 + b"1" + b"}" * 101),
        ("customers/redact", {"shop_id": 1}),
        ("", ORDER),
    ],
    ids=["empty", "a list", "no id", "a text for a count", "no time", "too long an id", "deep", "nobody", "no topic"],
)
def test_a_signed_body_that_makes_no_sense_is_refused(topic: str, body: object) -> None:
    answer = received(post(topic, body))
    assert (answer.response.status, answer.events) == (400, ())
    assert json.loads(answer.response.body)["error"] == answer.rejections[0].reason


KEYS = st.sampled_from([*ORDER, *CHECKOUT, *CUSTOMER, *LINES[0], "order_id", "shop_money", "amount", "state"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(TOPICS)), st.dictionaries(KEYS, JSON, max_size=6))
def test_any_body_is_events_or_refused(topic: str, body: dict[str, Any]) -> None:
    answer = received(post(topic, {"id": 1, "order_id": 2, "token": "t", "customer": {"id": 3}, **body}), "id")
    assert answer.response.status in (200, 400)
    assert len({event.message_id for event in answer.events}) == len(answer.events)
