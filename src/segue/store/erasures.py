"""Queries for erasures: what was asked for, deleting what belongs to a customer, and what channels have to erase.

What is left afterwards says when, by whom and how much, and nothing about whom; hashes of their identifiers make sure
that nothing which happened before brings them back.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from segue.api import Forget, Instant, Message
from segue.customers.pseudonyms import Mark, bury
from segue.store.belongings import BELONGINGS, LINKED
from segue.store.database import Transaction

ASKED: Final = 0
DELETING: Final = 1
DONE: Final = 2

What = Literal["forget", "retract"]

_NUMBERED: Final = ("customer", "event", "journey", "message")
"""Tables whose rows are named by number elsewhere, in memory or in a plugin's answer under way."""


class Erasure(msgspec.Struct, frozen=True):
    """One erasure. ``deleted`` is how many rows of which table; ``customer`` their number while rows are left.
    ``texts`` is what they were known by, until rejections were searched for it up to ``cursor`` and no more are
    left."""

    number: int
    state: int
    who: str
    asked: Instant
    begun: Instant | None = None
    done: Instant | None = None
    purged: Instant | None = None
    customer: int | None = None
    deleted: Mapping[str, int] = {}
    texts: tuple[str, ...] = ()
    cursor: int = 0


class Call(msgspec.Struct, frozen=True):
    """What a channel is asked to do for an erasure: to erase a customer, or to take a message back. ``body`` is None
    once it answered for good; ``answer`` is empty where it did so."""

    number: int
    erasure: int
    channel: str
    what: What
    body: bytes | None
    due: Instant | None
    tries: int = 0
    answered: Instant | None = None
    answer: str = ""


def secret(tx: Transaction) -> bytes:
    """What this store's hashes of identifiers are made with."""
    known = tx.row("select key from secret")
    assert known is not None, "the migration that makes it has run"
    return bytes(known[0])


# What was asked for


def ask(tx: Transaction, customer: int, who: str, now: Instant) -> int:
    """Ask for an erasure; gives its number. One that was asked for already and has not begun is that one."""
    known = tx.row("select id from erasure where customer = ? and state = ?", (customer, ASKED))
    if known is not None:
        return int(known[0])
    row = tx.row(
        "insert into erasure (state, who, asked, customer) values (?, ?, ?, ?) returning id",
        (ASKED, who, now, customer),
    )
    assert row is not None
    return int(row[0])


def find_erasure(tx: Transaction, number: int) -> Erasure | None:
    """An erasure by number."""
    found = _select(tx, "id = ?", (number,))
    return found[0] if found else None


def load_erasures(tx: Transaction) -> list[Erasure]:
    """All of them, the oldest first."""
    return _select(tx, "true", ())


def load_open(tx: Transaction) -> list[Erasure]:
    """Those that are not done with, the oldest first."""
    return _select(tx, "state < 2 or purged is null", ())


def _select(tx: Transaction, where: str, values: tuple[object, ...]) -> list[Erasure]:
    return [
        Erasure(
            number,
            state,
            who,
            asked,
            begun,
            done,
            purged,
            customer,
            _counts.decode(deleted) if deleted else {},
            _texts.decode(texts) if texts else (),
            cursor,
        )
        for number, state, who, asked, begun, done, purged, customer, deleted, texts, cursor in tx.rows(
            "select id, state, who, asked, begun, done, purged, customer, deleted, texts, cursor from erasure "
            f"where {where} order by id",
            values,
        )
    ]


_counts: Final = msgspec.json.Decoder(dict[str, int])
_texts: Final = msgspec.json.Decoder(tuple[str, ...])


def put_erasures(tx: Transaction, found: Iterable[Erasure]) -> None:
    """Write how far erasures have come."""
    tx.run_many(
        "update erasure set state = ?, begun = ?, done = ?, purged = ?, customer = ?, deleted = ?, texts = ?, "
        "cursor = ? where id = ?",
        [
            (
                *(one.state, one.begun, one.done, one.purged, one.customer, msgspec.json.encode(one.deleted)),
                *(msgspec.json.encode(one.texts) if one.texts else None, one.cursor, one.number),
            )
            for one in found
        ],
    )


# Deleting


