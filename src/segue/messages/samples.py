"""What a customer and an event may look like: values of a likely length, for previews and for what is said of lengths.

Made of names and types alone, so that the same book always gives the same sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from segue.api import FieldType, Money
from segue.language import model as m

NOW: Final = "2026-12-24T09:30:00Z"
"""What stands for the moment of sending."""
CODE: Final = "SAMPLE-7KQ4M2"
"""What stands for a code of a pool: none is taken for a sample."""

_TEXTS: Final[Mapping[str, str]] = {
    "first_name": "Alexandra",
    "last_name": "Lindqvist",
    "name": "Alexandra Lindqvist",
    "email": "alexandra@example.com",
    "phone": "+358401234567",
    "city": "Helsinki",
    "country": "FI",
    "language": "en",
    "zone": "Europe/Helsinki",
    "currency": "EUR",
    "category": "Blankets",
    "brand": "Northwind",
    "variant": "Grey, 130 x 180",
    "coupon": CODE,
    "carrier": "Posti",
    "order_number": "#104217",
}
_NUMBERS: Final[Mapping[str, int]] = {"quantity": 2, "position": 1}
PRODUCTS: Final[tuple[dict[str, Any], ...]] = (
    {
        "product_id": "A-1042",
        "name": "Wool blanket",
        "quantity": 1,
        "price": "89.90",
        "url": "https://shop.example/products/wool-blanket",
        "image_url": "https://shop.example/pictures/wool-blanket.jpg",
    },
    {
        "product_id": "B-2210",
        "name": "Linen cushion",
        "quantity": 2,
        "price": "20.00",
        "url": "https://shop.example/products/linen-cushion",
        "image_url": "https://shop.example/pictures/linen-cushion.jpg",
    },
)
"""Lines of an order, and what may be recommended."""

_LISTS: Final[Mapping[str, tuple[Any, ...]]] = {
    "items": ("A-1042", "B-2210"),
    "products": PRODUCTS,
}


def sample_of(name: str, kind: FieldType) -> Any:
    """A likely value of a trait or field, as JSON has it."""
    match kind:
        case "text":
            return _TEXTS.get(name) or _text(name)
        case "number":
            return _NUMBERS.get(name, 12)
        case "money":
            return "129.90"
        case "boolean":
            return True
        case "date":
            return "2026-12-24"
        case "time":
            return "09:30"
        case _:
            return list(_LISTS.get(name, (f"{name} one", f"{name} two")))


def _text(name: str) -> str:
    last = name.rpartition("_")[2]
    if last in ("url", "link"):
        return f"https://shop.example/{name.replace('_', '-')}"
    if name == "image" or last == "picture":
        return "https://shop.example/picture.jpg"
    if last in ("id", "number", "sku", "token"):
        return f"{name.partition('_')[0].upper()[:8]}-104217"
    if last == "name":
        return "Wool blanket"
    return name.replace("_", " ").capitalize()


def samples_of(fields: Mapping[str, FieldType]) -> dict[str, Any]:
    """A likely value of each field or trait."""
    return {name: sample_of(name, kind) for name, kind in fields.items()}


def sample_given(name: str, value: m.Expression) -> Any:
    """What a rule may give a message by ``with``: a constant as it is, anything else by a likely value."""
    match value:
        case m.Literal_(value=Money() as money):
            return {"amount": str(money.amount), "currency": money.currency}
        case m.Literal_(value=m.Day(iso=iso)):
            return iso
        case m.Literal_(value=m.Clock(minute=minute)):
            return f"{minute // 60:02}:{minute % 60:02}"
        case m.Literal_(value=str() | bool() | int() as constant):
            return constant
        case m.Coupon():
            return CODE
        case m.Trait(name=of, type=kind) | m.TriggerField(name=of, type=kind) | m.EventField(name=of, type=kind):
            return sample_of(of, kind)
        case m.Aggregate(field=field, type=kind):
            return sample_of(field or name, kind)
        case m.Arithmetic():
            return 12
        case _:
            return sample_of(name, "text")
