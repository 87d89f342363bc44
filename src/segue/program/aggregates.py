"""Aggregates over past events, as values that can be kept: what is asked, and the figures of a stretch of time.

A `Bucket` holds what the events of a stretch come to, and buckets of separate stretches together give what all of
their events would: a window is answered from whole buckets and a few events at its edges. Sums are exact; what a rule
sees is rounded once, to 28 digits, in whatever parts the events were added up.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal
from functools import reduce
from hashlib import blake2b
from typing import Any, Final, Literal

import msgspec

from segue.api import FieldType, Instant, Money, Period
from segue.language import model as m
from segue.program.codec import encode_node

Function = Literal["count", "sum", "average", "min", "max", "first", "last"]

_MEANING: Final = "1"
"""Changes when what is kept of the same words does, so that all is counted anew."""

_EXACT: Final = Context(prec=200)
"""Wide enough for the sum of any number of values: each has at most 30 digits before the point and 60 behind it."""
_ROUNDED: Final = Context(prec=28)


class Definition(msgspec.Struct, frozen=True):
    """What is asked of past events by any function over any window: which of them count, and the field it is about
    (None: only how many)."""

    event: str
    where: m.Expression | None = None
    field: str | None = None
    type: FieldType = "number"

    def digest(self, currency: str) -> str:
        """A hash of the meaning. An amount without a currency is one of the project's."""
        node = m.Aggregate("last", self.event, self.field, self.type, m.Window("ever"), self.where)
        digest = blake2b(f"{_MEANING} {currency} ".encode(), digest_size=16)
        digest.update(encode_node(node, meaning=True))
        return digest.hexdigest()


def definition_of(node: m.Happened | m.Aggregate) -> Definition | None:
    """What would have to be kept to answer this; None where that cannot be. Kept is what hangs on nothing but each
    event's own fields: not on the customer (as a plain date does, by their zone), the moment, or the journey."""
    if node.window.since == "entry" or not _only_fields(node.where):
        return None
    if isinstance(node, m.Happened) or node.field is None:
        return Definition(node.event, node.where)
    if node.type == "list" or (node.type == "date" and node.field != "timestamp"):
        return None
    return Definition(node.event, node.where, node.field, node.type)


def _only_fields(where: m.Expression | None) -> bool:
    match where:
        case None:
            return True
        case m.Literal_(value=value):
            return not isinstance(value, m.Day | Period)
        case m.EventField(type=kind):
            return kind != "date"
        case m.Compare(left=left, right=right) | m.Arithmetic(left=left, right=right):
            return _only_fields(left) and _only_fields(right)
        case m.Between(value=value, low=low, high=high):
            return all(map(_only_fields, (value, low, high)))
        case m.OneOf(value=value, among=among):
            return all(map(_only_fields, (value, *among)))
        case m.Contains(value=value, list=among):
            return _only_fields(value) and _only_fields(among)
        case m.Present(value=value) | m.Not(value=value):
            return _only_fields(value)
        case m.All(parts=parts) | m.Any_(parts=parts):
            return all(map(_only_fields, parts))
        case _:
            return False


def looks_back(value: Any) -> Iterable[m.Happened | m.Aggregate]:
    """Every look into history within a rule, a segment or an expression."""
    if isinstance(value, m.Happened | m.Aggregate):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from looks_back(getattr(value, name))
    elif isinstance(value, tuple):
        for part in value:
            yield from looks_back(part)


# Values that add up or have an order


def amount_of(value: Any) -> tuple[str, Decimal]:
    """A value as a number of something: of a currency, or of nothing (``""``)."""
    match value:
        case Money(amount=amount, currency=currency):
            return currency, amount
        case m.Clock(minute=minute):
            return "", Decimal(minute)
        case Decimal():
            return "", value
        case _:
            return "", Decimal(int(value))


def value_of(unit: str, amount: Decimal, kind: FieldType) -> Any:
    """The value that `amount_of` took apart."""
    match kind:
        case "money":
            return Money(amount, unit)
        case "time":
            return m.Clock(int(amount))
        case "date":
            return Instant(int(amount))
        case _:
            return amount


