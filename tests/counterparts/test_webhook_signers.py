"""Who signs webhooks, against ours who check: PyPI and npm stripe and standardwebhooks, npm @shopify/shopify-api."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe
from standardwebhooks.webhooks import Webhook

from segue.api import Instant, Request, Source, SourceTools
from segue.api.mapping import Mapping
from segue_shopify import Config as ShopifyConfig
from segue_shopify import ShopifySource
from segue_stripe import Config as StripeConfig
from segue_stripe import StripeSource
from segue_webhooks import Config as WebhooksConfig
from segue_webhooks import WebhookSource
from tests.counterparts import npm
from tests.counterparts.missing import reported_when_missing

AT = 1_790_000_000
NOW = Instant(AT * 1_000_000)
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
# One body that is something to all three: an order of Shopify, an event of Stripe, and any tool's.
BODY = json.dumps(
    {
        "id": "evt_1",
        "created_at": "2026-09-21T14:00:00Z",
        "created": AT,
        "type": "payment_intent.succeeded",
        "data": {"object": {"id": "pi_1", "amount_received": 5980, "currency": "eur", "title": "ä 😀"}},
    },
    ensure_ascii=False,
)

NODE = r"""
const { secret, payload, at } = JSON.parse(process.argv[2])
async function main() {
  const stripe = new (require('stripe'))('sk_test_none')
  const { Webhook } = require('standardwebhooks')
  require('@shopify/shopify-api/adapters/node')
  const { shopifyApi, ApiVersion } = require('@shopify/shopify-api')
  const { createSHA256HMAC } = require('@shopify/shopify-api/runtime')
  const shop = shopifyApi({ apiKey: 'key', apiSecretKey: secret, hostName: 'shop.example', isEmbeddedApp: false,
    apiVersion: Object.values(ApiVersion)[0], scopes: [], logger: { log: () => {} } })
  const hmac = await createSHA256HMAC(secret, payload)
  const headers = { 'x-shopify-topic': 'orders/create', 'x-shopify-hmac-sha256': hmac,
    'x-shopify-api-version': '2025-01', 'x-shopify-shop-domain': 'x.myshopify.com', 'x-shopify-webhook-id': '1' }
  const found = await shop.webhooks.validate({ rawBody: payload, rawResponse: {},
    rawRequest: { method: 'POST', url: '/', headers } })
  process.stdout.write(JSON.stringify({
    stripe: { 'stripe-signature': stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: at }) },
    webhooks: { 'webhook-id': 'msg_1', 'webhook-timestamp': String(at),
      'webhook-signature': new Webhook(secret).sign('msg_1', new Date(at * 1000), payload) },
    shopify: headers,
    'taken for its own by Shopify': found.valid,
  }))
}
main()
"""


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The headers with which each package of npm signs the body."""
    with reported_when_missing():
        packages = ("stripe", "standardwebhooks", "@shopify/shopify-api")
        folder = npm.install(tmp_path_factory.mktemp("signers"), NODE, *packages)
    found: dict[str, Any] = npm.run(folder, json.dumps({"secret": SECRET, "payload": BODY, "at": AT}))
    return found


def sources() -> dict[str, Source]:
    tools = SourceTools(source="shop")
    return {
        "stripe": StripeSource(StripeConfig(SECRET), tools),
        "shopify": ShopifySource(ShopifyConfig(SECRET), tools),
        "webhooks": WebhookSource(WebhooksConfig(secret=SECRET, map=Mapping(event="$.type")), tools),
    }


def status(source: Source, headers: dict[str, str], body: str = BODY, now: int = NOW) -> int:
    answer = source.receive(Request("POST", "/hooks/shop", headers, {}, body.encode()), Instant(now))
    assert bool(answer.events) == (answer.response.status == 200)
    return answer.response.status


@pytest.mark.parametrize("name", ["stripe", "shopify", "webhooks"])
def test_what_its_own_package_signs_is_taken_and_nothing_else(signed: dict[str, Any], name: str) -> None:
    source, headers = sources()[name], signed[name]
    assert status(source, headers) == 200
    assert status(source, headers, BODY + " ") == 401
    others = [one for one in ("stripe", "shopify", "webhooks") if one != name]
    assert [status(source, signed[one]) for one in others] == [401, 401]


def test_shopify_s_package_takes_the_same_signature_for_its_own(signed: dict[str, Any]) -> None:
    assert signed["taken for its own by Shopify"] is True


@pytest.mark.parametrize("name", ["stripe", "webhooks"])
def test_a_call_that_was_caught_is_of_no_use_five_minutes_later(signed: dict[str, Any], name: str) -> None:
    seconds = [-301, -299, 299, 301]
    found = [status(sources()[name], signed[name], now=NOW + one * 1_000_000) for one in seconds]
    assert found == [401, 200, 200, 401]


def test_the_python_package_of_standard_webhooks_signs_as_we_check() -> None:
    webhook = Webhook(SECRET)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(AT),
        "webhook-signature": webhook.sign("msg_1", datetime.fromtimestamp(AT, UTC), BODY),
    }
    assert status(sources()["webhooks"], headers) == 200


def test_the_python_package_of_stripe_finds_the_same_signature(signed: dict[str, Any]) -> None:
    header = signed["stripe"]["stripe-signature"]
    assert stripe.WebhookSignature.verify_header(BODY, header, SECRET, None)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(BODY + " ", header, SECRET, None)
