"""Which values go together, and what comes of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

import msgspec

from segue.api import FieldType, Money
from segue.language import model

Type = FieldType | Literal["period", "weekday"]

ORDERED: Final[frozenset[Type]] = frozenset(("number", "money", "date", "time", "period", "weekday"))
"""Types with a before and after."""

CALLED: Final[dict[Type, str]] = {
    "text": "text",
    "number": "a number",
    "money": "money",
    "boolean": "a yes or no",
    "date": "a date",
    "time": "a clock time",
    "list": "a list",
    "period": "a duration",
    "weekday": "a weekday",
}
"""The types as a marketer would say them."""


class Typed(msgspec.Struct, frozen=True):
    """An expression and its type."""

    node: model.Expression
    type: Type


def boolean(node: model.Expression) -> Typed:
    """A test, which holds or does not."""
    return Typed(node, "boolean")


def as_type(value: Typed, wanted: Type, currency: str) -> Typed:
    """The value as ``wanted`` where that is only a matter of writing: a bare number used as money."""
    literal = value.node
    if (
        wanted == "money"
        and value.type == "number"
        and isinstance(literal, model.Literal_)
        and isinstance(literal.value, int | Decimal)
    ):
        return Typed(model.Literal_(Money(Decimal(literal.value), currency)), "money")
    return value


def together(left: Typed, right: Typed, currency: str) -> tuple[Typed, Typed] | None:
    """Both as one type, None when they have none in common."""
    left, right = as_type(left, right.type, currency), as_type(right, left.type, currency)
    return (left, right) if left.type == right.type else None


def calculate(op: Literal["+", "-", "*", "/"], left: Typed, right: Typed, currency: str) -> Typed | None:
    """What an operation gives, None when it has no meaning."""
    if op in "+-":
        pair = together(left, right, currency)
        if pair:
            left, right = pair
    result = _RESULTS.get((left.type, op, right.type))
    return Typed(model.Arithmetic(op, left.node, right.node), result) if result else None


_RESULTS: Final[dict[tuple[Type, str, Type], Type]] = {
    **{("number", op, "number"): "number" for op in "+-*/"},
    ("money", "+", "money"): "money",
    ("money", "-", "money"): "money",
    ("money", "*", "number"): "money",
    ("number", "*", "money"): "money",
    ("money", "/", "number"): "money",
    ("money", "/", "money"): "number",
    ("date", "+", "period"): "date",
    ("period", "+", "date"): "date",
    ("date", "-", "period"): "date",
    ("date", "-", "date"): "period",
    ("number", "*", "period"): "period",
    ("period", "*", "number"): "period",
}


def currency_of(node: model.Expression) -> str | None:
    """The currency of a written amount."""
    if isinstance(node, model.Literal_) and isinstance(node.value, Money):
        return node.value.currency
    return None
