"""One rule book over one story, told by each source in its own words: the decisions are the same."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec
import pytest

from segue.api import Instant, Request, Sent, Source, SourceTools, to_rfc3339
from segue.api.mapping import Mapping
from segue.api.shop import SHOP
from segue.api.values import DAY, HOUR, MINUTE, SECOND
from segue.messages.catalogue import Catalogue
from segue.runtime.dispatch import Outcome, claim, settle
from segue.runtime.erasing import go_on
from segue.runtime.ingest import ingest
from segue.runtime.running import DecisionLine
from segue.store import erasures
from segue.store.database import Store
from segue_segment import SEGMENT
from segue_segment import Config as SegmentConfig
from segue_shopify import Config as ShopifyConfig
from segue_shopify import ShopifySource
from segue_shopify.words import PRIVACY
from segue_stripe import Config as StripeConfig
from segue_stripe import StripeSource
from segue_webhooks import Config as WebhooksConfig
from segue_webhooks import WebhookSource
from segue_woocommerce import Config as WooCommerceConfig
from segue_woocommerce import WooCommerceSource
from tests.engine.stage import put, setting
from tests.language.words import WORDS
from tests.runtime.rulebook import T0, book_of, pass_all_time

ANN = "ann@example.com"
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
LEFT, ABANDONED, BOUGHT, BACK = T0, T0 + HOUR, T0 + HOUR + 30 * MINUTE, T0 + 3 * DAY
"""The cart is left behind, counts as abandoned, is bought after all, and three days later the money goes back."""

RULES = """
rule cart
  when cart_abandoned where total > 50
  wait 1h unless ordered
  send email "Your cart is waiting"

rule thanks
  when ordered where total > 50 and "X1" in items
  send email "Thank you"
  wait 14d unless order_refunded
  send email "How do you like it"

rule refill
  when item_ordered where product_id = "X1" and quantity > 1
  wait 1d
  send email "Again"

rule money_back
  when order_refunded where total > 50
  send email "Your money is on its way"