def count_all(tx: Transaction, customer: int) -> dict[str, int]:
    """How many rows of each table an erasure would delete."""
    counts: Counter[str] = Counter({"customer": 1})
    for belonging in BELONGINGS:
        if belonging.section:
            for where in belonging.wheres:
                row = tx.row(f"select count(*) from {belonging.table} where {where}", {"gone": customer})
                counts[belonging.table] += row[0] if row is not None else 0
    for link in LINKED:
        counts[link.table] += len(tx.rows(link.select, {"gone": customer}))
    return {table: n for table, n in counts.items() if n}


def delete_live(tx: Transaction, customer: int) -> Counter[str]:
    """Delete all of a customer that something looks at by itself, the customer's own row among it. Gives how many rows
    of which table."""
    for table in _NUMBERED:
        _keep_number(tx, table)
    deleted: Counter[str] = Counter()
    for link in LINKED:
        deleted[link.table] += tx.run(link.erase, {"gone": customer})
    for belonging in BELONGINGS:
        if belonging.section and not belonging.inert:
            for where in belonging.wheres:
                deleted[belonging.table] += tx.run(f"delete from {belonging.table} where {where}", {"gone": customer})
    deleted["customer"] += tx.run("delete from customer where id = ?", (customer,))
    return deleted


def delete_piece(tx: Transaction, customer: int, limit: int) -> Counter[str]:
    """Delete at most ``limit`` of the rows that are left of a customer; an empty count where none was."""
    deleted: Counter[str] = Counter()
    for belonging in BELONGINGS:
        for where in belonging.wheres if belonging.inert else ():
            room = limit - deleted.total()
            if room > 0:
                if belonging.table == "event":
                    _blank_origins(tx, customer, where, room)
                deleted[belonging.table] += tx.run(
                    f"delete from {belonging.table} where id in "
                    f"(select id from {belonging.table} where {where} order by id limit :room)",
                    {"gone": customer, "room": room},
                )
    return +deleted


def _blank_origins(tx: Transaction, customer: int, where: str, room: int) -> None:
    """An event that named nobody and reached the customer by a value is kept once more by itself: nothing of it is left
    but that it came."""
    ending = f"/{customer}"
    origins = [
        message_id.removesuffix(ending)
        for (message_id,) in tx.rows(
            f"select message_id from event where {where} and kind = 2 and message_id like :ending "
            "order by id limit :room",
            {"gone": customer, "ending": f"%{ending}", "room": room},
        )
    ]
    if origins:
        from segue.store.customers import hash_id

        tx.run_many(
            "update event set fields = null, rest = null where hash = ? and message_id = ? and customer is null",
            [(hash_id(origin), origin) for origin in origins],
        )


def _keep_number(tx: Transaction, table: str) -> None:
    """Rows of the table are to be deleted: none that comes gets the number of one that was."""
    tx.run(
        f'insert into numbered ("table", last) select ?, coalesce(max(id), 0) from {table} where true '
        'on conflict ("table") do update set last = max(last, excluded.last)',
        (table,),
    )


def keep_numbers(tx: Transaction) -> None:
    """Rows are to be deleted: none that comes gets the number of one that was."""
    for table in _NUMBERED:
        _keep_number(tx, table)


def clean_tallies(tx: Transaction, texts: Iterable[str]) -> None:
    """Take texts about a customer out of the reasons that tallies count by: a provider's refusal may name the
    address."""
    words = sorted({text for text in texts if len(text) > 2}, key=len, reverse=True)
    if not words:
        return
    pattern = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, words)) + r")(?!\w)", re.IGNORECASE)
    for rule, what, reason, n in tx.rows("select rule, what, reason, n from tally where reason <> ''"):
        clean = pattern.sub("…", reason)
        if clean != reason:
            tx.run("delete from tally where rule = ? and what = ? and reason = ?", (rule, what, reason))
            tx.run(
                "insert into tally (rule, what, reason, n) values (?, ?, ?, ?) "
                "on conflict (rule, what, reason) do update set n = n + excluded.n",
                (rule, what, clean, n),
            )


# Tombstones


def put_tombstones(tx: Transaction, erasure: int, at: Instant, marks: Iterable[Mark]) -> None:
    """Remember, as hashes, whom nothing dated up to ``at`` brings back."""
    key = secret(tx)
    tx.run_many(
        "insert into tombstone (hash, at, erasure) values (?, ?, ?) "
        "on conflict (hash) do update set at = max(at, excluded.at), erasure = excluded.erasure",
        [(bury(key, one), at, erasure) for one in marks],
    )
    tx.store.caches.pop("tombstones", None)


