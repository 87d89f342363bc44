"""Queries for conversions: orders with what was paid back of them, and goals that were met."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from decimal import Decimal
from hashlib import blake2b
from math import nan
from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.measure.touchpoints.columns import Conversions
from segue.measure.touchpoints.orders import Told, refund_goals, settle
from segue.program.values import read_money
from segue.store.results import Look, Tell, last_before, last_row
from segue.store.touchpoints import PIECE

REFUNDED: Final = "order_refunded"
CANCELLED: Final = "order_cancelled"
MOST_CURRENCIES: Final = 50
"""Currencies that are told apart: their names come from outside. Orders in further ones count as unpriced."""
_EVENTS: Final = (
    "select customer, at, id, name, fields from event where id > ? and id <= ? and at >= ? "
    "and name in (select value from json_each(?))"
)


class _Order(msgspec.Struct):
    order_id: Any = None
    total: Any = None
    revenue: Any = None
    value: Any = None
    amount: Any = None
    refund: Any = None
    refund_id: Any = None
    currency: Any = None


_decode: Final = msgspec.json.Decoder(_Order).decode


def read_orders(
    look: Look, since: Instant, until: Instant, names: tuple[str, ...], currency: str, tell: Tell
) -> Conversions:
    """The orders of a stretch of time, by events of these ``names``, less all refunds that are known by now, and
    without those that were cancelled. ``currency`` is that of amounts that name none."""
    with look() as tx:
        known = dict(tx.rows("select name, id from name"))
        begin, end = last_before(tx, "event", "received", since), last_row(tx, "event")
    wanted = {known[name]: name for name in (*names, REFUNDED, CANCELLED) if name in known}
    numbers = msgspec.json.encode(sorted(wanted)).decode()
    money = _Money(currency)
    orders, refunds, cancels = (_Heard() for _ in range(3))
    seen: set[tuple[int, int]] = set()
    for after in range(begin, end if wanted else begin, PIECE):
        piece = (after, min(after + PIECE, end))
        with look() as tx:
            rows = tx.rows(_EVENTS, (*piece, since, numbers))
        for customer, at, row, name, raw in rows:
            fields = _read(raw)
            hashed = _hash(fields.order_id)
            match wanted[name]:
                case "order_cancelled":
                    cancels.add(customer or 0, at, hashed, nan, -1, row)
                case "order_refunded":
                    again = (hashed, _hash(fields.refund_id))
                    if not again[1] or again not in seen:
                        seen.add(again)
                        amount, code = money.read(fields, (fields.amount, fields.refund, fields.total))
                        refunds.add(customer or 0, at, hashed, amount, code, row)
                case _ if customer is not None and at < until:
                    amount, code = money.read(fields, (fields.total, fields.revenue, fields.value))
                    orders.add(customer, at, hashed, amount, code, row)
        tell(piece[1] - begin, end - begin)
    return settle(orders.told(), refunds.told(), cancels.told(), money.names, 0, "orders")


def read_goals(
    look: Look, period: tuple[Instant, Instant], rules: Sequence[str], orders: Conversions, currency: str, tell: Tell
) -> dict[str, Conversions]:
    """The goals of each rule's journeys that were met from one moment until before another. Two journeys of a customer
    that one event was the goal of count once. ``orders`` tell what was paid back."""
    import numpy as np

    with look() as tx:
        programs = {row: rule for row, rule in tx.rows("select id, rule from program") if rule in rules}
        end = last_row(tx, "journey")
    numbers = msgspec.json.encode(sorted(programs)).decode()
    money = _Money(currency)
    goals = {rule: _Heard() for rule in rules}
    for after in range(0, end if programs else 0, PIECE):
        piece = (after, min(after + PIECE, end))
        with look() as tx:
            rows = tx.rows(
                "select customer, converted, id, program, worth from journey where id > ? and id <= ? "
                "and converted >= ? and converted < ? and program in (select value from json_each(?))",
                (*piece, *period, numbers),
            )
        for customer, converted, row, program, worth in rows:
            number, _, named = (worth or "").partition(" ")
            amount, code = money.read(_Order(currency=named or None), (number or None,))
            # One moment of a customer is one event: it stands for the order's id.
            goals[programs[program]].add(customer, converted, converted, amount, code, row)
        tell(piece[1], end)
    nothing = _Heard().told()
    found = {rule: settle(heard.told(), nothing, nothing, money.names, 0, rule) for rule, heard in goals.items()}
    paid = bool(np.any(orders.refunds > 0))
    return {rule: refund_goals(one, orders) if paid and len(one.at) else one for rule, one in found.items()}


class _Heard:
    """Columns of what was told of orders."""

    def __init__(self) -> None:
        self._whole = {name: array("q") for name in ("customers", "at", "ids", "currencies", "rows")}
        self._amounts = array("d")

    def add(self, customer: int, at: int, hashed: int, amount: float, currency: int, row: int) -> None:
        for column, value in zip(self._whole.values(), (customer, at, hashed, currency, row), strict=True):
            column.append(value)
        self._amounts.append(amount)

    def told(self) -> Told:
        import numpy as np

        columns = {name: np.array(column, np.int64) for name, column in self._whole.items()}
        return Told(**columns, amounts=np.array(self._amounts, np.float64))


class _Money:
    """Currencies, by the place at which they were met first; the project's own is at 0."""

    def __init__(self, usual: str) -> None:
        self._usual = usual
        self._places = {usual: 0}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._places)

    def read(self, fields: _Order, named: tuple[Any, ...]) -> tuple[float, int]:
        """The first amount that was named, and the place of its currency; not a number and -1 where none was, or none
        that can be one."""
        first = next((one for one in named if one is not None), None)
        found = read_money(first, {"currency": fields.currency}, self._usual)
        if found is None or abs(found.amount) >= _MOST or not _is_currency(found.currency):
            return nan, -1
        place = self._places.get(found.currency)
        if place is None:
            if len(self._places) >= MOST_CURRENCIES:
                return nan, -1
            place = self._places[found.currency] = len(self._places)
        return float(found.amount), place


_MOST: Final = Decimal(10) ** 12


def _is_currency(name: str) -> bool:
    return len(name) == 3 and name.isascii() and name.isalpha()


def _read(raw: bytes | None) -> _Order:
    try:
        return _decode(raw) if raw else _Order()
    except msgspec.DecodeError:
        return _Order()


def _hash(name: object) -> int:
    """A number for an id, 0 for none. The hash of 63 bits meets another's once in ten billion for a million orders."""
    if not isinstance(name, str | int) or isinstance(name, bool) or name == "":
        return 0
    return int.from_bytes(blake2b(str(name).encode(), digest_size=8).digest(), "big") >> 1 or 1