"""


def moment(at: int) -> str:
    return to_rfc3339(Instant(at))


def post(source: str, body: object, headers: dict[str, str], path: str = "") -> Request:
    return Request("POST", path or f"/hooks/{source}", headers, {}, json.dumps(body).encode())


def in_base64(body: object, header: str, topic: str, name: str) -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), json.dumps(body).encode(), hashlib.sha256).digest()
    return {header: base64.b64encode(digest).decode(), topic: name}


# Each tells the story as (when it arrives, the request).
Told = Iterator[tuple[int, Request]]


def by_segment() -> Told:
    def track(event: str, at: int, **fields: Any) -> Request:
        call = {
            "event": event,
            "userId": ANN,
            "context": {"traits": {"email": ANN}},
            "timestamp": moment(at),
            "messageId": event,
            "properties": fields,
        }
        return post("segment", call, {}, "/v1/track")

    products = [{"product_id": "X1", "price": 29.9, "quantity": 2}]
    yield ABANDONED, track("Cart Abandoned", ABANDONED, cart_id="c1", total=59.8, products=products)
    yield BOUGHT, track("Order Completed", BOUGHT, order_id="1", total=59.8, products=products)
    yield BACK, track("Order Refunded", BACK, order_id="1", total=59.8)


def by_shopify() -> Told:
    def call(topic: str, body: object) -> Request:
        return post("shopify", body, in_base64(body, "x-shopify-hmac-sha256", "x-shopify-topic", topic))

    lines = [{"product_id": "X1", "price": "29.90", "quantity": 2}]
    person = {"email": ANN, "customer": {"id": 6501, "email": ANN}, "currency": "EUR", "total_price": "59.80"}
    cart = {**person, "token": "k", "cart_token": "c1", "line_items": lines, "created_at": moment(LEFT)}
    order = {**person, "id": 1, "cart_token": "c1", "line_items": lines, "created_at": moment(BOUGHT)}
    refund = {"id": 9, "order_id": 1, "created_at": moment(BACK)}
    refund["transactions"] = [{"kind": "refund", "status": "success", "amount": "59.80", "currency": "EUR"}]
    yield LEFT, call("carts/create", {"token": "c1", "line_items": lines, "created_at": moment(LEFT)})
    yield LEFT, call("checkouts/create", cart)
    yield BOUGHT, call("orders/create", order)
    yield BACK, call("orders/updated", {**order, "updated_at": moment(BACK), "refunds": [refund]})


def by_woocommerce() -> Told:
    def call(at: int, status: str, **more: Any) -> Request:
        body = {
            "id": 1,
            "status": status,
            "currency": "EUR",
            "total": "59.80",
            "customer_id": 26,
            "date_created_gmt": moment(LEFT if status == "pending" else BOUGHT).removesuffix("Z"),
            "date_modified_gmt": moment(at).removesuffix("Z"),
            "billing": {"email": ANN},
            "line_items": [{"product_id": "X1", "price": 29.9, "quantity": 2}],
            **more,
        }
        return post(
            "woocommerce", body, in_base64(body, "x-wc-webhook-signature", "x-wc-webhook-topic", "order.updated")
        )

    yield LEFT, call(LEFT, "pending")
    yield BOUGHT, call(BOUGHT, "processing")
    yield BACK, call(BACK, "processing", refunds=[{"id": 9, "total": "-59.80"}])


def by_stripe() -> Told:
    def call(kind: str, at: int, thing: dict[str, Any]) -> Request:
        seconds = at // SECOND
        body = {"id": f"evt_{kind}", "type": kind, "created": seconds, "data": {"object": thing}}
        signed = f"{seconds}.".encode() + json.dumps(body).encode()
        mark = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        return post("stripe", body, {"stripe-signature": f"t={seconds},v1={mark}"})

    line = {"quantity": 2, "price": {"product": "X1", "unit_amount": 2990}}
    session = {
        "id": "cs_1",
        "currency": "eur",
        "amount_total": 5980,
        "payment_intent": "pi_1",
        "customer_details": {"email": ANN},
        "line_items": {"data": [line]},
    }
    charge = {"id": "ch_1", "payment_intent": "pi_1", "currency": "eur", "amount_refunded": 5980}
    yield ABANDONED, call("checkout.session.expired", ABANDONED, session)
    yield BOUGHT, call("checkout.session.completed", BOUGHT, session)
    yield BACK, call("charge.refunded", BACK, {**charge, "billing_details": {"email": ANN}})


def by_webhooks() -> Told:
    def call(kind: str, at: int) -> Request:
        receipt = {"number": 1, "cents": 5980, "lines": [{"article": "X1", "cents": 2990, "pieces": 2}]}
        body = {"type": kind, "at": moment(at), "mail": ANN, "receipt": receipt}
        key, seconds = base64.b64decode(SECRET.removeprefix("whsec_")), at // SECOND
        signed = f"{kind}.{seconds}.".encode() + json.dumps(body).encode()
        mark = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        headers = {"webhook-id": kind, "webhook-timestamp": str(seconds), "webhook-signature": f"v1,{mark}"}
        return post("webhooks", body, headers)

    yield ABANDONED, call("cart.left", ABANDONED)
    yield BOUGHT, call("sale.done", BOUGHT)
    yield BACK, call("sale.undone", BACK)


MAPPING = Mapping(
    event="$.type",
    names={"cart.left": "cart_abandoned", "sale.done": "ordered", "sale.undone": "order_refunded"},
    time="$.at",
    user="$.mail",
    fields={"order_id": "$.receipt.number | text", "total": "$.receipt.cents | hundredths"},
    lines={"each": "$.receipt.lines", "product_id": "$.article", "quantity": "$.pieces"},
    traits={"email": "$.mail"},
)
TOOLS = SourceTools(source="shop")
STORIES: dict[str, tuple[Source, Any]] = {
    "segment": (SEGMENT.open(SegmentConfig(), TOOLS), by_segment),
    "shopify": (ShopifySource(ShopifyConfig(SECRET, "email"), TOOLS), by_shopify),
    "woocommerce": (WooCommerceSource(WooCommerceConfig(SECRET, "email"), TOOLS), by_woocommerce),
    "stripe": (StripeSource(StripeConfig(SECRET, "email"), TOOLS), by_stripe),
    "webhooks": (WebhookSource(WebhooksConfig(secret=SECRET, map=MAPPING), TOOLS), by_webhooks),
}
REPORTS_CHANGES_ONLY = ("shopify", "woocommerce")
SHOP_WORDS = msgspec.structs.replace(WORDS, vocabularies=(("shop", SHOP), ("shopify", PRIVACY)))


class Shop:
    """A store in which one source's story happens; ``lines`` are the decisions."""

    def __init__(self, source: Source, *, carts: bool = False) -> None:
        self.store = Store(None)
        running = put(self.store, book_of(RULES, SHOP_WORDS), setting(), T0)
        self.running = msgspec.structs.replace(running, carts={"shop": HOUR} if carts else {})
        self.source = source
        self.lines: list[DecisionLine] = []
        self.now = T0

    def until(self, moment: int) -> None:
        """Time passes, hour by hour, and what is to be sent is sent."""
        while self.now < moment:
            self.now = Instant(min(self.now + HOUR, moment))
            self.lines += pass_all_time(self.store, self.running, self.now)
            look = partial(claim, running=self.running, content=Catalogue(), channel="email", now=self.now, limit=10)
            found = self.store.apply(look)
            outcomes = [Outcome(one.row, Sent(""), False) for one in found.claims]
            settled = self.store.apply(partial(settle, running=self.running, outcomes=outcomes, now=self.now))
            self.lines += (*found.done.lines, *settled.lines)

    def receive(self, request: Request) -> None:
        """A call, made twice: whoever hears no answer calls again."""
        answer = self.source.receive(request, self.now)
        assert answer.response.status == 200, answer.response.body
        for _ in range(2):
            taken = self.store.apply(partial(ingest, running=self.running, events=answer.events, now=self.now))
            self.lines += taken.done.lines


