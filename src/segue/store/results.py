"""Queries for reports: the messages, journeys and orders of a period, counted in pieces beside a daemon that goes on.

Rows are numbered in the order in which they were decided, entered and received, so that what is older than a period is
passed over. Moments are counted by quarters of an hour, which every zone's midnight is one of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.api.values import MINUTE
from segue.delivery.ledger import MessageState
from segue.measure.period import Period
from segue.measure.results.counts import Counts, Deed, Fate, add
from segue.program.calendar import local
from segue.program.values import read_money
from segue.store.database import Transaction
from segue.store.history import last_message_before

Look = Callable[[], AbstractContextManager[Transaction]]
"""Opens one short look at the store."""
Tell = Callable[[int, int], None]
"""Is told how many rows have been passed, and of how many."""

ORDERED: Final = "ordered"
REFUNDED: Final = "order_refunded"
_PIECE: Final = 50_000
_QUARTER: Final = 15 * MINUTE
_FATES: Final[dict[MessageState, Fate]] = {
    MessageState.DECIDED: "waiting",
    MessageState.CLAIMED: "waiting",
    MessageState.HANDED: "sent",
    MessageState.CONFIRMED: "delivered",
    MessageState.UNDELIVERED: "undelivered",
    MessageState.UNKNOWN: "unknown",
    MessageState.SKIPPED: "skipped",
    MessageState.FAILED: "refused",
    MessageState.RETRACTED: "taken back",
    MessageState.RETRACTING: "sent",
}
_KEEPS_REASON: Final = ", ".join(
    str(int(state)) for state in (MessageState.UNDELIVERED, MessageState.SKIPPED, MessageState.FAILED)
)


def count_period(look: Look, period: Period, zone: tzinfo, currency: str, tell: Tell) -> Counts:
    """What happened in a period. ``currency`` is that of amounts that name none."""
    counts = Counts()
    days = _Days(zone)
    with look() as tx:
        ends = {table: last_row(tx, table) for table in ("message", "journey", "event")}
        begins = {
            "message": last_message_before(tx, period.since),
            "journey": 0,
            "event": last_before(tx, "event", "received", period.since),
        }
        names = dict(tx.rows("select name, id from name where name in (?, ?)", (ORDERED, REFUNDED)))
    total = sum(ends[table] - begins[table] for table in ends)
    known = _Known(names, currency, range(begins["message"], ends["message"]))
    passed = 0
    for table, count in (("message", _messages), ("journey", _journeys), ("event", _events)):
        for after in range(begins[table], ends[table], _PIECE):
            until = min(after + _PIECE, ends[table])
            with look() as tx:
                count(tx, (after, until), period, counts, days, known)
            passed += until - after
            tell(passed, total)
    return counts


class _Known:
    """What the pieces of one look have in common."""

    def __init__(self, names: dict[str, int], currency: str, messages: range) -> None:
        self.names = names
        self.currency = currency
        self._first = messages.start
        self._seen = bytearray(len(messages) + 1)

    def is_new(self, message: int, bit: int) -> bool:
        """Whether this is the first time that something was done with a message."""
        at = message - self._first
        if not 0 <= at < len(self._seen) or self._seen[at] & bit:
            return False
        self._seen[at] |= bit
        return True


class _Days:
    """The days of a zone, by quarters of an hour since 1970."""

    def __init__(self, zone: tzinfo) -> None:
        self._day = lru_cache(maxsize=200_000)(lambda quarter: local(Instant(quarter * _QUARTER), zone).date())

    def __call__(self, quarter: int) -> date:
        return self._day(quarter)


_Piece = tuple[int, int]


def _messages(tx: Transaction, piece: _Piece, period: Period, to: Counts, days: _Days, _: _Known) -> None:
    for quarter, channel, state, reason, currency, number, cost in tx.rows(
        f"select decided / {_QUARTER}, channel, state, case when state in ({_KEEPS_REASON}) then reason end, currency, "
        "count(*), sum(cost) from message where id > ? and id <= ? and decided >= ? and decided < ? "
        "group by 1, 2, 3, 4, 5",
        (*piece, period.since, period.until),
    ):
        fate = _FATES[MessageState(state)]
        to.messages[days(quarter), channel, fate] += number
        if reason:
            to.reasons[channel, fate, reason] += number
        if cost and currency:
            to.costs[days(quarter), channel, currency] += cost


def _journeys(tx: Transaction, piece: _Piece, period: Period, to: Counts, days: _Days, _: _Known) -> None:
    within = (*piece, period.since, period.until)
    for quarter, rule, number in tx.rows(
        f"select entered / {_QUARTER}, program.rule, count(*) from journey join program on program.id = program "
        "where journey.id > ? and journey.id <= ? and entered >= ? and entered < ? group by 1, 2",
        within,
    ):
        to.entries[days(quarter), rule] += number
    for quarter, rule, worth, number in tx.rows(
        f"select converted / {_QUARTER}, program.rule, worth, count(*) from journey "
        "join program on program.id = program "
        "where journey.id > ? and journey.id <= ? and converted >= ? and converted < ? group by 1, 2, 3",
        within,
    ):
        to.conversions[days(quarter), rule] += number
        amount, currency = _read_worth(worth)
        if currency:
            to.worth[rule, currency] = to.worth.get((rule, currency), Decimal(0)) + amount * number


def _read_worth(text: str | None) -> tuple[Decimal, str]:
    number, _, currency = (text or "").partition(" ")
    try:
        return Decimal(number), currency
    except InvalidOperation:
        return Decimal(0), ""


_BITS: Final[dict[Deed, int]] = {"opened": 1, "clicked": 2, "replied": 4}
_DEEDS: Final = (
    "select distinct message.id, message.channel, json_extract(event.fields, '$.what') "
    "from event cross join message indexed by message_claimed "
    "on message.key = unhex(json_extract(event.fields, '$.key')) and message.claimed is not null "
    "where event.id > ? and event.id <= ? and event.kind = 1 and event.name is null "
    "and message.decided >= ? and message.decided < ?"
)


def _events(tx: Transaction, piece: _Piece, period: Period, to: Counts, days: _Days, known: _Known) -> None:
    for message, channel, what in tx.rows(_DEEDS, (*piece, period.since, period.until)):
        if (bit := _BITS.get(what)) is not None and known.is_new(message, bit):
            to.deeds[channel, what] += 1
    for name, at, raw in _of_orders(tx, piece, period, known):
        fields: dict[str, Any] = msgspec.json.decode(raw) if raw else {}
        day = days(at // _QUARTER)
        if name == known.names.get(ORDERED):
            to.orders[day] += 1
            total = read_money(fields.get("total"), fields, known.currency)
            if total is None:
                to.unpriced += 1
            else:
                add(to.revenue, day, total.currency, total.amount)
        else:
            named = next((fields[key] for key in ("amount", "refund", "total") if fields.get(key) is not None), None)
            back = read_money(named, fields, known.currency)
            if back is not None:
                add(to.refunds, day, back.currency, abs(back.amount))


def _of_orders(tx: Transaction, piece: _Piece, period: Period, known: _Known) -> Iterator[tuple[int, int, Any]]:
    if known.names:
        wanted = ", ".join(str(number) for number in known.names.values())
        yield from tx.rows(
            f"select name, at, fields from event where id > ? and id <= ? and name in ({wanted}) "
            "and at >= ? and at < ?",
            (*piece, period.since, period.until),
        )


def last_row(tx: Transaction, table: str) -> int:
    row = tx.row(f"select coalesce(max(id), 0) from {table}")
    return int(row[0]) if row is not None else 0


def last_before(tx: Transaction, table: str, column: str, moment: Instant) -> int:
    """The number of about the last row before a moment, of a table whose rows are numbered as time goes."""
    low, high = 0, last_row(tx, table)
    while low < high:
        middle = (low + high + 1) // 2
        found = tx.row(f"select {column} from {table} where id >= ? order by id limit 1", (middle,))
        if found is not None and found[0] < moment:
            low = middle
        else:
            high = middle - 1
    return low
