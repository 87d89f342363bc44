"""The words that Shopify brings beside those of every shop: what customers ask of their data."""

from __future__ import annotations

from segue.api import EventSpec, FieldSpec, Vocabulary

__all__ = ["PRIVACY"]

_SHOP = FieldSpec("shop_domain", "text", "The shop that was asked")

PRIVACY = Vocabulary(
    events=(
        EventSpec("customer_redact", (_SHOP,), (), "The shop has to erase what it knows of the customer"),
        EventSpec("data_request", (_SHOP,), (), "The customer asked what the shop knows of them"),
    )
)
"""Beside `segue.api.shop.SHOP`."""
