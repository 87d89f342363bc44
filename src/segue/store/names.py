"""Queries for the names of events and traits that sources use and nobody declared, each known by its hash."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

import msgspec

from segue.api import Instant
from segue.store.database import Transaction

Sort = Literal["event", "trait"]
"""What has the name."""


class Undeclared(msgspec.Struct, frozen=True):
    """Of one source and sort: how many ``names`` it uses, how often something was ``left_out``, and when last (0 where
    it never was)."""

    source: str
    sort: Sort
    names: int
    left_out: int
    at: Instant


def find_names(tx: Transaction, source: str, sort: Sort, names: Collection[int]) -> set[int]:
    """Which of these the source has used before."""
    rows = tx.rows(
        "select name from undeclared_name where source = ? and sort = ? and name in (select value from json_each(?))",
        (source, sort, msgspec.json.encode(list(names)).decode()),
    )
    return {name for (name,) in rows}


def count_names(tx: Transaction, source: str, sort: Sort) -> int:
    """How many the source has used."""
    row = tx.row("select count(*) from undeclared_name where source = ? and sort = ?", (source, sort))
    return row[0] if row is not None else 0


def put_names(tx: Transaction, names: Collection[tuple[str, Sort, int]]) -> None:
    """Remember names, each with its source and sort."""
    tx.run_many("insert into undeclared_name (source, sort, name) values (?, ?, ?) on conflict do nothing", list(names))


def add_left_out(tx: Transaction, counts: Mapping[tuple[str, Sort], int], now: Instant) -> None:
    """Count what was left out, by source and sort."""
    tx.run_many(
        "insert into left_out (source, sort, total, at) values (?, ?, ?, ?) "
        "on conflict (source, sort) do update set total = total + excluded.total, at = excluded.at",
        [(*place, count, now) for place, count in counts.items()],
    )


def list_undeclared(tx: Transaction) -> list[Undeclared]:
    """How it stands with every source that uses such names, or had something left out."""
    rows = tx.rows(
        "select source, sort, sum(names), sum(total), max(at) from ("
        "select source, sort, count(*) as names, 0 as total, 0 as at from undeclared_name group by source, sort "
        "union all select source, sort, 0, total, at from left_out) group by source, sort order by source, sort"
    )
    return [Undeclared(*row) for row in rows]
