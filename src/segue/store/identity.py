"""Queries for who is who: identifiers, what links them, what was parted, and who turned out to be one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from segue.api import Instant
from segue.customers.identity import Link
from segue.store.database import Transaction


class Joining(msgspec.Struct, frozen=True):
    """Two customers were found to be one: ``kept`` and ``was`` are the identifiers that they went by; ``key`` and
    ``other`` came together in the event ``message_id`` of ``at``, which showed it. ``gone`` is the number of the
    customer who is no more, None where only a visitor got a name."""

    customer: int
    kept: str
    was: str
    at: Instant
    key: str
    other: str
    message_id: str
    gone: int | None = None


def _json(values: Iterable[object]) -> str:
    return msgspec.json.encode(list(values)).decode()


def find_customers(tx: Transaction, keys: Collection[str]) -> tuple[dict[str, int], set[str]]:
    """Whose identifiers these are, and which of them several customers use. The one place where an identifier is
    looked up."""
    found: dict[str, int] = dict(
        tx.rows("select key, id from customer where key in (select value from json_each(?))", (_json(keys),))
    )
    shared: set[str] = set()
    # A user id is mostly a customer's own key; any other identifier may be shared even where it is.
    further = [key for key in keys if key[0] != "u" or key not in found]
    if further:
        for key, customer, several in tx.rows(
            "select key, customer, shared from alias where key in (select value from json_each(?))", (_json(further),)
        ):
            found[key] = customer
            if several:
                shared.add(key)
    return found, shared


def put_identifiers(tx: Transaction, owners: Mapping[str, int]) -> None:
    """Identifiers of customers, beside the one that each goes by."""
    tx.run_many(
        "insert into alias (key, customer) values (?, ?) on conflict (key) do update set customer = excluded.customer",
        owners.items(),
    )


def set_shared(tx: Transaction, shared: Mapping[str, bool], owners: Mapping[str, int]) -> None:
    """Which identifiers several customers use."""
    tx.run_many(
        "insert into alias (key, customer, shared) values (?, ?, ?) "
        "on conflict (key) do update set customer = excluded.customer, shared = excluded.shared",
        [(key, owners[key], several) for key, several in shared.items()],
    )


def remove_identifiers(tx: Transaction, keys: Iterable[str]) -> None:
    """Identifiers that their customer goes by, and that nobody else uses."""
    tx.run("delete from alias where key in (select value from json_each(?))", (_json(keys),))


def identifiers_of(tx: Transaction, customer: int) -> list[str]:
    """All identifiers of a customer, the one that the customer goes by first."""
    return [
        key
        for (key,) in tx.rows(
            "select key from customer where id = ?1 "
            "union all select * from (select alias.key from alias join customer on customer.id = alias.customer "
            "where alias.customer = ?1 and alias.key != customer.key order by alias.key)",
            (customer,),
        )
    ]


def further_identifiers(tx: Transaction, customers: Collection[int]) -> set[str]:
    """All identifiers of customers but those that they go by, which may not be stored yet."""
    return {
        key
        for (key,) in tx.rows(
            "select key from alias where customer in (select value from json_each(?))", (_json(customers),)
        )
    }


def owners_of(tx: Transaction, key: str) -> list[int]:
    """Every customer with whom an identifier was seen, also where it is another's: who shares a phone number."""
    found, shared = find_customers(tx, (key,))
    if key not in shared:
        return list(found.values())
    others = {end for link in load_links(tx, (key,)) for end in (link.key, link.other)}
    return sorted(set(find_customers(tx, others)[0].values()))


# Links


def find_links(tx: Transaction, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[Instant, str]]:
    """The first event that showed each of these pairs."""
    return {
        (key, other): (at, message_id)
        for key, other, at, message_id in tx.rows(
            "select link.key, link.other, at, message_id from json_each(?) as wanted cross join link "
            "on link.key = json_extract(wanted.value, '$[0]') and link.other = json_extract(wanted.value, '$[1]')",
            (_json(pairs),),
        )
    }


def count_links(tx: Transaction, keys: Collection[str], limit: int) -> dict[str, int]:
    """How many links each identifier has, counted as far as ``limit``."""
    return dict(
        tx.rows(
            "select value, (select count(*) from (select 1 from link where key = wanted.value "
            "union all select 1 from link where other = wanted.value limit ?2)) from json_each(?1) as wanted",
            (_json(keys), limit),
        )
    )


def put_crowded(tx: Transaction, keys: Iterable[str], at: Instant) -> None:
    """Identifiers that have more links than one person ever has."""
    tx.run_many("insert or ignore into crowded (key, at) values (?, ?)", [(key, at) for key in keys])


def load_crowded(tx: Transaction) -> list[tuple[str, Instant]]:
    """Identifiers that link nobody any more, and since when, the latest first."""
    return tx.rows("select key, at from crowded order by at desc, key")


