"""Queries for how often a rule with an ``expect`` is about to be entered, minute by minute."""

from __future__ import annotations

from collections.abc import Mapping

from segue.api import Instant
from segue.api.values import MINUTE
from segue.store.database import Transaction


def load_pace(tx: Transaction, rule: str, after: int) -> dict[int, int]:
    """Counts by minute (since 1970), of those after one."""
    return dict(tx.rows("select minute, n from pace where rule = ? and minute > ?", (rule, after)))


def add_to_pace(tx: Transaction, counts: Mapping[tuple[str, int], int]) -> None:
    """Add counts by rule and minute."""
    tx.run_many(
        "insert into pace (rule, minute, n) values (?, ?, ?) on conflict do update set n = n + excluded.n",
        [(*place, count) for place, count in counts.items()],
    )


def forget_pace(tx: Transaction, rule: str, before: int) -> None:
    """Forget the minutes before one."""
    tx.run("delete from pace where rule = ? and minute < ?", (rule, before))


def minute_of(instant: Instant) -> int:
    """The minute, since 1970, in which an instant lies."""
    return instant // MINUTE
