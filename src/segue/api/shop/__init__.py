"""The shop's common words: what every source of a shop maps to, so that one rule works over any of them."""

from __future__ import annotations

from segue.api.shop.vocabulary import SHOP

__all__ = ["SHOP"]
