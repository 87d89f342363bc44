"""Queries for sources that fetch: how far each has come."""

from __future__ import annotations

import msgspec

from segue.api import Instant
from segue.store.database import Transaction


class SourcePosition(msgspec.Struct, frozen=True):
    """Where a source goes on from, in its own words (None: the other side knows), and when it last brought any."""

    source: str
    position: str | None
    at: Instant


def load_position(tx: Transaction, source: str) -> str | None:
    """Where a source goes on from; None where it has not begun."""
    row = tx.row("select position from source_position where source = ?", (source,))
    return row[0] if row is not None else None


def put_position(tx: Transaction, source: str, position: str | None, now: Instant) -> None:
    """A source has brought something; None leaves where it goes on from as it is."""
    tx.run(
        "insert into source_position (source, position, at) values (?, ?, ?) on conflict (source) do update set "
        "position = coalesce(excluded.position, position), at = excluded.at",
        (source, position, now),
    )


def list_positions(tx: Transaction) -> list[SourcePosition]:
    """How far all have come."""
    return [SourcePosition(*row) for row in tx.rows("select source, position, at from source_position order by source")]
