"""Shopify's webhooks as a source: orders, refunds, deliveries, carts, checkouts, customers and their consent."""

from __future__ import annotations

from collections.abc import Sequence

from segue.api import SourceSpec, Vocabulary, plugin
from segue.api.shop import SHOP
from segue_shopify.source import LARGEST, ROUTE, Config, ShopifySource
from segue_shopify.words import PRIVACY

__all__ = ["SHOPIFY", "Config", "ShopifySource", "segue_sources", "segue_vocabulary"]

SHOPIFY = SourceSpec(
    name="shopify",
    doc="Shopify's webhooks: orders, refunds, deliveries, carts, checkouts, customers and their consent",
    config=Config,
    open=ShopifySource,
    routes=(ROUTE,),
    body=LARGEST,
    carts=True,
)


@plugin
def segue_sources() -> Sequence[SourceSpec]:
    return [SHOPIFY]


@plugin
def segue_vocabulary() -> Sequence[Vocabulary]:
    return [SHOP, PRIVACY]
