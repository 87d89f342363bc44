"""Queries for delivery: the ledger of messages and the templates they were claimed with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.delivery.ledger import HOLDS_SLOT, Again, Attempt, Held, LedgerRow, MessageState
from segue.delivery.policy import Taken, counts_money
from segue.store.database import Transaction

_COLUMNS: Final = (
    "id, key, journey, customer, rule, channel, message, kind, state, due, decided, expires, attempts, claimed, "
    "handed, settled, address, template, given, receipt, reason, doubt, held, checks, cost, currency, coupons, "
    "retracting, tries, retracted, again, attempted"
)
_MARKS: Final = ", ".join("?" * len(_COLUMNS.split(",")))
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode
_decode_held: Final = msgspec.json.Decoder(tuple[Held, ...]).decode
_decode_checks: Final = msgspec.json.Decoder(tuple[str, ...]).decode
_decode_coupons: Final = msgspec.json.Decoder(tuple[tuple[str, str], ...]).decode
_decode_attempts: Final = msgspec.json.Decoder(tuple[Attempt, ...]).decode
_decode_again: Final = msgspec.json.Decoder(tuple[Again, ...]).decode
_encode: Final = msgspec.json.Encoder().encode


def _read(row: tuple[Any, ...]) -> LedgerRow:
    return LedgerRow(
        row=row[0],
        key=row[1].hex(),
        journey=row[2],
        customer=row[3],
        rule=row[4],
        channel=row[5],
        message=row[6],
        kind=row[7],
        state=MessageState(row[8]),
        due=row[9],
        decided=row[10],
        expires=row[11],
        attempts=row[12],
        claimed=row[13],
        handed=row[14],
        settled=row[15],
        address=row[16] or "",
        template=row[17] or "",
        given=_decode(row[18]) if row[18] else {},
        receipt=row[19] or "",
        reason=row[20] or "",
        doubt=bool(row[21]),
        held=_decode_held(row[22]) if row[22] else (),
        checks=_decode_checks(row[23]) if row[23] else (),
        cost=row[24],
        currency=row[25] or "",
        coupons=_decode_coupons(row[26]) if row[26] else (),
        retracting=row[27],
        tries=row[28] or 0,
        retracted=row[29],
        again=_decode_again(row[30]) if row[30] else (),
        attempted=_decode_attempts(row[31]) if row[31] else (),
    )


def _later_columns(message: LedgerRow) -> tuple[Any, ...]:
    """What changes after the decision."""
    return (
        message.claimed,
        message.handed,
        message.settled,
        message.address or None,
        message.template or None,
        _encode(message.given) if message.given else None,
        message.receipt or None,
        message.reason or None,
        message.doubt,
        _encode(message.held) if message.held else None,
        _encode(message.checks) if message.checks else None,
        message.cost,
        message.currency or None,
    )


def insert(tx: Transaction, messages: Iterable[LedgerRow]) -> None:
    """Write messages just decided."""
    tx.run_many(
        f"insert into message ({_COLUMNS}) values ({_MARKS})",
        [
            (
                message.row,
                bytes.fromhex(message.key),
                message.journey,
                message.customer,
                message.rule,
                message.channel,
                message.message,
                message.kind,
                int(message.state),
                message.due,
                message.decided,
                message.expires,
                message.attempts,
                *_later_columns(message),
                _encode(message.coupons) if message.coupons else None,
                message.retracting,
                message.tries or None,
                message.retracted,
                _encode(message.again) if message.again else None,
                _encode(message.attempted) if message.attempted else None,
            )
            for message in messages
        ],
    )


def update(tx: Transaction, messages: Iterable[LedgerRow]) -> None:
    """Write what changed in messages."""
    tx.run_many(
        "update message set state = ?, due = ?, attempts = ?, claimed = ?, handed = ?, settled = ?, address = ?, "
        "template = ?, given = ?, receipt = ?, reason = ?, doubt = ?, held = ?, checks = ?, cost = ?, currency = ?, "
        "retracting = ?, tries = ?, retracted = ?, attempted = ? where id = ?",
        [
            (
                int(message.state),
                message.due,
                message.attempts,
                *_later_columns(message),
                message.retracting,
                message.tries or None,
                message.retracted,
                _encode(message.attempted) if message.attempted else None,
                message.row,
            )
            for message in messages
        ],
    )


def put_up_again(tx: Transaction, messages: Collection[LedgerRow]) -> None:
    """Write messages that had come to nothing, and are to be sent after all."""
    update(tx, messages)
    tx.run_many(
        "update message set again = ?, expires = ? where id = ?",
        [(_encode(message.again), message.expires, message.row) for message in messages],
    )


def load_due(tx: Transaction, channel: str, now: Instant, limit: int) -> list[LedgerRow]:
    """Messages of a channel that are to be looked at: those to send,
    and those whose report was waited for long enough."""
    return [
        _read(row)
        for row in tx.rows(
            f"select {_COLUMNS} from message where channel = ? and due <= ? order by due, id limit ?",
            (channel, now, limit),
        )
    ]


def next_due(tx: Transaction, channel: str) -> Instant | None:
    """When a message of the channel is to be looked at next."""
    row = tx.row("select min(due) from message where channel = ? and due is not null", (channel,))
    return row[0] if row is not None else None


def due_channels(tx: Transaction) -> list[str]:
    """Channels that have messages to be looked at, now or later."""
    return [channel for (channel,) in tx.rows("select distinct channel from message where due is not null")]


def load_messages(tx: Transaction, rows: Iterable[int]) -> dict[int, LedgerRow]:
    """Messages by number."""
    wanted = msgspec.json.encode(list(rows)).decode()
    return {
        row[0]: _read(row)
        for row in tx.rows(f"select {_COLUMNS} from message where id in (select value from json_each(?))", (wanted,))
    }


def select_messages(tx: Transaction, where: str, values: tuple[Any, ...], index: str = "") -> list[LedgerRow]:
    """Messages by a condition of the store's own making; by an ``index`` where SQLite, which has no statistics, would
    take another."""
    by = f"indexed by {index} " if index else ""
    return [_read(row) for row in tx.rows(f"select {_COLUMNS} from message {by}where {where}", values)]


def load_claimed(tx: Transaction) -> list[LedgerRow]:
    """Messages whose call was under way, to send them or to take them back: after a start these are the ones a crash
    cut off."""
    return [
        *select_messages(tx, "state = 1 order by id", ()),
        *select_messages(tx, "state = 9 and due is null order by id", ()),
    ]


def load_of_journey(tx: Transaction, customer: int, journey: int) -> list[LedgerRow]:
    """All messages of a customer's journey."""
    return select_messages(tx, "customer = ? and journey = ? order by id", (customer, journey))


