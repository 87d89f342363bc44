"""What there is to buy in the demo's shop, and what somebody puts together of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import msgspec


class Product(msgspec.Struct, frozen=True):
    """Something the shop sells; the price is in EUR."""

    id: str
    name: str
    category: str
    price: Decimal

    def as_line(self, quantity: int) -> dict[str, Any]:
        """A line of a cart, or of an order."""
        return {"product_id": self.id, "name": self.name, "price": float(self.price), "quantity": quantity}

    @property
    def properties(self) -> dict[str, Any]:
        """The product, as the events that are about it carry it."""
        return {
            "product_id": self.id,
            "name": self.name,
            "category": self.category,
            "price": float(self.price),
            "currency": "EUR",
            "url": f"https://shop.example/{self.id}",
        }


class Cart(msgspec.Struct, frozen=True):
    """What somebody put together."""

    id: str
    lines: tuple[tuple[Product, int], ...]

    @property
    def total(self) -> Decimal:
        """What it costs, in EUR."""
        return sum((product.price * quantity for product, quantity in self.lines), Decimal())

    @property
    def properties(self) -> dict[str, Any]:
        """The cart, as the events of a purchase carry it."""
        products = [product.as_line(quantity) for product, quantity in self.lines]
        return {"cart_id": self.id, "total": float(self.total), "currency": "EUR", "products": products}


PRODUCTS: Final = tuple(
    Product(name.lower().replace(" ", "-"), name, category, Decimal(price))
    for name, category, price in (
        ("Linen shirt", "clothes", "49.00"),
        ("Wool socks", "clothes", "12.90"),
        ("Rain jacket", "clothes", "119.00"),
        ("Canvas sneakers", "clothes", "64.50"),
        ("Felt hat", "clothes", "38.00"),
        ("Enamel mug", "kitchen", "9.50"),
        ("Bread knife", "kitchen", "34.00"),
        ("Moka pot", "kitchen", "29.90"),
        ("Oak board", "kitchen", "42.00"),
        ("Tea towel", "kitchen", "8.40"),
        ("Espresso machine", "coffee machines", "289.00"),
        ("Filter machine", "coffee machines", "129.00"),
        ("Dark roast", "coffee", "11.90"),
        ("House blend", "coffee", "9.80"),
        ("Desk lamp", "home", "79.00"),
        ("Wool blanket", "home", "89.00"),
        ("Beeswax candle", "home", "14.20"),
        ("Wall clock", "home", "55.00"),
        ("Notebook", "paper", "6.80"),
        ("Fountain pen", "paper", "31.00"),
        ("Field guide", "paper", "24.00"),
    )
)
COFFEE: Final = tuple(product for product in PRODUCTS if product.category == "coffee")
