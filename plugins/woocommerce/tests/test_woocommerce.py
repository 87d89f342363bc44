"""WooCommerce's webhooks: the signature as it is documented, and what becomes of each topic."""

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
from segue_woocommerce import WOOCOMMERCE, Config, WooCommerceSource
from segue_woocommerce.mapping import TOPICS, UserId

NOW = Instant(1_790_000_000_000_000)  # 2026-09-21T14:13:20Z
SECRET = "ck_test"
HOUR = 3_600_000_000
# The order and the customer of WooCommerce's own documentation, shortened.
BILLING = {
    "first_name": "Ann",
    "last_name": "Lee",
    "address_1": "Street 1",
    "address_2": "",
    "city": "Espoo",
    "state": "",
    "postcode": "02100",
    "country": "FI",
    "email": "ann@example.com",
    "phone": "+358401234567",
}
ORDER: dict[str, Any] = {
    "id": 727,
    "number": "727",
    "status": "processing",
    "currency": "EUR",
    "date_created": "2026-09-21T16:13:20",
    "date_created_gmt": "2026-09-21T13:13:20",
    "date_modified_gmt": "2026-09-21T13:43:20",
    "discount_total": "10.00",
    "shipping_total": "4.90",
    "total": "66.30",
    "total_tax": "12.05",
    "customer_id": 26,
    "billing": BILLING,
    "payment_method": "bacs",
    "payment_url": "https://shop.example/pay/727",
    "date_paid_gmt": None,
    "date_completed_gmt": None,
    "line_items": [
        {"id": 315, "name": "Cup", "product_id": 93, "variation_id": 0, "quantity": 2, "sku": "CUP", "price": 29.9},
        {"id": 316, "name": "Gift", "product_id": 0, "variation_id": 23, "quantity": 1, "sku": None, "price": "2.5"},
    ],
    "coupon_lines": [{"id": 1, "code": "may"}],
    "refunds": [],
}
CUSTOMER: dict[str, Any] = {
    "id": 26,
    "date_created_gmt": "2026-09-21T13:13:20",
    "date_modified_gmt": "2026-09-21T13:43:20",
    "email": "ann@example.com",
    "first_name": "Ann",
    "last_name": "",
    "billing": BILLING,
}


def post(topic: str, body: object, secret: str = SECRET, **headers: str) -> Request:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    own = {
        "x-wc-webhook-topic": topic,
        "x-wc-webhook-signature": base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode(),
    }
    return Request("POST", "/hooks/woocommerce", own | headers, {}, raw)


def received(request: Request, user_id: UserId | None = None, secret: str | tuple[str, ...] = SECRET) -> Received:
    return WooCommerceSource(Config(secret, user_id), SourceTools(source="shop")).receive(request, NOW)


def events(topic: str, body: object, user_id: UserId | None = None) -> tuple[Event, ...]:
    answer = received(post(topic, body), user_id)
    assert answer.response.status == 200, answer.response.body
    return answer.events


def names(body: object, topic: str = "order.updated") -> list[str | None]:
    return [event.name for event in events(topic, body) if event.name != "item_ordered"]


class TestConformance(SourceConformance):
    def make(self) -> tuple[SourceSpec, Config]:
        return WOOCOMMERCE, Config((SECRET, "another"), "id")

    def good(self) -> Request:
        return post("order.created", ORDER)


# Orders


def test_an_order_comes_with_everything_that_rules_read_and_its_lines_behind_it() -> None:
    order, cup, gift = events("order.created", ORDER, "id")
    assert (order.name, order.message_id, order.source) == ("ordered", "shop/orders/727/ordered", "shop")
    assert order.timestamp == NOW - HOUR
    assert (order.user_id, order.ids) == ("26", {"shop": "26"})
    assert order.traits["email"] == "ann@example.com"
    assert order.traits["street"] == "Street 1"
    products = order.properties.pop("products")
    assert order.properties == {
        "order_id": "727",
        "order_number": "#727",
        "cart_id": "order-727",
        "total": 66.3,
        "shipping": 4.9,
        "tax": 12.05,
        "discount": 10,
        "currency": "EUR",
        "coupon": "may",
        "items": ["93"],
        "payment_method": "bacs",
    }
    assert products[0] == {"product_id": "93", "sku": "CUP", "name": "Cup", "price": 29.9, "quantity": 2}
    assert cup.properties == {**products[0], "order_id": "727", "currency": "EUR"}
    assert (gift.properties["variant"], gift.properties["price"]) == ("23", 2.5)


