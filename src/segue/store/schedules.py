"""Queries for recurring and dated triggers: a row for each rule and zone."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from segue.api import Instant
from segue.store.database import Transaction

_SCAN = 10
"""How many rows may be passed over for each customer wanted: a piece must stay short where hardly anyone lives in the
project's zone."""


class Schedule(msgspec.Struct, frozen=True):
    """The next moment of a rule in a zone; ``zone`` empty is the project's own. ``definition`` is a hash of the
    trigger. While the moment's customers enter, ``last`` is the newest that existed as it came (None: not begun), and
    those up to ``cursor`` have had their turn. ``due`` None: no moment is left."""

    rule: str
    zone: str
    definition: str
    due: Instant | None
    cursor: int = 0
    last: int | None = None


_COLUMNS = "rule, zone, definition, due, cursor, last"


def load_schedules(tx: Transaction) -> list[Schedule]:
    """All of them."""
    return [Schedule(*row) for row in tx.rows(f"select {_COLUMNS} from schedule order by rule, zone")]


def load_due(tx: Transaction, now: Instant) -> Schedule | None:
    """The schedule whose moment came first."""
    row = tx.row(f"select {_COLUMNS} from schedule where due <= ? order by due, rule, zone limit 1", (now,))
    return Schedule(*row) if row is not None else None


def next_due(tx: Transaction) -> Instant | None:
    """When the next moment comes."""
    row = tx.row("select min(due) from schedule where due is not null")
    return row[0] if row is not None else None


def put_schedules(tx: Transaction, schedules: Iterable[Schedule]) -> None:
    """Write schedules, new or moved on."""
    tx.store.caches.pop("zones", None)
    tx.run_many(
        f"insert into schedule ({_COLUMNS}) values (?, ?, ?, ?, ?, ?) on conflict (rule, zone) do update set "
        "definition = excluded.definition, due = excluded.due, cursor = excluded.cursor, last = excluded.last",
        [(one.rule, one.zone, one.definition, one.due, one.cursor, one.last) for one in schedules],
    )


def remove_schedules(tx: Transaction, schedules: Iterable[Schedule]) -> None:
    """Schedules of rules that have none any more."""
    tx.store.caches.pop("zones", None)
    tx.run_many("delete from schedule where rule = ? and zone = ?", [(one.rule, one.zone) for one in schedules])


def scheduled_zones(tx: Transaction) -> set[str]:
    """The zones that have schedules of their own."""
    known: dict[str, bool] = tx.store.caches.setdefault("zones", {})
    if not known:
        known[""] = True
        known.update((zone, True) for (zone,) in tx.rows("select distinct zone from schedule"))
    return set(known)


def customer_zones(tx: Transaction) -> list[str]:
    """The zones that customers have, found by leaps over the index."""
    return [
        zone
        for (zone,) in tx.rows(
            "with recursive found (zone) as (select min(zone) from customer where zone is not null union all "
            "select (select min(zone) from customer where zone > found.zone) from found where found.zone is not null) "
            "select zone from found where zone is not null"
        )
    ]


def newest_customer(tx: Transaction) -> int:
    """The number of the newest customer."""
    row = tx.row("select coalesce(max(id), 0) from customer")
    return int(row[0]) if row is not None else 0


def load_customers_in(
    tx: Transaction, zone: str | None, after: int, last: int, limit: int
) -> tuple[list[int], int | None]:
    """A piece of the customers above ``after``, up to ``last``: those of a zone (empty: those without one), or all
    (None). Gives them, and from where to go on (None: that was the end)."""
    if zone:
        rows = tx.rows(
            "select id from customer where zone = ? and id > ? and id <= ? order by id limit ?",
            (zone, after, last, limit),
        )
        found = [row for (row,) in rows]
        return found, found[-1] if len(found) == limit else None
    scan = limit if zone is None else limit * _SCAN
    seen = tx.rows("select id, zone from customer where id > ? and id <= ? order by id limit ?", (after, last, scan))
    found = [row for row, place in seen if zone is None or place is None]
    if len(found) > limit:
        del found[limit:]
        return found, found[-1]
    return found, seen[-1][0] if len(seen) == scan else None


def stop_after(tx: Transaction, rule: str, moment: Instant) -> None:
    """The calendar of a rule ends at a moment."""
    tx.run("update schedule set due = null where rule = ? and due > ?", (rule, moment))


def pass_over_one(tx: Transaction, now: Instant) -> str:
    """Leave out the next customer of the moment that came first. Says whom; empty where nothing is due."""
    one = load_due(tx, now)
    if one is None:
        return ""
    last = one.last if one.last is not None else newest_customer(tx)
    found = tx.row("select min(id) from customer where id > ? and id <= ?", (one.cursor, last))
    customer = found[0] if found is not None and found[0] is not None else last
    put_schedules(tx, [msgspec.structs.replace(one, cursor=customer, last=last)])
    return f"{one.rule} of customer {customer}"