def any_tombstone(tx: Transaction) -> bool:
    """Whether anybody was ever erased here."""
    known = tx.store.caches.setdefault("tombstones", {})
    if "any" not in known:
        known["any"] = tx.row("select 1 from tombstone limit 1") is not None
    return bool(known["any"])


def find_tombstones(tx: Transaction, marks: Iterable[Mark]) -> dict[Mark, Instant]:
    """Of these identifiers, those of customers who were erased, and when. One query for all of them."""
    key = secret(tx)
    hashes = {bury(key, one): one for one in marks}
    wanted = msgspec.json.encode([one.hex() for one in hashes]).decode()
    return {
        hashes[found]: Instant(at)
        for found, at in tx.rows(
            "select hash, at from tombstone where hash in (select unhex(value) from json_each(?))", (wanted,)
        )
    }


def erasures_of(tx: Transaction, marks: Iterable[Mark]) -> set[int]:
    """The erasures of whoever had one of these identifiers."""
    key = secret(tx)
    wanted = msgspec.json.encode([bury(key, one).hex() for one in marks]).decode()
    return {
        number
        for (number,) in tx.rows(
            "select erasure from tombstone where hash in (select unhex(value) from json_each(?))", (wanted,)
        )
    }


# What channels have to erase

_CALL: Final = "id, erasure, channel, what, body, due, tries, answered, coalesce(answer, '')"


def put_calls(tx: Transaction, erasure: int, calls: Iterable[tuple[str, Forget | Message, Instant]]) -> None:
    """Have channels be asked from a moment on: to forget a customer, or to take a message back."""
    tx.run_many(
        "insert into erasure_call (erasure, channel, what, body, due) values (?, ?, ?, ?, ?)",
        [
            (erasure, channel, "forget" if isinstance(body, Forget) else "retract", msgspec.json.encode(body), due)
            for channel, body, due in calls
        ],
    )


def load_due_calls(tx: Transaction, channel: str, now: Instant, limit: int) -> list[Call]:
    """What a channel is to be asked now, the earliest first."""
    return _select_calls(tx, "channel = ? and due <= ? order by due, id limit ?", (channel, now, limit))


def load_calls(tx: Transaction, erasure: int) -> list[Call]:
    """What channels were asked for an erasure."""
    return _select_calls(tx, "erasure = ? order by id", (erasure,))


def count_waiting(tx: Transaction) -> dict[str, int]:
    """How many calls wait for an answer, by channel."""
    return dict(
        tx.rows("select channel, count(*) from erasure_call where due is not null group by channel order by channel")
    )


def settle_by_hand(tx: Transaction, erasure: int, now: Instant) -> int:
    """Somebody erased at the providers what their channels did not: nothing is left to ask. How many calls that
    were."""
    return tx.run(
        "update erasure_call set body = null, due = null, answered = ?, answer = null "
        "where erasure = ? and (due is not null or answer <> '')",
        (now, erasure),
    )


def count_refused(tx: Transaction) -> dict[int, list[str]]:
    """The channels that would not erase, by erasure."""
    found: dict[int, list[str]] = {}
    for erasure, channel in tx.rows(
        "select distinct erasure, channel from erasure_call where due is null and answer <> '' "
        "order by erasure, channel"
    ):
        found.setdefault(erasure, []).append(channel)
    return found


def waiting_erasures(tx: Transaction) -> set[int]:
    """The erasures for which a channel has not answered for good."""
    return {number for (number,) in tx.rows("select distinct erasure from erasure_call where due is not null")}


def settle_calls(tx: Transaction, calls: Iterable[Call]) -> None:
    """Write what came of calls."""
    tx.run_many(
        "update erasure_call set body = ?, due = ?, tries = ?, answered = ?, answer = ? where id = ?",
        [(one.body, one.due, one.tries, one.answered, one.answer, one.number) for one in calls],
    )


def _select_calls(tx: Transaction, where: str, values: tuple[object, ...]) -> list[Call]:
    return [Call(*row) for row in tx.rows(f"select {_CALL} from erasure_call where {where}", values)]
