"""Queries for rejections: what could not become an event, kept with its reason, within bounds.

Of each source the newest `KEPT` are kept, none for longer than `FOR`. What a secret could stand in is struck out before
it is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from segue.api import Instant, Rejection
from segue.api.values import DAY
from segue.store.database import Transaction

KEPT: Final = 10_000
"""Rejections of one source."""
FOR: Final = 30 * DAY
"""How long one is kept: it may hold what a customer wrote."""
LONGEST_RAW: Final = 8_192
"""Bytes of what came."""
_LONGEST_REASON: Final = 1_000
_LONGEST_PLACE: Final = 500
_SWEPT_AT_ONCE: Final = 1_000

_NAME: Final = (
    rb"(?i:[\w.-]{0,40}?(?:password|passwd|secret|token|api[_-]?key|write[_-]?key|private[_-]?key|access[_-]?key"
    rb"|authorization|signature|cookie|credentials?))"
)
_IN_JSON: Final = re.compile(rb'("' + _NAME + rb'"\s*:\s*)("(?:[^"\\]|\\.)*(?:"|\Z)|-?[\d.eE+]+)')
_IN_FORM: Final = re.compile(rb"(\b" + _NAME + rb"=)[^&\s;]+")


class KeptRejection(msgspec.Struct, frozen=True):
    """A rejection as it is kept."""

    id: int
    source: str
    at: Instant
    place: str
    reason: str
    raw: bytes


class RejectedCount(msgspec.Struct, frozen=True):
    """Of one source: how many there ever were, how many are kept, and when the newest came (None: none is kept)."""

    source: str
    total: int
    kept: int
    newest: Instant | None


def reject(tx: Transaction, source: str, rejections: Sequence[Rejection], now: Instant, dropped: int = 0) -> None:
    """Keep rejections of a source. ``dropped`` are further ones that nobody kept: they only count."""
    kept = rejections[-KEPT:]
    if kept:
        tx.run_many(
            "insert into rejection (source, at, place, reason, raw) values (?, ?, ?, ?, ?)",
            [
                (source, now, _text(one.place, _LONGEST_PLACE), _text(one.reason, _LONGEST_REASON), _raw(one.raw))
                for one in kept
            ],
        )
        tx.run(
            "delete from rejection where source = :source and id <= "
            "(select id from rejection where source = :source order by id desc limit 1 offset :kept)",
            {"source": source, "kept": KEPT},
        )
    total = len(rejections) + dropped
    if total:
        tx.run(
            "insert into rejected (source, total) values (?, ?) "
            "on conflict (source) do update set total = total + excluded.total",
            (source, total),
        )


def forget_rejections(tx: Transaction, now: Instant) -> bool:
    """Forget what was kept long enough; whether more is left to forget."""
    gone = tx.run(
        "delete from rejection where id in (select id from rejection where at < ? order by at limit ?)",
        (now - FOR, _SWEPT_AT_ONCE),
    )
    return gone == _SWEPT_AT_ONCE


def list_rejections(tx: Transaction, source: str | None, limit: int) -> list[KeptRejection]:
    """The newest rejections, newest first; of one source, or of all."""
    where, values = ("where source = ? ", (source, limit)) if source is not None else ("", (limit,))
    rows = tx.rows(f"select id, source, at, place, reason, raw from rejection {where}order by id desc limit ?", values)
    return [KeptRejection(*row) for row in rows]


def count_rejections(tx: Transaction) -> list[RejectedCount]:
    """How many there are, by source."""
    rows = tx.rows(
        "select rejected.source, rejected.total, count(rejection.id), max(rejection.at) from rejected "
        "left join rejection on rejection.source = rejected.source group by rejected.source order by rejected.source"
    )
    return [RejectedCount(*row) for row in rows]


def strike_secrets(raw: bytes) -> bytes:
    """What came, with the values gone that stand under a name which means a secret, in JSON or in a form."""
    return _IN_FORM.sub(rb"\1***", _IN_JSON.sub(rb'\1"***"', raw))


def _raw(raw: bytes) -> bytes:
    # Struck before it is cut, but no more is looked at than could be kept: a value that is cut in two stays a value.
    return strike_secrets(raw[: LONGEST_RAW * 2])[:LONGEST_RAW]


def _text(text: str, most: int) -> str:
    return text[:most].encode("utf-8", "replace").decode().replace("\0", "")
