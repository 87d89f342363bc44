"""Stripe's webhooks as a source: payments, checkouts, refunds, invoices, customers and subscriptions."""

from __future__ import annotations

from collections.abc import Sequence

from segue.api import SourceSpec, Vocabulary, plugin
from segue.api.shop import SHOP
from segue_stripe.source import ROUTE, Config, StripeSource
from segue_stripe.words import SUBSCRIPTIONS

__all__ = ["STRIPE", "Config", "StripeSource", "segue_sources", "segue_vocabulary"]

STRIPE = SourceSpec(
    name="stripe",
    doc="Stripe's webhooks: payments, checkouts, refunds, invoices, customers and subscriptions",
    config=Config,
    open=StripeSource,
    routes=(ROUTE,),
)


@plugin
def segue_sources() -> Sequence[SourceSpec]:
    return [STRIPE]


@plugin
def segue_vocabulary() -> Sequence[Vocabulary]:
    return [SHOP, SUBSCRIPTIONS]
