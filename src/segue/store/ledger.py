"""Queries for delivery: the ledger of messages and the templates they were claimed with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.delivery.ledger import LedgerRow, MessageState
from segue.store.database import Transaction

_COLUMNS: Final = (
    "id, key, journey, customer, rule, channel, message, kind, state, due, decided, expires, attempts, claimed, "
    "handed, settled, address, template, given, receipt, reason, doubt"
)
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode
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
    )


def insert(tx: Transaction, messages: Iterable[LedgerRow]) -> None:
    """Write messages just decided."""
    tx.run_many(
        f"insert into message ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
                message.claimed,
                message.handed,
                message.settled,
                message.address or None,
                message.template or None,
                _encode(message.given) if message.given else None,
                message.receipt or None,
                message.reason or None,
                message.doubt,
            )
            for message in messages
        ],
    )


def update(tx: Transaction, messages: Iterable[LedgerRow]) -> None:
    """Write what changed in messages."""
    tx.run_many(
        "update message set state = ?, due = ?, attempts = ?, claimed = ?, handed = ?, settled = ?, address = ?, "
        "template = ?, given = ?, receipt = ?, reason = ?, doubt = ? where id = ?",
        [
            (
                int(message.state),
                message.due,
                message.attempts,
                message.claimed,
                message.handed,
                message.settled,
                message.address or None,
                message.template or None,
                _encode(message.given) if message.given else None,
                message.receipt or None,
                message.reason or None,
                message.doubt,
                message.row,
            )
            for message in messages
        ],
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


def select_messages(tx: Transaction, where: str, values: tuple[Any, ...]) -> list[LedgerRow]:
    """Messages by a condition of the store's own making."""
    return [_read(row) for row in tx.rows(f"select {_COLUMNS} from message where {where}", values)]


def load_open(tx: Transaction, customer: int, journey: int) -> list[LedgerRow]:
    """Messages of a customer's journey that were decided and not claimed."""
    return select_messages(tx, "customer = ? and journey = ? and state = 0", (customer, journey))


def load_claimed(tx: Transaction) -> list[LedgerRow]:
    """Messages whose call was under way: after a start these are the ones a crash cut off."""
    return [_read(row) for row in tx.rows(f"select {_COLUMNS} from message where state = 1 order by id")]


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