def load_taken(tx: Transaction, customers: Iterable[int], since: Instant) -> list[tuple[int, str, Taken]]:
    """The slots that messages to customers hold, claimed after a moment: customer, kind, slot. One query for the whole
    batch."""
    states = ", ".join(str(int(state)) for state in sorted(HOLDS_SLOT))
    return [
        (customer, kind, Taken(at, channel, rule, row))
        for customer, kind, at, channel, rule, row in tx.rows(
            "select message.customer, kind, claimed, channel, rule, message.id from json_each(?) as wanted "
            "cross join message on message.customer = wanted.value and message.claimed > ? "
            f"and message.state in ({states})",
            (msgspec.json.encode(list(customers)).decode(), since),
        )
    ]


class Waiting(msgspec.Struct, frozen=True):
    """A message that waits to be looked at, for the first time or again, and was never called."""

    customer: int
    kind: str
    row: int
    due: Instant | None
    decided: Instant
    channel: str
    rule: str


def load_waiting(tx: Transaction, customers: Iterable[int]) -> list[Waiting]:
    """Messages to customers that wait to be looked at and were never called. One query for the whole batch."""
    return [
        Waiting(*row)
        for row in tx.rows(
            "select message.customer, kind, message.id, due, decided, channel, rule from json_each(?) as wanted "
            "cross join message indexed by message_waiting on message.customer = wanted.value "
            "and message.state = 0 and message.claimed is null",
            (msgspec.json.encode(list(customers)).decode(),),
        )
    ]


