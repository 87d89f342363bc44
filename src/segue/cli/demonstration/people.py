"""Who shops in the demo, and what there is to buy. All addresses and numbers are reserved for examples.

Sources: RFC 2606 for example.com, the North American Numbering Plan for 555-0100 to 555-0199.
"""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any, Final

import msgspec

_NAMES: Final = (
    *("Aino", "Alba", "Amélie", "Ann", "Anton", "Asta", "Ben", "Bruno", "Carla", "Chiara", "Clara", "Daan", "Diego"),
    *("Ebba", "Eero", "Elif", "Elsa", "Emil", "Enzo", "Eva", "Felix", "Finn", "Freya", "Greta", "Hanna", "Hugo"),
    *("Ida", "Ines", "Iris", "Jakob", "Jana", "João", "Jonas", "Julia", "Kaisa", "Lars", "Laura", "Lea", "Leon"),
    *("Lina", "Lotte", "Lucas", "Luis", "Maja", "Marek", "Maria", "Marta", "Matteo", "Mila", "Nils", "Nina", "Noor"),
    *("Olga", "Oskar", "Paul", "Petra", "Rosa", "Sara", "Sofia", "Søren", "Tereza", "Tomás", "Vera", "Wim", "Zoé"),
)
_PLACES: Final = (
    ("DE", "Europe/Berlin"),
    ("FI", "Europe/Helsinki"),
    ("FR", "Europe/Paris"),
    ("ES", "Europe/Madrid"),
    ("NL", "Europe/Amsterdam"),
    ("PT", "Europe/Lisbon"),
    ("IE", "Europe/Dublin"),
    ("SE", "Europe/Stockholm"),
)
_PLAIN: Final = str.maketrans("éãøá", "eaoa")


class Customer(msgspec.Struct, frozen=True):
    """One customer of the shop. ``phone`` is None for those who did not give it."""

    id: str
    first_name: str
    email: str
    phone: str | None
    country: str
    timezone: str

    @property
    def traits(self) -> dict[str, Any]:
        """What the shop knows, as an identify call carries it."""
        known: dict[str, Any] = {
            "first_name": self.first_name,
            "email": self.email,
            "country": self.country,
            "timezone": self.timezone,
        }
        return known if self.phone is None else {**known, "phone": self.phone}


def make_customer(random: Random, number: int) -> Customer:
    """The customer of that number, by chance; two in three give a phone number."""
    first_name = random.choice(_NAMES)
    country, timezone = random.choice(_PLACES)
    plain = f"{first_name.lower().translate(_PLAIN)}{number}"
    line, area = number % 100, 201 + number // 100 % 700
    phone = f"+1{area}55501{line:02}" if random.random() < 2 / 3 else None
    return Customer(plain, first_name, f"{plain}@example.com", phone, country, timezone)


class Product(msgspec.Struct, frozen=True):
    """Something the shop sells; the price is in EUR."""

    id: str
    name: str
    category: str
    price: Decimal

    def as_line(self, quantity: int) -> dict[str, Any]:
        """A line of a cart, or of an order."""
        return {"product_id": self.id, "name": self.name, "price": float(self.price), "quantity": quantity}


PRODUCTS: Final = tuple(
    Product(name.lower().replace(" ", "-"), name, category, Decimal(price))
    for name, category, price in (
        ("Linen shirt", "Clothes", "49.00"),
        ("Wool socks", "Clothes", "12.90"),
        ("Rain jacket", "Clothes", "119.00"),
        ("Canvas sneakers", "Clothes", "64.50"),
        ("Felt hat", "Clothes", "38.00"),
        ("Enamel mug", "Kitchen", "9.50"),
        ("Bread knife", "Kitchen", "34.00"),
        ("Moka pot", "Kitchen", "29.90"),
        ("Oak board", "Kitchen", "42.00"),
        ("Tea towel", "Kitchen", "8.40"),
        ("Desk lamp", "Home", "79.00"),
        ("Wool blanket", "Home", "89.00"),
        ("Beeswax candle", "Home", "14.20"),
        ("Wall clock", "Home", "55.00"),
        ("Notebook", "Paper", "6.80"),
        ("Fountain pen", "Paper", "31.00"),
        ("Field guide", "Paper", "24.00"),
    )
)
