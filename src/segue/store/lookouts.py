"""Queries for what is watched for every customer: membership of segments, and dates that begin a rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from segue.api import Instant
from segue.store.database import Transaction


class Watch(msgspec.Struct, frozen=True):
    """A subject that is watched since ``at``: a segment, or a rule that a date of the customer begins. Of the customers
    that existed then, up to ``last``, those above ``cursor`` have not been looked at yet. ``definition`` is a hash of
    what the subject means, empty where it is to be forgotten."""

    subject: str
    definition: str
    at: Instant
    cursor: int
    last: int

    @property
    def complete(self) -> bool:
        """Whether every customer who existed has been looked at."""
        return self.cursor >= self.last


class Lookout(msgspec.Struct, frozen=True):
    """What is known of one customer and subject: whether they are a member, when to look again (None: time alone
    changes nothing), and the ``at`` of the watch under which this was found."""

    member: bool
    due: Instant | None
    since: Instant


Place = tuple[str, int]
"""A subject and a customer."""


def load_watches(tx: Transaction) -> dict[str, Watch]:
    """What is watched, by subject."""
    return {row[0]: Watch(*row) for row in tx.rows("select subject, definition, at, cursor, last from watch")}


def any_open(tx: Transaction) -> bool:
    """Whether anything is watched that not every customer has been looked at for."""
    return tx.row("select 1 from watch where cursor < last and definition <> '' limit 1") is not None


def begin_anew(tx: Transaction, subjects: Iterable[str], now: Instant) -> None:
    """Have every customer be looked at again for some subjects, as of a moment."""
    tx.run_many(
        "update watch set at = ?, cursor = 0, last = (select coalesce(max(id), 0) from customer) where subject = ?",
        [(now, subject) for subject in subjects],
    )


def put_watches(tx: Transaction, watches: Iterable[Watch]) -> None:
    """Begin to watch, or note how far the look at existing customers has come."""
    tx.run_many(
        "insert into watch (subject, definition, at, cursor, last) values (?, ?, ?, ?, ?) on conflict (subject) do "
        "update set definition = excluded.definition, at = excluded.at, cursor = excluded.cursor, last = excluded.last",
        [(one.subject, one.definition, one.at, one.cursor, one.last) for one in watches],
    )


def forget(tx: Transaction, subject: str, limit: int) -> bool:
    """A piece of forgetting a subject; True once nothing of it is left."""
    gone = tx.run(
        "delete from lookout where subject = ?1 and customer in "
        "(select customer from lookout where subject = ?1 order by customer limit ?2)",
        (subject, limit),
    )
    if gone < limit:
        tx.run("delete from watch where subject = ?", (subject,))
    return gone < limit


def load_lookouts(tx: Transaction, subjects: Iterable[str], customers: Iterable[int]) -> dict[Place, Lookout]:
    """What is known of these customers and subjects."""
    names, people = (msgspec.json.encode(list(one)).decode() for one in (subjects, customers))
    return {
        (subject, customer): Lookout(bool(member), due, since)
        for subject, customer, member, due, since in tx.rows(
            "select lookout.subject, lookout.customer, member, due, since from json_each(?) as subjects "
            "cross join json_each(?) as people "
            "cross join lookout on lookout.subject = subjects.value and lookout.customer = people.value",
            (names, people),
        )
    }


def load_due(tx: Transaction, now: Instant, limit: int) -> list[tuple[Instant, str, int]]:
    """What is to be looked at, the earliest first: when, subject, customer."""
    return [
        (due, subject, customer)
        for due, subject, customer in tx.rows(
            "select due, subject, customer from lookout where due <= ? order by due, customer, subject limit ?",
            (now, limit),
        )
    ]


def next_due(tx: Transaction) -> Instant | None:
    """When there is something to look at next."""
    row = tx.row("select min(due) from lookout where due is not null")
    return row[0] if row is not None else None


def put_lookouts(tx: Transaction, rows: Mapping[Place, Lookout]) -> None:
    """Write what is known now."""
    tx.run_many(
        "insert into lookout (subject, customer, member, due, since) values (?, ?, ?, ?, ?) on conflict do update set "
        "member = excluded.member, due = excluded.due, since = excluded.since",
        [(*place, int(one.member), one.due, one.since) for place, one in rows.items()],
    )


def load_range(tx: Transaction, subject: str, first: int, last: int) -> list[tuple[int, bool, Instant]]:
    """What is known of a subject and a range of customers, in order: customer, whether they are a member, and under
    which watch that was found."""
    return [
        (customer, bool(member), since)
        for customer, member, since in tx.rows(
            "select customer, member, since from lookout where subject = ? and customer between ? and ? "
            "order by customer",
            (subject, first, last),
        )
    ]


def put_range(
    tx: Transaction, watch: Watch, customers: Sequence[int], member: Sequence[bool], due: Sequence[Instant | None]
) -> None:
    """Write what a look at many customers found."""
    subject, since = watch.subject, watch.at
    tx.run_many(
        "insert into lookout (subject, customer, member, due, since) values (?, ?, ?, ?, ?) on conflict do update set "
        "member = excluded.member, due = excluded.due, since = excluded.since",
        [(subject, *row, since) for row in zip(customers, map(int, member), due, strict=True)],
    )


def remove_lookouts(tx: Transaction, places: Iterable[Place]) -> None:
    """There is nothing more to know of these."""
    tx.run_many("delete from lookout where subject = ? and customer = ?", places)


def stop_after(tx: Transaction, subject: str, moment: Instant) -> None:
    """A subject is not looked at any more after a moment."""
    tx.run("update lookout set due = null where subject = ? and due > ?", (subject, moment))


def postpone_earliest(tx: Transaction, now: Instant, until: Instant) -> str:
    """Have what is to be looked at first wait until another moment. Its subject and customer; empty where nothing is
    due."""
    found = load_due(tx, now, 1)
    for _, subject, customer in found:
        tx.run("update lookout set due = ? where subject = ? and customer = ?", (until, subject, customer))
    return ", ".join(f"{subject} of customer {customer}" for _, subject, customer in found)