@pytest.mark.parametrize("name", STORIES)
def test_the_same_rules_over_the_same_story_decide_the_same(name: str) -> None:
    source, tell = STORIES[name]
    shop = Shop(source, carts=name in REPORTS_CHANGES_ONLY)
    for at, request in tell():
        shop.until(at)
        shop.receive(request)
    shop.until(T0 + 4 * DAY)
    assert {line.customer for line in shop.lines} == {ANN}
    found = sorted((line.at - T0, line.rule, line.decision) for line in shop.lines)
    assert found == sorted(
        [
            (ABANDONED - T0, "cart", "entered"),
            (BOUGHT - T0, "cart", "exited"),
            (BOUGHT - T0, "refill", "entered"),
            (BOUGHT - T0, "thanks", "entered"),
            (BOUGHT - T0 + HOUR, "thanks", "sent"),
            (BOUGHT - T0 + DAY, "refill", "sent"),
            (BOUGHT - T0 + DAY, "refill", "finished"),
            (BACK - T0, "thanks", "exited"),
            (BACK - T0, "money_back", "entered"),
            (BACK - T0 + HOUR, "money_back", "sent"),
            (BACK - T0 + HOUR, "money_back", "finished"),
        ]
    )


def test_whom_shopify_has_to_forget_is_erased() -> None:
    source, tell = STORIES["shopify"]
    shop = Shop(source)
    shop.running = msgspec.structs.replace(shop.running, erase_on=frozenset({"customer_redact"}))
    for at, request in tell():
        shop.until(at)
        shop.receive(request)
    body = {"shop_domain": "x.myshopify.com", "customer": {"id": 6501, "email": ANN}}
    shop.receive(post("shopify", body, in_base64(body, "x-shopify-hmac-sha256", "x-shopify-topic", "customers/redact")))
    open_ones = shop.store.apply(erasures.load_open)
    assert [one.who for one in open_ones] == ["customer_redact from shop"]
    for one in open_ones:
        while shop.store.apply(partial(go_on, number=one.number, now=shop.now)):
            pass
    assert shop.store.apply(lambda tx: tx.rows("select count(*) from customer where key like '%ann%'")) == [(0,)]
    assert shop.store.apply(lambda tx: tx.rows("select count(*) from event where customer is not null")) == [(0,)]
