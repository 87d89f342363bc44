"""Queries for reports: the messages and journeys of a period, counted in pieces beside a daemon that goes on.

Rows are numbered in the order in which they were decided, entered and received, so that what is older than a period is
passed over. Moments are counted by quarters of an hour, which every zone's midnight is one of.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from segue.api import Instant
from segue.api.values import DAY
from segue.delivery.ledger import MessageState
from segue.measure.funnels.reasons import told
from segue.measure.period import Period
from segue.measure.results.brought import QUARTER, Days
from segue.measure.results.counts import Counts, Deed, Fate
from segue.store.database import Transaction
from segue.store.history import last_message_before

Look = Callable[[], AbstractContextManager[Transaction]]
"""Opens one short look at the store."""
Tell = Callable[[int, int], None]
"""Is told how many rows have been passed, and of how many."""

PIECE: Final = 50_000
"""Rows that are looked at at once."""
LATE: Final = 31 * DAY
"""An event may be so old on arrival, at the most, and still begin a journey: journeys are numbered as they begin, and
their moment of entry is that of the event."""
SLEPT: Final = 7 * DAY
"""What fell due while no daemon ran is decided at its own moment, and numbered behind what was decided since: so much
is looked at again."""
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


def count_periods(look: Look, periods: tuple[Period, Period], days: Days, tell: Tell) -> tuple[Counts, Counts]:
    """What happened in two periods that do not overlap, but for what it brought. One pass tells both, which read nearly
    the same."""
    counts = Counts(), Counts()
    since = min(one.since for one in periods)
    with look() as tx:
        ends = {table: last_row(tx, table) for table in ("message", "journey", "event")}
        begins = {
            "message": last_message_before(tx, Instant(since - SLEPT)),
            "journey": last_before(tx, "journey", "entered", Instant(since - LATE)),
            "event": last_before(tx, "event", "received", since),
        }
    total = sum(ends[table] - begins[table] for table in ends)
    known = _Known(range(begins["message"], ends["message"]))
    within = tuple(moment for one in periods for moment in (one.since, one.until))
    passed = 0
    for table, count in (("message", _messages), ("journey", _journeys), ("event", _events)):
        for after in range(begins[table], ends[table], PIECE):
            until = min(after + PIECE, ends[table])
            with look() as tx:
                count(tx, (after, until, *within), counts, days, known)
            passed += until - after
            tell(passed, total)
    return counts


class _Known:
    """What the pieces of one look have in common."""

    def __init__(self, messages: range) -> None:
        self._first = messages.start
        self._seen = bytearray(len(messages) + 1)

    def is_new(self, message: int, bit: int) -> bool:
        """Whether this is the first time that something was done with a message."""
        at = message - self._first
        if not 0 <= at < len(self._seen) or self._seen[at] & bit:
            return False
        self._seen[at] |= bit
        return True


_Piece = tuple[int, ...]
"""The rows after one and up to another, and from when until when each period is."""
_Both = tuple[Counts, Counts]


def _which(moment: str) -> str:
    """The place of the period that a moment is in."""
    return f"case when {moment} >= ?3 and {moment} < ?4 then 0 when {moment} >= ?5 and {moment} < ?6 then 1 end"


_MESSAGES: Final = (
    f"select {_which('decided')} as which, decided / {QUARTER}, channel, state, "
    f"case when state in ({_KEEPS_REASON}) then reason end, currency, count(*), sum(cost) "
    "from message where id > ?1 and id <= ?2 and which is not null group by 1, 2, 3, 4, 5, 6"
)
_ENTRIES: Final = (
    f"select {_which('entered')} as which, entered / {QUARTER}, program.rule, count(*) "
    "from journey join program on program.id = program "
    "where journey.id > ?1 and journey.id <= ?2 and which is not null group by 1, 2, 3"
)
_DEEDS: Final = (
    f"select distinct {_which('message.decided')} as which, message.id, message.channel, "
    "json_extract(event.fields, '$.what') from event cross join message indexed by message_claimed "
    "on message.key = unhex(json_extract(event.fields, '$.key')) and message.claimed is not null "
    "where event.id > ?1 and event.id <= ?2 and event.kind = 1 and event.name is null and which is not null"
)


def _messages(tx: Transaction, piece: _Piece, both: _Both, days: Days, _: _Known) -> None:
    for which, quarter, channel, state, reason, currency, number, cost in tx.rows(_MESSAGES, piece):
        to, fate = both[which], _FATES[MessageState(state)]
        to.messages[days(quarter), channel, fate] += number
        if reason:
            to.reasons[channel, fate, told(reason, skipped=state == MessageState.SKIPPED)] += number
        if cost and currency:
            to.costs[days(quarter), channel, currency] += cost


def _journeys(tx: Transaction, piece: _Piece, both: _Both, days: Days, _: _Known) -> None:
    for which, quarter, rule, number in tx.rows(_ENTRIES, piece):
        both[which].entries[days(quarter), rule] += number


_BITS: Final[dict[Deed, int]] = {"opened": 1, "clicked": 2, "replied": 4}


def _events(tx: Transaction, piece: _Piece, both: _Both, _: Days, known: _Known) -> None:
    for which, message, channel, what in tx.rows(_DEEDS, piece):
        if (bit := _BITS.get(what)) is not None and known.is_new(message, bit):
            both[which].deeds[channel, what] += 1


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


def knows_since(tx: Transaction, since: Instant, counts: Counts) -> bool:
    """Whether the store knows what happened since a moment, which is the beginning of what ``counts`` counted.

    It does where the first that it holds, a journey as well as an event, is older, or less than a day younger. A shop
    that imports its past orders only knows those: its journeys began later, and are not compared.
    """
    if counts.empty:
        return False
    firsts = (
        tx.row("select entered from journey order by id limit 1"),
        tx.row("select at from event where name is not null order by id limit 1"),
    )
    return all(first[0] < since + DAY for first in firsts if first is not None)