def add_up(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum of some numbers, at least one; the order in which they come changes nothing."""
    return reduce(_EXACT.add, amounts)


def round_off(amount: Decimal) -> Decimal:
    """A sum as rules see it."""
    return _ROUNDED.plus(amount)


def lesser(one: Decimal, other: Decimal) -> Decimal:
    """The smaller of two. Of equal ones the same one in any order: that with more digits behind the point."""
    return one if one.compare_total(other) < 0 else other


def greater(one: Decimal, other: Decimal) -> Decimal:
    """The greater of two. Of equal ones the same one in any order: that with fewer digits behind the point."""
    return one if one.compare_total(other) > 0 else other


# Buckets


class Sums(msgspec.Struct, array_like=True):
    """Of the numbers, or of the amounts in one currency: how many, their exact sum, the least and the greatest."""

    n: int
    total: Decimal
    least: Decimal
    greatest: Decimal


class Edge(msgspec.Struct, frozen=True, array_like=True):
    """A value of an event: when that happened, its place in the order of arrival, and what the value is."""

    at: int
    order: int
    value: Any


class Bucket(msgspec.Struct):
    """What the events of a stretch of time come to: how many there are, when the earliest and the latest of them
    happened, and, of those that have the field, sums by currency, and the first and the last value."""

    n: int = 0
    earliest: int = 0
    latest: int = 0
    sums: dict[str, Sums] = {}
    first: Edge | None = None
    last: Edge | None = None

    def count(self, at: int) -> None:
        """One event more."""
        if not self.n or at < self.earliest:
            self.earliest = at
        if not self.n or at > self.latest:
            self.latest = at
        self.n += 1

    def add(self, at: int, order: int, value: Any, kind: FieldType) -> None:
        """The value of an event that was counted."""
        place = (at, order)
        if self.first is None or place < (self.first.at, self.first.order):
            self.first = Edge(at, order, _freeze(value))
        if self.last is None or place > (self.last.at, self.last.order):
            self.last = Edge(at, order, _freeze(value))
        if kind in ("text", "boolean"):
            return
        unit, amount = amount_of(value)
        known = self.sums.get(unit)
        if known is None:
            self.sums[unit] = Sums(1, amount, amount, amount)
            return
        known.n += 1
        known.total = _EXACT.add(known.total, amount)
        known.least = lesser(known.least, amount)
        known.greatest = greater(known.greatest, amount)


def answer(function: Function, kind: FieldType, parts: Iterable[Bucket], currency: str) -> Any:
    """What a function gives over the events of separate stretches of time."""
    if function == "count":
        return Decimal(sum(part.n for part in parts))
    if function in ("first", "last"):
        edges = [edge for part in parts if (edge := part.first if function == "first" else part.last) is not None]
        if not edges:
            return None
        choose = min if function == "first" else max
        return _thaw(choose(edges, key=lambda edge: (edge.at, edge.order)).value, kind)
    sums = [(unit, one) for part in parts for unit, one in part.sums.items()]
    units = {unit for unit, _ in sums}
    match function:
        case "min":
            return of_one_unit(units, kind, (one.least for _, one in sums), function, currency)
        case "max":
            return of_one_unit(units, kind, (one.greatest for _, one in sums), function, currency)
        case _:
            n = sum(one.n for _, one in sums)
            return of_one_unit(units, kind, (one.total for _, one in sums), function, currency, n)


def of_one_unit(
    units: set[str], kind: FieldType, amounts: Iterable[Decimal], function: Function, currency: str, n: int = 0
) -> Any:
    """``sum``, ``average`` (of ``n`` values), ``min`` or ``max`` of amounts, or of such results for parts of them;
    missing where they are of several currencies, which never compare or add."""
    if not units:  # who bought nothing spent nothing
        return value_of(currency, Decimal(0), kind) if function == "sum" else None
    if len(units) > 1:
        return None
    (unit,) = units
    match function:
        case "min":
            return value_of(unit, reduce(lesser, amounts), kind)
        case "max":
            return value_of(unit, reduce(greater, amounts), kind)
        case "average":
            return value_of(unit, _ROUNDED.divide(round_off(add_up(amounts)), Decimal(n)), kind)
        case _:
            return value_of(unit, round_off(add_up(amounts)), kind)


def _freeze(value: Any) -> Any:
    match value:
        case Money(amount=amount, currency=currency):
            return [str(amount), currency]
        case Decimal():
            return str(value)
        case m.Clock(minute=minute):
            return minute
        case _:
            return value


def _thaw(value: Any, kind: FieldType) -> Any:
    match kind:
        case "money":
            return Money(Decimal(value[0]), value[1])
        case "number":
            return Decimal(value)
        case "time":
            return m.Clock(value)
        case _:
            return value
