"""Queries for the names of events and traits that sources use and nobody declared."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

import msgspec

from segue.store.database import Transaction

Sort = Literal["event", "trait"]
"""What a limit is about: the names of a source's events, or of traits."""


class Undeclared(msgspec.Struct, frozen=True):
    """Of one source and sort: how many ``names`` it uses, and how often something was left out."""

    source: str
    sort: Sort
    names: int
    left_out: int


def find_names(tx: Transaction, source: str, sort: Sort, names: Collection[str]) -> set[str]:
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


def put_names(tx: Transaction, names: Collection[tuple[str, Sort, str]]) -> None:
    """Remember names, each with its source and sort."""
    tx.run_many("insert into undeclared_name (source, sort, name) values (?, ?, ?) on conflict do nothing", list(names))


def add_left_out(tx: Transaction, counts: Mapping[tuple[str, Sort], int]) -> None:
    """Count what was left out, by source and sort."""
    tx.run_many(
        "insert into left_out (source, sort, total) values (?, ?, ?) "
        "on conflict (source, sort) do update set total = total + excluded.total",
        [(*place, count) for place, count in counts.items()],
    )


def list_undeclared(tx: Transaction) -> list[Undeclared]:
    """How it stands with every source that uses such names, or had something left out."""
    rows = tx.rows(
        "select source, sort, sum(names), sum(total) from ("
        "select source, sort, count(*) as names, 0 as total from undeclared_name group by source, sort "
        "union all select source, sort, 0, total from left_out) group by source, sort order by source, sort"
    )
    return [Undeclared(*row) for row in rows]
