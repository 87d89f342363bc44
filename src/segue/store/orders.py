"""Queries for orders and what was paid back of them. What all that means is told in `segue.measure.orders`."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from decimal import Decimal
from hashlib import blake2b
from math import isnan, nan
from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.measure.orders import CANCELLED, ODD, ORDERS, REFUNDED, Told, settle
from segue.measure.period import Period
from segue.measure.touchpoints.columns import Conversions
from segue.program.values import is_currency, read_money
from segue.store.database import Transaction
from segue.store.results import PIECE, Look, Tell, last_before, last_row

MOST_CURRENCIES: Final = 50
"""Currencies that are told apart: their names come from outside. Orders in further ones count as unpriced."""
_CUSTOMERS: Final = 5_000
"""Customers whose earlier orders are looked up at once."""
_SELECT: Final = "select customer, at, id, hash, name, fields from event"
_EVENTS: Final = f"{_SELECT} where id > ? and id <= ? and at >= ? and name in (select value from json_each(?))"
_BY_CUSTOMER: Final = (
    f"{_SELECT} indexed by event_history where customer in (select value from json_each(?)) and name is not null "
    "and name in (select value from json_each(?)) and at"
)
_OF: Final = f"{_BY_CUSTOMER} < ?"
_LATER: Final = f"{_BY_CUSTOMER} >= ?"
END: Final = Instant(2**62)
"""Behind whatever happens."""
VALUES: Final = ("total", "revenue", "value")
"""The fields of an order that may tell its value."""
Row = tuple[int | None, int, int, int, int, bytes | None]


class Fields(msgspec.Struct):
    """What an event tells of an order, of whatever type."""

    order_id: Any = None
    total: Any = None
    revenue: Any = None
    value: Any = None
    amount: Any = None
    refund: Any = None
    refund_id: Any = None
    currency: Any = None


_decode: Final = msgspec.json.Decoder(Fields).decode


def read_orders(
    look: Look, since: Instant, period: Period, names: Sequence[str], currency: str, tell: Tell
) -> Conversions:
    """The orders from ``since`` until the end of ``period``, by events of these ``names``, less all refunds that are
    known by now. ``currency`` is that of amounts that name none."""
    with look() as tx:
        hearing = Hearing(tx, names, currency)
        begin, end = last_before(tx, "event", "received", since), last_row(tx, "event")
    for after in range(begin, end if hearing.names else begin, PIECE):
        piece = (after, min(after + PIECE, end))
        with look() as tx:
            hearing.hear(tx.rows(_EVENTS, (*piece, since, _list(hearing.names))), period.until)
        tell(piece[1] - begin, end - begin)
    # What is told of now may have been told of before: then it is an order of that time.
    people = hearing.customers if since else []
    for at in range(0, len(people), _CUSTOMERS):
        with look() as tx:
            hearing.hear(tx.rows(_OF, (_list(people[at : at + _CUSTOMERS]), _list(hearing.orders), since)))
        tell(min(at + _CUSTOMERS, len(people)), len(people))
    # And what an order did not say may be said after the period.
    people = hearing.silent
    for at in range(0, len(people), _CUSTOMERS):
        with look() as tx:
            told = tx.rows(_LATER, (_list(people[at : at + _CUSTOMERS]), _list(hearing.orders), period.until))
            hearing.hear(told)
        tell(min(at + _CUSTOMERS, len(people)), len(people))
    return hearing.settle(since, period)


def load_orders(tx: Transaction, customer: int, names: Sequence[str], currency: str) -> Conversions:
    """All orders of one customer."""
    hearing = Hearing(tx, names, currency)
    always = Period(Instant(0), END)
    hearing.hear(tx.rows(_OF, (_list([customer]), _list(hearing.names), END)))
    return hearing.settle(always.since, always)


class Hearing:
    """Takes in what events tell of orders."""

    def __init__(self, tx: Transaction, names: Sequence[str], currency: str) -> None:
        known = dict(tx.rows("select name, id from name"))
        self.names = {known[name]: name for name in (*names, REFUNDED, CANCELLED) if name in known}
        self.orders = [number for number, name in self.names.items() if name in names]
        self._money = Money(currency)
        self._orders, self._refunds, self._cancels = (Heard() for _ in range(3))

    def hear(self, rows: Iterable[Row], until: Instant = END) -> None:
        """Take in events: orders that were told of as before ``until``, and whatever happened to orders."""
        for customer, at, row, own, name, raw in rows:
            fields = _read(raw)
            told = (customer or 0, at, _hash(fields.order_id), own & _POSITIVE)
            match self.names[name]:
                case "order_cancelled":
                    self._cancels.add(*told, nan, -1, row)
                case "order_refunded":
                    amount, code = self._money.read(fields, (fields.amount, fields.refund, fields.total))
                    code = -1 if code == 0 and not _names_currency(fields) else code
                    self._refunds.add(*told[:3], _hash(fields.refund_id) or told[3], amount, code, row)
                case _ if at < until and (customer is not None or raw):
                    # Of an erased customer's event nothing is left but its row.
                    amount, code = self._money.read(fields, (fields.total, fields.revenue, fields.value))
                    self._orders.add(*told, amount if code >= 0 else nan, code, row)

    @property
    def customers(self) -> list[int]:
        """Those of whom orders, or what happened to them, were told."""
        told = (self._orders.customers, self._refunds.customers, self._cancels.customers)
        return sorted({customer for column in told for customer in column} - {0})

    @property
    def silent(self) -> list[int]:
        """Those of whom an order was told without a value."""
        return sorted(self._orders.without_amount() - {0})

    def settle(self, since: Instant, period: Period) -> Conversions:
        """The orders from a moment on."""
        orders, refunds, cancels = (one.told() for one in (self._orders, self._refunds, self._cancels))
        return settle(orders, refunds, cancels, self._money.names, 0, ORDERS, since, period)


class Heard:
    """Columns of what was told of orders."""

    def __init__(self) -> None:
        self.customers = array("q")
        self._whole = {
            "customers": self.customers,
            **{name: array("q") for name in ("at", "ids", "own", "currencies", "rows")},
        }
        self._amounts = array("d")

    def add(self, customer: int, at: int, hashed: int, own: int, amount: float, currency: int, row: int) -> None:
        """Take in one that was told."""
        for column, value in zip(self._whole.values(), (customer, at, hashed, own, currency, row), strict=True):
            column.append(value)
        self._amounts.append(amount)

    def without_amount(self) -> set[int]:
        """The customers of those that name none."""
        return {one for one, amount in zip(self.customers, self._amounts, strict=True) if isnan(amount)}

    def told(self) -> Told:
        """All of them."""
        import numpy as np

        columns = {name: np.array(column, np.int64) for name, column in self._whole.items()}
        return Told(**columns, amounts=np.array(self._amounts, np.float64))


class Money:
    """Currencies, by the place at which they were met first; the project's own is at 0."""

    def __init__(self, usual: str) -> None:
        self._usual = usual
        self._places = {usual: 0}

    @property
    def names(self) -> tuple[str, ...]:
        """The currencies."""
        return tuple(self._places)

    def read(self, fields: Fields, named: tuple[Any, ...]) -> tuple[float, int]:
        """The first amount that was named, and the place of its currency; not a number and -1 where none was, or none
        that can be one, `ODD` where the currency can't be one."""
        first = next((one for one in named if one is not None), None)
        found = read_money(first, {"currency": fields.currency}, self._usual)
        if found is None or abs(found.amount) >= _MOST:
            return nan, -1
        place = self._places.get(found.currency)
        if place is None:
            if len(self._places) >= MOST_CURRENCIES or not is_currency(found.currency):
                return float(found.amount), ODD
            place = self._places[found.currency] = len(self._places)
        return float(found.amount), place


_MOST: Final = Decimal(10) ** 12
_POSITIVE: Final = 2**63 - 1


def _names_currency(fields: Fields) -> bool:
    beside = next((one for one in (fields.amount, fields.refund, fields.total) if one is not None), None)
    named = beside.get("currency") if isinstance(beside, dict) else fields.currency
    return isinstance(named, str) and named != ""


def _read(raw: bytes | None) -> Fields:
    try:
        return _decode(raw) if raw else Fields()
    except msgspec.DecodeError:
        return Fields()


def _hash(name: object) -> int:
    """A number for an id, 0 for none. The hash of 63 bits meets another's once in ten billion for a million orders."""
    if not isinstance(name, str | int) or isinstance(name, bool) or name == "":
        return 0
    return int.from_bytes(blake2b(str(name).encode(), digest_size=8).digest(), "big") >> 1 or 1


def _list(values: Iterable[int]) -> str:
    return msgspec.json.encode(list(values)).decode()
