"""Every table that holds something of a customer, and what becomes of it when two customers turn out to be one, when a
customer asks for their data, and when they are erased.

Whoever adds a table adds it here: merging, parting, export and erasure go by this list, and a test compares it
with the schema.
"""

from __future__ import annotations

from typing import Final

import msgspec


class Belonging(msgspec.Struct, frozen=True):
    """A table with a column ``customer``. ``merge`` are the statements, in order, that make what belongs to
    ``:gone`` belong to ``:kept``; afterwards nothing in it belongs to ``:gone``.

    ``section`` is what an export calls it; empty where there is nothing to tell in it. An erasure deletes its rows:
    those that are ``inert``, which nothing looks at by itself and of which there may be many, in pieces after the
    others. ``conditions`` part the rows into kinds with an index of their own.
    """

    table: str
    merge: tuple[str, ...]
    section: str = ""
    inert: bool = False
    conditions: tuple[str, ...] = ()

    @property
    def wheres(self) -> tuple[str, ...]:
        """The conditions, one for each index, of the rows that belong to ``:gone``."""
        return tuple(f"customer = :gone and {one}" for one in self.conditions) or ("customer = :gone",)


class Linked(msgspec.Struct, frozen=True):
    """A table without such a column in which something leads to a customer all the same. ``select`` finds it, ``erase``
    takes away what leads to them, and says how many rows that were."""

    table: str
    section: str
    select: str
    erase: str


def _move(table: str, section: str, *conditions: str, inert: bool = False) -> Belonging:
    """Rows that simply become the other's; with conditions, by one statement each, for an index of its own."""
    statement = f"update {table} set customer = :kept where customer = :gone"
    merge = tuple(f"{statement} and {condition}" for condition in conditions) or (statement,)
    return Belonging(table, merge, section, inert, conditions)


def _join(table: str, section: str, columns: str, conflict: str) -> Belonging:
    """Rows of which there is one for each of some further columns: ``conflict`` says what becomes of two."""
    return Belonging(
        table,
        (
            f"insert into {table} (customer, {columns}) select :kept, {columns} from {table} where customer = :gone "
            f"on conflict {conflict}",
            f"delete from {table} where customer = :gone",
        ),
        section,
    )


BELONGINGS: Final = (
    _move("event", "events", "name is not null", "name is null", inert=True),
    _move("journey", "journeys", "live = 1", "live = 0"),
    _move("message", "messages"),
    _move("ignored", "ignored", inert=True),
    _move("hit", "hits"),
    _move("short_link", "short_links"),
    _move("consent", "consent"),
    _move("access", "looks"),
    _join("entry", "entries", "rule, value, at", "(customer, rule, value) do update set at = max(at, excluded.at)"),
    _join("reaction", "reactions", "channel, hour, n", "(customer, channel, hour) do update set n = n + excluded.n"),
    _join(
        "interest",
        "products",
        "product, bought, at",
        "(customer, product) do update set bought = max(bought, excluded.bought), at = max(at, excluded.at)",
    ),
    _join(
        "cart",
        "carts",
        "source, cart, touched, due, state",
        "(customer, source, cart) do update set touched = excluded.touched, due = excluded.due, state = excluded.state "
        "where excluded.touched > touched",
    ),
    # The log stays as it was written: whoever was two customers, in two arms, is seen to have been in both.
    _move("exposure", "exposures", inert=True),
    _join("assignment", "assignments", "rule, split, arm", "do nothing"),
    # What was known of the one who goes is judged anew for both together: see segue.runtime.merging.
    Belonging("lookout", (), "segments"),
    # What was kept of either does not hold for both: it is counted anew where it is asked for, see store/aggregates.py.
    Belonging("long_history", ("delete from long_history where customer in (:kept, :gone)",), "long_history"),
    Belonging(
        "aggregate_day",
        ("delete from aggregate_day where aggregate in (select id from aggregate) and customer in (:kept, :gone)",),
        "aggregates",
        conditions=("aggregate in (select id from aggregate)",),
    ),
    _move("alias", "aliases"),
    _move("joining", "joinings"),
    # Erasures that were asked for and not begun: erasing deletes none, they are the record of it.
    _move("erasure", ""),
)

_MINE: Final = (
    "(select key from customer where id = :gone union all select alias.key from alias where alias.customer = :gone)"
)


def _keyed(table: str, section: str, columns: str) -> Linked:
    """Rows by two identifiers, either of which is a customer's."""
    where = f"where key in {_MINE} or other in {_MINE}"
    return Linked(table, section, f"select {columns} from {table} {where}", f"delete from {table} {where}")


LINKED: Final = (
    _keyed("link", "links", "key, other, at"),
    _keyed("parting", "partings", "key, other, at"),
    Linked("crowded", "", "select key, at from crowded where false", f"delete from crowded where key in {_MINE}"),
    Linked(
        "parting_wanted",
        "",
        "select key, at from parting_wanted where false",
        f"delete from parting_wanted where key in {_MINE}",
    ),
    Linked(
        "coupon",
        "coupons",
        "select pool, code, at, expires, redeemed from coupon "
        "where journey in (select id from journey where customer = :gone)",
        # No journey is number 0: the code stays taken, and nobody has it.
        "update coupon set journey = 0, message = null "
        "where journey in (select id from journey where customer = :gone)",
    ),
)

IMPERSONAL: Final = frozenset(
    {
        *("meta", "secret", "numbered", "retained", "source_position", "source_clock"),  # the store's own
        "suppression",  # by address, which an erasure makes a hash: see segue.store.consent
        *("rejection", "rejected"),  # what mentions a customer is found by its text: see segue.store.mentions
        *("program", "book", "publication", "template", "name", "watch", "schedule"),  # rules, and what they name
        "trait_refused",  # counts, by the names of traits
        *("undeclared_name", "left_out"),  # how sources name things
        "aggregate",  # what is kept of long histories, by event
        *(
            "tally",
            "pace",
            "arm",
            "arm_hour",
            "spend",
            "crossing",
            "reaction_total",
            "pool",
            *("product", "bought_together"),
        ),  # counts; reasons in tallies are cleaned by segue.store.erasures
        *("import", "imported"),  # names of files, and hashes of message ids
        "import_piece",  # events that are about to be taken in, where a tombstone refuses them
        *("tombstone", "erasure_call"),  # what is left after an erasure
        *("account", "pause"),  # how providers and sending stand
        "customer",  # the row itself
    }
)
"""Tables of which an erasure deletes nothing by this list."""