def test_an_order_tells_its_life_as_it_goes_on_and_each_part_once() -> None:
    begun = {**ORDER, "status": "pending"}
    paid = {**ORDER, "date_paid_gmt": "2026-09-21T13:20:00"}
    done = {**paid, "status": "completed", "date_completed_gmt": "2026-09-21T14:00:00"}
    assert names(begun) == ["checkout_started"]
    assert names(ORDER) == ["ordered"]
    assert names(paid) == ["ordered", "paid"]
    assert names(done) == ["ordered", "paid", "order_delivered"]
    ids = [{event.message_id for event in events("order.updated", body)} for body in (ORDER, paid, done)]
    assert ids[0] < ids[1] < ids[2]
    assert events("order.created", paid) == events("order.updated", paid)


def test_where_the_carrier_tells_of_deliveries_a_completed_order_is_one_on_its_way() -> None:
    done = {**ORDER, "status": "completed", "date_completed_gmt": "2026-09-21T14:00:00"}
    shop = WooCommerceSource(Config(SECRET, completed="order_shipped"), SourceTools(source="shop"))
    found = [event for event in shop.receive(post("order.updated", done), NOW).events if event.name != "item_ordered"]
    assert [event.name for event in found] == ["ordered", "order_shipped"]
    assert found[1].timestamp == NOW - 800_000_000
    assert found[1].message_id == "shop/orders/727/completed"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("on-hold", ["ordered"]),
        ("cancelled", ["order_cancelled"]),
        ("failed", ["payment_failed"]),
        ("trash", []),
        ("checkout-draft", []),
        ("wc-own-status", []),
        (None, []),
    ],
)
def test_what_became_of_an_order_is_what_its_status_says(status: str | None, expected: list[str]) -> None:
    assert names({**ORDER, "status": status}) == expected


def test_an_old_order_that_is_edited_begins_nothing() -> None:
    old = {"date_created_gmt": "2026-09-01T00:00:00", "date_paid_gmt": "2026-09-01T00:00:00"}
    assert names({**ORDER, **old}) == []
    assert names({**ORDER, **old, "status": "completed", "date_completed_gmt": "2026-09-21T14:00:00"}) == [
        "order_delivered"
    ]


def test_an_order_that_waited_for_its_payment_was_placed_as_it_was_paid() -> None:
    waited = {**ORDER, "date_created_gmt": "2026-09-10T00:00:00", "date_paid_gmt": "2026-09-21T13:20:00"}
    order, *_, paid = events("order.updated", waited)
    assert (order.name, paid.name, order.timestamp) == ("ordered", "paid", paid.timestamp)


def test_refunds_are_told_one_by_one() -> None:
    refunds = [{"id": 1, "reason": "", "total": "-10.00"}, {"id": 2, "reason": "broken", "total": "-2.30"}]
    _, *found = [e for e in events("order.updated", {**ORDER, "refunds": refunds}) if e.name != "item_ordered"]
    assert [(one.name, one.message_id) for one in found] == [
        ("order_refunded", "shop/refunds/1"),
        ("order_refunded", "shop/refunds/2"),
    ]
    assert found[1].properties == {"order_id": "727", "total": 2.3, "currency": "EUR"}


def test_a_guest_is_known_by_their_address() -> None:
    order, *_ = events("order.created", {**ORDER, "customer_id": 0}, "id")
    assert (order.user_id, order.ids, order.traits["email"]) == (None, {}, "ann@example.com")
    order, *_ = events("order.created", {**ORDER, "customer_id": 0}, "email")
    assert order.user_id == "ann@example.com"