_MOST_DEFERRED: Final = 5_000
"""So many deferred messages of a channel are looked through for those that wait for money, the first to be due first:
the others are looked at when they are due."""


def load_short_of_money(tx: Transaction, channel: str, kind: str, now: Instant) -> list[int]:
    """Messages of a channel and a kind that a budget holds back, by number: the first to be due first."""
    return [
        number
        for number, held in tx.rows(
            "select id, held from (select id, kind, state, claimed, held, due from message indexed by message_due "
            "where channel = ? and due > ? order by due, id limit ?) "
            "where kind = ? and state = 0 and claimed is null and instr(held, 'budget ') > 0 order by due, id",
            (channel, now, _MOST_DEFERRED, kind),
        )
        if counts_money(_decode_held(held)[-1].words)
    ]


def load_spend(tx: Transaction, kind: str, currency: str, first: date, end: date) -> int:
    """What was spent on messages of a kind, from one day up to and without another, in millionths of the currency."""
    row = tx.row(
        "select sum(amount) from spend where kind = ? and currency = ? and day >= ? and day < ?",
        (kind, currency, first.isoformat(), end.isoformat()),
    )
    return row[0] or 0 if row is not None else 0


def load_costs(tx: Transaction, after: int, limit: int) -> list[tuple[int, str, str, Instant, int, str]]:
    """Messages that cost something, by number above ``after``: number, rule, channel, when claimed, millionths,
    currency."""
    return tx.rows(
        "select id, rule, channel, claimed, cost, currency from message where id > ? and cost is not null "
        "and claimed is not null order by id limit ?",
        (after, limit),
    )


def put_spend(tx: Transaction, changes: Mapping[tuple[str, str, date], int]) -> None:
    """Add to what was spent: (kind, currency, day) by how much."""
    tx.run_many(
        "insert into spend (kind, currency, day, amount) values (?, ?, ?, ?) "
        "on conflict (kind, currency, day) do update set amount = amount + excluded.amount",
        [(kind, currency, day.isoformat(), amount) for (kind, currency, day), amount in changes.items() if amount],
    )


def find_message(tx: Transaction, *, key: str = "", channel: str = "", receipt: str = "") -> LedgerRow | None:
    """A claimed message by its key, else by the provider's receipt."""
    if key:
        try:
            raw = bytes.fromhex(key)
        except ValueError:
            return None
        row = tx.row(f"select {_COLUMNS} from message where key = ? and claimed is not null", (raw,))
    elif receipt:
        row = tx.row(f"select {_COLUMNS} from message where channel = ? and receipt = ?", (channel, receipt))
    else:
        return None
    return _read(row) if row is not None else None


def find_by_key(tx: Transaction, key: str) -> LedgerRow | None:
    """A message by its key, whatever became of it."""
    row = tx.row(f"select {_COLUMNS} from message where key = ?", (bytes.fromhex(key),))
    return _read(row) if row is not None else None


def find_answered(
    tx: Transaction, customer: int, channel: str, since: Instant, until: Instant, *, key: str = "", receipt: str = ""
) -> int | None:
    """The number of the message by a channel that a customer answers: of this key or receipt where it was theirs, else
    the latest that was handed over between two moments."""
    if key or receipt:
        named = find_message(tx, key=key, channel=channel, receipt=receipt)
        if named is not None and named.customer == customer and named.channel == channel:
            return named.row
    row = tx.row(
        "select id from message where customer = ? and channel = ? and handed between ? and ? "
        "order by handed desc, id desc limit 1",
        (customer, channel, since, until),
    )
    return row[0] if row is not None else None


def put_templates(tx: Transaction, templates: Iterable[tuple[str, bytes]]) -> None:
    """Keep templates by hash."""
    tx.run_many("insert into template (hash, body) values (?, ?) on conflict (hash) do nothing", templates)


def load_template(tx: Transaction, content: str) -> bytes | None:
    """A template by hash."""
    row = tx.row("select body from template where hash = ?", (content,))
    return row[0] if row is not None else None


def hold_all(tx: Transaction) -> int:
    """How many messages wait to be sent: what a restored store holds back."""
    row = tx.row("select count(*) from message where state in (0, 1)")
    assert row is not None
    count: int = row[0]
    return count
