"""Queries for customers: who is who, their traits and their history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.customers.consent import Stand
from segue.customers.traits import Origins, decode_origins, encode_origins
from segue.customers.zones import zone_of
from segue.program.facts import Past
from segue.store.belongings import BELONGINGS
from segue.store.database import Transaction
from segue.store.identity import put_identifiers

_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode
_encode: Final = msgspec.json.Encoder().encode

decode_consent: Final = msgspec.json.Decoder(dict[str, Stand]).decode
"""Reads what stands of a customer's consent, as it is stored."""


class CustomerRow(msgspec.Struct):
    """A customer as stored. ``key`` is the identifier that the customer goes by: see `segue.customers.identity`.
    ``origins`` say where each trait is from. ``consent`` is what stands of what they said about being written to: see
    `segue.customers.consent`. ``seed`` is the id by which they were first known, empty where that is still theirs."""

    row: int
    key: str
    traits: dict[str, Any]
    consent: dict[str, Stand]
    seed: str = ""
    stored_origins: bytes | None = None
    """The origins as they are stored, until somebody asks for them."""
    read_origins: Origins | None = None

    @property
    def origins(self) -> Origins:
        if self.read_origins is None:
            self.read_origins = decode_origins(self.stored_origins)
        return self.read_origins

    @origins.setter
    def origins(self, origins: Origins) -> None:
        self.read_origins = origins


class EventRow(msgspec.Struct, frozen=True):
    """An event as it is written to history; ``rest`` is the JSON of what a replay needs besides."""

    row: int
    hash: int
    message_id: str
    customer: int | None
    name: str | None
    at: Instant
    received: Instant
    kind: int
    fields: bytes
    rest: bytes | None


def hash_id(message_id: str) -> int:
    """A 64-bit hash of a message id, to find candidates for a duplicate with."""
    digest = blake2b(message_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def find_seen(tx: Transaction, hashes: Iterable[int]) -> set[str]:
    """Message ids that arrived before, among those with these hashes."""
    wanted = msgspec.json.encode(list(hashes)).decode()
    return {
        message_id
        for (message_id,) in tx.rows(
            "select message_id from event where hash in (select value from json_each(?))", (wanted,)
        )
    }


def find_owners(tx: Transaction, hashes: Iterable[int]) -> dict[str, str]:
    """By message id the key of the customer whose event it is, of events that arrived before, among those with these
    hashes."""
    wanted = msgspec.json.encode(list(hashes)).decode()
    return dict(
        tx.rows(
            "select event.message_id, customer.key from event join customer on customer.id = event.customer "
            "where event.hash in (select value from json_each(?))",
            (wanted,),
        )
    )


def load_customers(tx: Transaction, rows: Iterable[int]) -> dict[int, CustomerRow]:
    """Customers by number."""
    wanted = msgspec.json.encode(list(rows)).decode()
    return {
        row: CustomerRow(
            row,
            key,
            _decode(traits) if traits else {},
            decode_consent(consent) if consent else {},
            seed or "",
            origins,
        )
        for row, key, traits, consent, seed, origins in tx.rows(
            "select id, key, traits, consent, seed, origins from customer where id in (select value from json_each(?))",
            (wanted,),
        )
    }


def insert_customers(tx: Transaction, customers: Iterable[CustomerRow]) -> None:
    """Write new customers."""
    tx.run_many(
        "insert into customer (id, key, traits, consent, zone, seed, origins) values (?, ?, ?, ?, ?, ?, ?)",
        map(_columns, customers),
    )


def update_customers(tx: Transaction, customers: Iterable[CustomerRow]) -> None:
    """Write what changed in customers that are stored."""
    tx.run_many(
        "update customer set key = ?2, traits = ?3, consent = ?4, zone = ?5, seed = ?6, origins = ?7 where id = ?1",
        map(_columns, customers),
    )


def _columns(customer: CustomerRow) -> tuple[Any, ...]:
    return (
        customer.row,
        customer.key,
        _encode(customer.traits) if customer.traits else None,
        _encode(customer.consent) if customer.consent else None,
        zone_of(customer.traits) if customer.traits else None,
        customer.seed or None,
        encode_origins(customer.read_origins) if customer.read_origins is not None else customer.stored_origins,
    )


def merge_customers(tx: Transaction, kept: CustomerRow, gone: CustomerRow) -> None:
    """Make everything of one customer another's, and write the latter as it is given.
    What the one that goes went by becomes a further identifier."""
    update_customers(tx, [kept])
    for belonging in BELONGINGS:
        for statement in belonging.merge:
            tx.run(statement, {"kept": kept.row, "gone": gone.row})
    tx.run("delete from customer where id = ?", (gone.row,))
    put_identifiers(tx, {gone.key: kept.row})


def find_by_trait(tx: Transaction, trait: str, value: str) -> list[int]:
    """Customers whose trait is that very text, by number. A scan: for addresses that do not identify, which only a
    channel of somebody's own has."""
    return [
        row
        for (row,) in tx.rows(
            "select id from customer where json_extract(traits, ?) = ? order by id", (f"$.{trait}", value)
        )
    ]


def load_names(tx: Transaction) -> frozenset[str]:
    """The names of all events that ever arrived."""
    return frozenset(name for (name,) in tx.rows("select name from name"))


def name_numbers(tx: Transaction, names: Iterable[str]) -> dict[str, int]:
    """The numbers of event names; a new name gets one."""
    known: dict[str, int] = tx.store.caches.setdefault("names", {})
    if not known:
        known.update(tx.rows("select name, id from name"))
    for name in names:
        if name not in known:
            number = tx.store.ids.take("name")
            tx.run("insert into name (id, name) values (?, ?)", (number, name))
            known[name] = number
    return known


def insert_events(tx: Transaction, events: Sequence[EventRow]) -> None:
    """Append to history, in order of arrival. Whoever calls this for customers who may have events already, and does
    not count them as a turn does, calls `segue.store.aggregates.forget` too."""
    numbers = name_numbers(tx, {event.name for event in events if event.name is not None})
    tx.run_many(
        "insert into event (id, hash, message_id, customer, name, at, received, kind, fields, rest) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                event.row,
                event.hash,
                event.message_id,
                event.customer,
                numbers[event.name] if event.name is not None else None,
                event.at,
                event.received,
                event.kind,
                event.fields or None,
                event.rest,
            )
            for event in events
        ],
    )


