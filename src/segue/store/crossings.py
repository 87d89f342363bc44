"""Queries for who came into segments and left them, and who is in them, where their members are kept."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from segue.store.database import Transaction


class Crossings(msgspec.Struct, frozen=True):
    """How many came into a segment and left it on a calendar day (``2026-03-29``) in the project's zone."""

    day: str
    entered: int
    departed: int


def count(tx: Transaction, crossings: Mapping[tuple[str, str, bool], int]) -> None:
    """Count changes of membership: segment, day, whether they came in."""
    tx.run_many(
        "insert into crossing (segment, day, entered, departed) values (?, ?, ?, ?) on conflict (segment, day) do "
        "update set entered = entered + excluded.entered, departed = departed + excluded.departed",
        [(segment, day, n if entered else 0, 0 if entered else n) for (segment, day, entered), n in crossings.items()],
    )


def load_crossings(tx: Transaction, segment: str, since: str) -> list[Crossings]:
    """The changes since a day, by day, oldest first. A day without any is left out."""
    return [
        Crossings(*row)
        for row in tx.rows(
            "select day, entered, departed from crossing where segment = ? and day >= ? order by day", (segment, since)
        )
    ]


def count_members(tx: Transaction, segment: str) -> int:
    """How many are in a segment whose members are kept."""
    row = tx.row("select count(*) from lookout where subject = ? and member = 1", (segment,))
    return int(row[0]) if row is not None else 0


def count_kept(tx: Transaction) -> int:
    """How many rows say who is in which segment, and when that is to be looked at."""
    row = tx.row("select count(*) from lookout")
    return int(row[0]) if row is not None else 0


def count_crossings(tx: Transaction) -> int:
    """How often anybody came into a segment, or left it."""
    row = tx.row("select coalesce(sum(entered + departed), 0) from crossing")
    return int(row[0]) if row is not None else 0


def count_customers(tx: Transaction) -> int:
    """How many customers there are."""
    row = tx.row("select count(*) from customer")
    return int(row[0]) if row is not None else 0
