"""The shop's common words, what every source of a shop maps to so that one rule works over any of them, and the lines
of an order."""

from __future__ import annotations

from segue.api.shop.orders import MOST_LINES, item_ids, order_lines, with_lines
from segue.api.shop.vocabulary import SHOP

__all__ = ["MOST_LINES", "SHOP", "item_ids", "order_lines", "with_lines"]
