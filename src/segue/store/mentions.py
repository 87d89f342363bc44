"""Rejections that mention a customer: they belong to nobody by a number, only by what stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from segue.store.database import Transaction
from segue.store.rejections import KeptRejection

_LONG: int = 6
"""Characters from which on an identifier is looked for anywhere; a shorter one only as a whole text of JSON."""


def find_mentions(
    tx: Transaction, texts: Iterable[str], after: int, limit: int
) -> tuple[list[KeptRejection], int | None]:
    """Of a piece of all rejections, those in which one of the texts stands; and after which row to go on, None at the
    end."""
    rows = tx.rows(
        "select id, source, at, place, reason, raw from rejection where id > ? order by id limit ?", (after, limit)
    )
    pattern = _pattern(texts)
    found = [
        KeptRejection(*row) for row in rows if pattern is not None and any(map(pattern.search, map(_bytes, row[3:])))
    ]
    return found, rows[-1][0] if len(rows) == limit else None


def delete_rejections(tx: Transaction, found: Iterable[KeptRejection]) -> None:
    """Forget rejections."""
    tx.run_many("delete from rejection where id = ?", [(one.id,) for one in found])


def _pattern(texts: Iterable[str]) -> re.Pattern[bytes] | None:
    words = [
        re.escape(text.encode("utf-8", "replace")) if len(text) >= _LONG else rb'"' + re.escape(text.encode()) + rb'"'
        for text in texts
        if text
    ]
    return re.compile(b"|".join(words), re.IGNORECASE) if words else None


def _bytes(value: str | bytes) -> bytes:
    return value.encode("utf-8", "replace") if isinstance(value, str) else value