def load_links(tx: Transaction, keys: Collection[str]) -> set[Link]:
    """All links of some identifiers."""
    wanted = _json(keys)
    return {
        Link(at, message_id, key, other)
        for key, other, at, message_id in tx.rows(
            "select key, other, at, message_id from link where key in (select value from json_each(?1)) "
            "union all select key, other, at, message_id from link where other in (select value from json_each(?1))",
            (wanted,),
        )
    }


def links_among(tx: Transaction, keys: Collection[str]) -> set[Link]:
    """The links of some identifiers with each other."""
    return {
        Link(at, message_id, key, other)
        for key, other, at, message_id in tx.rows(
            "select key, other, at, message_id from link where key in (select value from json_each(?1)) "
            "and other in (select value from json_each(?1))",
            (_json(keys),),
        )
    }


def latest_link(tx: Transaction, keys: Collection[str], without: str) -> tuple[Instant, str] | None:
    """The latest moment, and event, at which one of some identifiers was first seen with another; one event does not
    count."""
    found = tx.row(
        "select at, message_id from (select at, message_id from link where key in (select value from json_each(?1)) "
        "union all select at, message_id from link where other in (select value from json_each(?1))) "
        "where message_id != ?2 order by at desc, message_id desc limit 1",
        (_json(keys), without),
    )
    return (found[0], found[1]) if found is not None else None


def user_before(tx: Transaction, key: str, at: Instant, without: str) -> str | None:
    """With whom an identifier was last seen for the first time by a moment; one event does not count."""
    found = tx.row(
        "select other from link where key = ? and at <= ? and message_id != ? "
        "order by at desc, message_id desc limit 1",
        (key, at, without),
    )
    return found[0] if found is not None else None


def put_links(tx: Transaction, links: Iterable[Link]) -> None:
    """New links, or ones that were seen earlier than was known."""
    tx.run_many(
        "insert into link (key, other, at, message_id) values (?, ?, ?, ?) "
        "on conflict (key, other) do update set at = excluded.at, message_id = excluded.message_id",
        [(link.key, link.other, link.at, link.message_id) for link in links],
    )


def awaited(tx: Transaction, users: Collection[str]) -> set[str]:
    """Those of new user ids that an alias named as the previous one before they were ever seen."""
    return {
        key for (key,) in tx.rows("select key from link where key in (select value from json_each(?))", (_json(users),))
    }


# Partings and joinings


def load_partings(tx: Transaction, keys: Collection[str]) -> set[tuple[str, str]]:
    """The pairs with one of these identifiers that were parted."""
    wanted = _json(keys)
    return set(
        tx.rows(
            "select key, other from parting where key in (select value from json_each(?1)) "
            "union select key, other from parting where other in (select value from json_each(?1))",
            (wanted,),
        )
    )


def load_parted(tx: Transaction, keys: Collection[str]) -> list[tuple[Instant, str, str]]:
    """The same with their moments: of each pair the identifier that was parted comes first."""
    wanted = _json(keys)
    return tx.rows(
        "select at, key, other from parting where key in (select value from json_each(?1)) "
        "or other in (select value from json_each(?1)) order by at, key, other",
        (wanted,),
    )


def put_partings(tx: Transaction, key: str, others: Iterable[str], at: Instant) -> None:
    """An identifier is never to be one with others again."""
    tx.run_many("insert or ignore into parting (key, other, at) values (?, ?, ?)", [(key, one, at) for one in others])


def want_parting(tx: Transaction, key: str, at: Instant) -> int:
    """Have whoever holds the store part an identifier from its customer; gives the number of the wish."""
    tx.run("insert into parting_wanted (key, at) values (?, ?)", (key, at))
    row = tx.row("select last_insert_rowid()")
    assert row is not None
    return int(row[0])


def wanted_partings(tx: Transaction) -> list[tuple[int, str]]:
    """Identifiers to be parted, with the numbers of the wishes."""
    return tx.rows("select id, key from parting_wanted order by id")


def parting_done(tx: Transaction, number: int) -> None:
    """A wish was carried out."""
    tx.run("delete from parting_wanted where id = ?", (number,))


def put_joining(tx: Transaction, joining: Joining) -> None:
    """Note that two customers are one."""
    tx.run(
        "insert into joining (customer, kept, was, gone, at, key, other, message_id) values (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            joining.customer,
            joining.kept,
            joining.was,
            joining.gone,
            joining.at,
            joining.key,
            joining.other,
            joining.message_id,
        ),
    )


def load_joinings(tx: Transaction, customer: int) -> list[Joining]:
    """Everybody who was found to be this customer, in the order in which that was found."""
    return [
        Joining(*row)
        for row in tx.rows(
            "select customer, kept, was, at, key, other, message_id, gone from joining where customer = ? order by id",
            (customer,),
        )
    ]
