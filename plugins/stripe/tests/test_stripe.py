"""Stripe's webhooks: signatures, and what becomes of each type."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Event, Instant, Received, Request, SourceSpec, SourceTools
from segue.testing import SourceConformance
from segue_stripe import STRIPE, Config, StripeSource
from segue_stripe.mapping import UserId
from segue_stripe.objects import money

NOW = Instant(1_790_000_000_000_000)
SECONDS = NOW // 1_000_000
SECRET = "whsec_test"

SESSION: dict[str, Any] = {
    "id": "cs_1",
    "object": "checkout.session",
    "mode": "payment",
    "client_reference_id": "ann",
    "customer": "cus_1",
    "payment_intent": "pi_1",
    "amount_total": 5980,
    "amount_subtotal": 6480,
    "total_details": {"amount_discount": 1000, "amount_shipping": 500, "amount_tax": 0},
    "currency": "eur",
    "customer_email": None,
    "customer_details": {"email": "ann@example.com", "name": "Ann", "phone": None, "address": {"country": "FI"}},
    "metadata": {},
}


def signature(body: bytes, at: int = SECONDS, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def call(kind: str, found: object, **more: Any) -> bytes:
    data = {"object": found, **more}
    return json.dumps({"id": "evt_1", "type": kind, "created": SECONDS - 60, "data": data}).encode()


def post(body: bytes, header: str | None = None) -> Request:
    header = f"t={SECONDS},v1={signature(body)}" if header is None else header
    return Request("POST", "/hooks/stripe", {"stripe-signature": header}, {}, body)


def received(request: Request, *, secret: str | tuple[str, ...] = SECRET, user_id: UserId | None = None) -> Received:
    return StripeSource(Config(secret, user_id), SourceTools(source="stripe")).receive(request, NOW)


def event(kind: str, found: object, user_id: UserId | None = None, **more: Any) -> Event:
    (one,) = received(post(call(kind, found, **more)), user_id=user_id).events
    return one


class TestConformance(SourceConformance):
    def make(self) -> tuple[SourceSpec, Config]:
        return STRIPE, Config((SECRET, "another"), "email")

    def good(self) -> Request:
        return post(call("checkout.session.completed", SESSION))


# What becomes of an event


def test_a_completed_checkout_is_an_order() -> None:
    order = event("checkout.session.completed", SESSION)
    assert (order.name, order.message_id, order.source) == ("ordered", "evt_1", "stripe")
    assert order.timestamp == NOW - 60_000_000
    assert (order.user_id, order.ids) == (None, {"stripe": "cus_1"})
    assert order.traits == {"email": "ann@example.com", "name": "Ann", "country": "FI"}
    assert order.properties == {
        "order_id": "pi_1",
        "checkout_id": "cs_1",
        "total": 59.8,
        "subtotal": 64.8,
        "discount": 10,
        "shipping": 5,
        "tax": 0,
        "currency": "EUR",
    }


@pytest.mark.parametrize(
    ("user_id", "expected"), [(None, None), ("id", "cus_1"), ("email", "ann@example.com"), ("reference", "ann")]
)
def test_the_shop_s_own_id_is_what_the_setting_says(user_id: UserId | None, expected: str | None) -> None:
    assert event("checkout.session.completed", SESSION, user_id).user_id == expected


def test_expanded_line_items_are_lines_of_their_own() -> None:
    lines = [
        {"description": "Cup", "quantity": 2, "price": {"id": "price_1", "unit_amount": 2990, "product": "prod_1"}}
    ]
    body = call("checkout.session.completed", {**SESSION, "line_items": {"data": lines}})
    order, line = received(post(body)).events
    assert order.properties["items"] == ["prod_1"]
    assert (line.name, line.message_id) == ("item_ordered", "evt_1/line-1")
    assert line.properties == {
        "product_id": "prod_1",
        "name": "Cup",
        "price": 29.9,
        "quantity": 2,
        "order_id": "pi_1",
        "currency": "EUR",
    }


def test_an_expired_checkout_is_an_abandoned_cart_with_the_way_back() -> None:
    recovery = {"recovery": {"url": "https://buy.stripe.com/r/live_1"}}
    cart = event("checkout.session.expired", {**SESSION, "after_expiration": recovery})
    assert cart.name == "cart_abandoned"
    assert cart.properties == {
        "cart_id": "cs_1",
        "checkout_id": "cs_1",
        "total": 59.8,
        "currency": "EUR",
        "url": "https://buy.stripe.com/r/live_1",
    }


def test_checkout_payment_and_refund_share_the_order_s_number() -> None:
    intent = {"id": "pi_1", "amount": 5980, "amount_received": 5980, "currency": "eur", "customer": "cus_1"}
    charge = {"id": "ch_1", "payment_intent": "pi_1", "amount_refunded": 3000, "currency": "eur"}
    own = {"order_id": "1001"}
    for metadata, number in ({}, "pi_1"), (own, "1001"):
        found = [
            event("checkout.session.completed", {**SESSION, "metadata": metadata}),
            event("payment_intent.succeeded", {**intent, "metadata": metadata}),
            event("charge.refunded", {**charge, "metadata": metadata}, previous_attributes={"amount_refunded": 1000}),
        ]
        assert [one.name for one in found] == ["ordered", "paid", "order_refunded"]
        assert {one.properties["order_id"] for one in found} == {number}
        assert [one.properties["total"] for one in found] == [59.8, 59.8, 20]


def test_a_payment_that_failed_says_why() -> None:
    intent = {"id": "pi_1", "amount": 5980, "currency": "eur", "last_payment_error": {"message": "Card declined."}}
    failed = event("payment_intent.payment_failed", intent)
    assert (failed.name, failed.properties["reason"]) == ("payment_failed", "Card declined.")


def test_an_invoice_speaks_for_the_payment_that_it_brought() -> None:
    invoice = {"id": "in_1", "amount_paid": 990, "currency": "eur", "customer": "cus_1", "customer_email": "a@b.fi"}
    paid = event("invoice.paid", invoice, "email")
    assert (paid.name, paid.user_id) == ("paid", "a@b.fi")
    assert paid.properties == {"order_id": "in_1", "total": 9.9, "currency": "EUR"}
    intent = {"id": "pi_1", "amount_received": 990, "currency": "eur", "invoice": "in_1"}
    answer = received(post(call("payment_intent.succeeded", intent)))
    assert (answer.response.status, answer.events) == (200, ())
    assert event("invoice.payment_failed", {**invoice, "amount_due": 990}).name == "payment_failed"


def test_a_customer_brings_traits() -> None:
    found = {
        "id": "cus_1",
        "email": "ann@example.com",
        "preferred_locales": ["fi", "en"],
        "created": SECONDS - 60,
        "address": {"line1": "Street 1", "line2": "B 2", "city": "Espoo", "postal_code": "02100", "country": "FI"},
    }
    one = event("customer.updated", found, "id")
    assert (one.name, one.user_id, one.properties) == (None, "cus_1", {})
    assert one.traits == {
        "email": "ann@example.com",
        "street": "Street 1 B 2",
        "city": "Espoo",
        "postal_code": "02100",
        "country": "FI",
        "locale": "fi",
        "created_at": "2026-09-21T14:12:20Z",
    }


SUBSCRIPTION: dict[str, Any] = {
    "id": "sub_1",
    "customer": {"id": "cus_1", "object": "customer"},
    "status": "active",
    "currency": "jpy",
    "trial_end": SECONDS,
    "items": {"data": [{"quantity": 3, "price": {"id": "price_1", "nickname": "Pro", "unit_amount": 500}}]},
}


@pytest.mark.parametrize(
    ("kind", "status", "before", "name"),
    [
        ("created", "active", None, "subscription_started"),
        ("created", "trialing", None, "trial_started"),
        ("updated", "active", {"status": "past_due"}, "subscription_updated"),
        ("updated", "active", {"status": "trialing"}, "trial_ended"),
        ("deleted", "canceled", None, "subscription_ended"),
        ("trial_will_end", "trialing", None, "trial_ending"),
    ],
)
def test_a_subscription_tells_its_life(kind: str, status: str, before: dict[str, str] | None, name: str) -> None:
    found = {**SUBSCRIPTION, "status": status}
    one = event(f"customer.subscription.{kind}", found, previous_attributes=before)
    assert (one.name, one.ids) == (name, {"stripe": "cus_1"})
    assert one.properties == {
        "subscription_id": "sub_1",
        "plan": "Pro",
        "status": status,
        "total": 1500,
        "currency": "JPY",
        "quantity": 3,
        "trial_end": "2026-09-21T14:13:20Z",
    }


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        (5980, "eur", 59.8),
        (6000, "EUR", 60),
        (500, "jpy", 500),
        (5980, "bhd", 5.98),
        (-150, "eur", -1.5),
        (None, "eur", None),
    ],
)
def test_amounts_are_in_the_currency_and_not_in_its_smallest_unit(
    amount: int | None, currency: str, expected: float | None
) -> None:
    assert money(amount, currency) == expected


def test_a_type_that_is_not_read_is_taken_and_means_nothing() -> None:
    answer = received(post(call("radar.early_fraud_warning.created", {"id": "issfr_1"})))
    assert (answer.response.status, answer.events, answer.rejections) == (200, (), ())


# Who may call


BODY = call("checkout.session.completed", SESSION)


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"v1={signature(BODY)}",
        f"t={SECONDS},v0={signature(BODY)}",
        f"t={SECONDS},v1={signature(BODY, secret='whsec_other')}",
        f"t={SECONDS + 1},v1={signature(BODY)}",
        f"t={SECONDS},t={SECONDS},v1={signature(BODY)}",
        f"t={SECONDS - 301},v1={signature(BODY, SECONDS - 301)}",
        f"t={SECONDS + 301},v1={signature(BODY, SECONDS + 301)}",
        f"t=-1,v1={signature(BODY, -1)}",
        f"t={SECONDS},v1=é",
    ],
)
def test_a_forged_an_old_and_a_future_call_are_refused(header: str) -> None:
    answer = received(post(BODY, header))
    assert (answer.response.status, answer.events) == (401, ())


def test_while_a_secret_is_rolled_calls_carry_two_signatures_and_either_is_good() -> None:
    header = f"t={SECONDS},v1={signature(BODY, secret='whsec_new')},v1={signature(BODY)}"
    assert received(post(BODY, header)).response.status == 200
    assert received(post(BODY, header), secret="whsec_new").response.status == 200
    assert received(post(BODY), secret=("whsec_new", SECRET)).response.status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[1]",
        call("checkout.session.completed", "pi_1"),
        call("checkout.session.completed", {"id": 5}),
        call("checkout.session.completed", {**SESSION, "amount_total": "59.80"}),
        call("checkout.session.completed", {**SESSION, "customer": {"id": {}}}),
        call("checkout.session.completed", {**SESSION, "client_reference_id": "x" * 1001}),
        call("customer.updated", {"id": "cus_1", "created": -5}),
        b'{"id": "evt_1", "type": "invoice.paid", "created": 1e300, "data": {"object": {"id": "in_1"}}}',
    ],
    ids=[
        "empty",
        "no event",
        "a list",
        "not expanded",
        "a number for an id",
        "a text for an amount",
        "an object for an id",
        "too long an id",
        "before 1970",
        "after 9999",
    ],
)
def test_a_signed_body_that_makes_no_sense_is_refused(body: bytes) -> None:
    answer = received(post(body), user_id="reference")
    assert (answer.response.status, answer.events) == (400, ())
    assert answer.rejections[0].raw == body


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from([*SESSION, *SUBSCRIPTION]), inner),
    max_leaves=10,
)


@given(
    st.sampled_from(["checkout.session.completed", "charge.refunded", "customer.updated", "invoice.paid"])
    | st.sampled_from(["created", "updated", "deleted"]).map("customer.subscription.{}".format),
    st.dictionaries(st.sampled_from([*SESSION, *SUBSCRIPTION, "amount_refunded", "email", "created"]), JSON),
    JSON,
)
def test_any_object_is_an_event_or_refused(kind: str, found: dict[str, Any], before: Any) -> None:
    answer = received(post(call(kind, {"id": "x_1", **found}, previous_attributes=before)))
    assert answer.response.status in (200, 400)