def load_history(tx: Transaction, customers: Iterable[int], names: Iterable[str]) -> dict[tuple[int, str], list[Past]]:
    """The past events of these names, by customer and name, in no particular order. One query for the whole batch."""
    numbers = name_numbers(tx, ())
    wanted = {numbers[name]: name for name in names if name in numbers}
    if not wanted:
        return {}
    found: dict[tuple[int, str], list[Past]] = {}
    people = msgspec.json.encode(list(customers)).decode()
    marks = ", ".join("?" * len(wanted))
    for customer, name, at, order, fields in tx.rows(
        "select event.customer, event.name, event.at, event.id, event.fields from json_each(?) as wanted "
        f"cross join event on event.customer = wanted.value and event.name in ({marks})",
        (people, *wanted),
    ):
        found.setdefault((customer, wanted[name]), []).append(Past(at, order, fields or b""))
    return found


def add_reaction(tx: Transaction, customer: int, channel: str, hour: int) -> None:
    """Count a reaction to a message on a channel, in an hour of the customer's own week, from Monday 00:00."""
    tx.run(
        "insert into reaction (customer, channel, hour, n) values (?, ?, ?, 1) "
        "on conflict (customer, channel, hour) do update set n = n + 1",
        (customer, channel, hour),
    )
    tx.run(
        "insert into reaction_total (hour, n) values (?, 1) on conflict (hour) do update set n = n + 1",
        (hour,),
    )


def load_all_reactions(tx: Transaction) -> list[tuple[int, int]]:
    """How often all customers together reacted: hour, times, the hours as in `load_reactions`."""
    return tx.rows("select hour, n from reaction_total order by hour")


def load_reactions(tx: Transaction, customer: int) -> list[tuple[str, int, int]]:
    """How often the customer reacted: channel, hour of their week, times. Hours from 168 on are those of days of which
    nobody noted which they were."""
    return tx.rows("select channel, hour, n from reaction where customer = ? order by channel, hour", (customer,))