def test_an_order_of_the_back_office_without_an_address_is_taken() -> None:
    order, *_ = events("order.created", {**ORDER, "billing": [], "line_items": [], "coupon_lines": []})
    assert (order.name, order.traits) == ("ordered", {})


# Customers


def test_an_account_brings_traits() -> None:
    (signed,) = events("customer.created", CUSTOMER, "id")
    (changed,) = events("customer.updated", CUSTOMER, "id")
    assert (signed.name, signed.timestamp, signed.user_id) == ("signed_up", NOW - HOUR, "26")
    assert (changed.name, changed.timestamp) == (None, NOW - HOUR // 2)
    assert signed.traits == changed.traits
    assert signed.traits["created_at"] == "2026-09-21T13:13:20Z"
    assert signed.traits["last_name"] == "Lee"  # the account has none, its bill does
    (gone,) = events("customer.deleted", {"id": 26}, "id")
    assert (gone.name, gone.user_id) == ("account_deleted", "26")


@pytest.mark.parametrize("topic", ["product.updated", "coupon.created", "order.deleted", "action.woocommerce_x"])
def test_what_concerns_no_customer_is_taken_and_means_nothing(topic: str) -> None:
    assert events(topic, {"id": 1}) == ()


# Who may call


def test_the_call_made_when_a_webhook_is_saved_is_answered() -> None:
    answer = received(Request("POST", "/hooks/woocommerce", {}, {}, b"webhook_id=17"))
    assert (answer.response.status, answer.events, answer.rejections) == (200, (), ())


@pytest.mark.parametrize("body", [b"webhook_id=x", b"webhook_id=1&x=1", json.dumps(ORDER).encode()])
def test_nothing_else_is_taken_without_a_signature(body: bytes) -> None:
    answer = received(Request("POST", "/hooks/woocommerce", {"x-wc-webhook-topic": "order.created"}, {}, body))
    assert (answer.response.status, answer.events) == (401, ())


@pytest.mark.parametrize("shown", ["", "AAAA", "é", "0" * 5000])
def test_a_forged_call_is_refused(shown: str) -> None:
    answer = received(post("order.created", ORDER, **{"x-wc-webhook-signature": shown}))
    assert (answer.response.status, answer.events) == (401, ())


def test_webhooks_may_have_secrets_of_their_own() -> None:
    assert received(post("order.created", ORDER, "old"), secret=("new", "old")).response.status == 200
    assert received(post("order.created", ORDER, "older"), secret=("new", "old")).response.status == 401


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("order.created", b""),
        ("order.created", b"[]"),
        ("order.created", {"id": None}),
        ("order.created", {**ORDER, "line_items": [{"quantity": "two"}]}),
        ("order.created", {**ORDER, "date_created_gmt": "yesterday"}),
        ("order.created", {**ORDER, "id": "x" * 1001}),
        ("order.created", b'{"id": 1, "billing": ' + b'{"a":' * 100 + b"1" + b"}" * 101),
        ("customer.created", {}),
        ("", ORDER),
    ],
    ids=["empty", "a list", "no id", "a text for a count", "no time", "too long an id", "deep", "nobody", "no topic"],
)
def test_a_signed_body_that_makes_no_sense_is_refused(topic: str, body: object) -> None:
    answer = received(post(topic, body))
    assert (answer.response.status, answer.events) == (400, ())
    assert json.loads(answer.response.body)["error"] == answer.rejections[0].reason


KEYS = st.sampled_from([*ORDER, *CUSTOMER, *ORDER["line_items"][0], *BILLING, "code"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(TOPICS)), st.dictionaries(KEYS, JSON, max_size=6))
def test_any_body_is_events_or_refused(topic: str, body: dict[str, Any]) -> None:
    answer = received(post(topic, {"id": 1, **body}), "id")
    assert answer.response.status in (200, 400)
    assert len({event.message_id for event in answer.events}) == len(answer.events)
