"""WooCommerce's webhooks as a source: orders, payments, refunds, customers."""

from __future__ import annotations

from collections.abc import Sequence

from segue.api import SourceSpec, Vocabulary, plugin
from segue.api.shop import SHOP
from segue_woocommerce.source import LARGEST, ROUTE, Config, WooCommerceSource

__all__ = ["WOOCOMMERCE", "Config", "WooCommerceSource", "segue_sources", "segue_vocabulary"]

WOOCOMMERCE = SourceSpec(
    name="woocommerce",
    doc="WooCommerce's webhooks: orders, payments, refunds, customers",
    config=Config,
    open=WooCommerceSource,
    routes=(ROUTE,),
    body=LARGEST,
    carts=True,
)


@plugin
def segue_sources() -> Sequence[SourceSpec]:
    return [WOOCOMMERCE]


@plugin
def segue_vocabulary() -> Sequence[Vocabulary]:
    return [SHOP]
