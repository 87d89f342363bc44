"""Every table that holds something of a customer, and what becomes of it when two customers turn out to be one.

Whoever adds such a table adds it here: merging, parting, export and erasure go by this list, and a test compares it
with the schema.
"""

from __future__ import annotations

from typing import Final

import msgspec


class Belonging(msgspec.Struct, frozen=True):
    """A table with a column ``customer``. ``merge`` are the statements, in order, that make what belongs to
    ``:gone`` belong to ``:kept``; afterwards nothing in it belongs to ``:gone``."""

    table: str
    merge: tuple[str, ...]


def _move(table: str, *conditions: str) -> Belonging:
    """Rows that simply become the other's; with conditions, by one statement each, for an index of its own."""
    statement = f"update {table} set customer = :kept where customer = :gone"
    return Belonging(table, tuple(f"{statement} and {condition}" for condition in conditions) or (statement,))


def _join(table: str, columns: str, conflict: str) -> Belonging:
    """Rows of which there is one for each of some further columns: ``conflict`` says what becomes of two."""
    return Belonging(
        table,
        (
            f"insert into {table} (customer, {columns}) select :kept, {columns} from {table} where customer = :gone "
            f"on conflict {conflict}",
            f"delete from {table} where customer = :gone",
        ),
    )


BELONGINGS: Final = (
    # Arrivals that brought only traits stay where they are: they say themselves whose they were.
    _move("event", "name is not null"),
    _move("journey", "live = 1", "live = 0"),
    _move("message"),
    _move("ignored"),
    _move("consent"),
    _join("entry", "rule, value, at", "(customer, rule, value) do update set at = max(at, excluded.at)"),
    _join("reaction", "channel, hour, n", "(customer, channel, hour) do update set n = n + excluded.n"),
    _join("assignment", "rule, split, arm", "do nothing"),
    # What was known of the one who goes is judged anew for both together: see segue.runtime.merging.
    Belonging("lookout", ()),
    # What was kept of either does not hold for both: it is counted anew where it is asked for, see store/aggregates.py.
    Belonging("long_history", ("delete from long_history where customer in (:kept, :gone)",)),
    Belonging(
        "aggregate_day",
        ("delete from aggregate_day where aggregate in (select id from aggregate) and customer in (:kept, :gone)",),
    ),
    # Nobody else's keys lead to a customer of whom only a device was known, so there are none to turn.
    Belonging("alias", ()),
)
