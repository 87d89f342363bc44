"""Queries for opens and clicks, and for the links behind short codes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.delivery.hits import Hit
from segue.messages.links import Mark, ShortLink
from segue.store.database import Transaction

MOST: Final = 200
"""Rows of one message. Beyond it hits are only counted: a scanner's thousand fetches are one fact."""

_COLUMNS: Final = (
    "id, message, customer, what, link, links, at, agent, due, machine, known, coalesce(target, ''), times, latest"
)


class HitRow(msgspec.Struct, frozen=True):
    """A hit as it is stored. ``machine`` is None before it is judged, empty where a person made it."""

    row: int
    message: int
    customer: int
    what: str
    link: int
    links: int
    at: Instant
    agent: str
    due: Instant | None
    machine: str | None
    known: bool
    target: str
    times: int
    latest: Instant


def _read(row: tuple[Any, ...]) -> HitRow:
    number, message, customer, what, link, links, at, agent, due, machine, known, target, times, latest = row
    return HitRow(
        row=number,
        message=message,
        customer=customer,
        what=what,
        link=link,
        links=links,
        at=at,
        agent=agent,
        due=due,
        machine=machine,
        known=bool(known),
        target=target,
        times=times,
        latest=latest,
    )


Noted = tuple[int, int, Hit, Instant | None]
"""A hit of a message, by its number: also its customer's, and when it is to be judged."""


def put_hits(tx: Transaction, hits: Iterable[Noted]) -> list[Noted]:
    """Note hits. One that only repeats another of the same sort of agent is counted with it, unless
    that was judged to be a machine's: this one may be a person's still. Gives those that are new."""
    new: list[Noted] = []
    for message, customer, one, due in hits:
        latest = tx.row(
            "select id, machine from hit where message = ? and what = ? and link = ? and agent = ? and known = ? "
            "order by id desc limit 1",
            (message, one.what, one.link, one.agent, bool(one.machine)),
        )
        repeats = latest is not None and (not latest[1] or bool(one.machine))
        if not repeats:
            counted = tx.row("select count(*), max(id) from hit where message = ?", (message,))
            if counted is not None and counted[0] >= MOST:
                latest, repeats = (counted[1],), True
        if latest is not None and repeats:
            tx.run("update hit set times = times + 1, latest = max(latest, ?) where id = ?", (one.at, latest[0]))
            continue
        tx.run(
            "insert into hit (message, customer, what, link, links, at, agent, due, machine, known, target, latest) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                message,
                customer,
                one.what,
                one.link,
                one.links,
                one.at,
                one.agent,
                due,
                one.machine or None,
                bool(one.machine),
                one.target or None,
                one.at,
            ),
        )
        new.append((message, customer, one, due))
    return new


def load_due(tx: Transaction, now: Instant, limit: int) -> list[HitRow]:
    """Hits that are to be judged."""
    return [
        _read(row)
        for row in tx.rows(f"select {_COLUMNS} from hit where due <= ? order by due, id limit ?", (now, limit))
    ]


def next_due(tx: Transaction) -> Instant | None:
    """When a hit is to be judged next."""
    row = tx.row("select min(due) from hit where due is not null")
    return row[0] if row is not None else None


def load_of_messages(tx: Transaction, messages: Collection[int]) -> dict[int, list[HitRow]]:
    """All hits of messages, by the message's number, in the order in which they came."""
    found: dict[int, list[HitRow]] = {message: [] for message in messages}
    wanted = msgspec.json.encode(sorted(messages)).decode()
    for row in tx.rows(
        f"select {_COLUMNS} from hit where message in (select value from json_each(?)) order by id", (wanted,)
    ):
        found[row[1]].append(_read(row))
    return found


def put_verdicts(tx: Transaction, verdicts: Sequence[tuple[int, str]]) -> None:
    """Note of hits, by number, why no person made them; empty where one did."""
    tx.run_many("update hit set due = null, machine = ? where id = ?", [(machine, row) for row, machine in verdicts])


def put_short_links(tx: Transaction, links: Iterable[tuple[int, ShortLink]]) -> set[str]:
    """Store what short codes stand for, each with the number of its message. Gives the codes that stand for something
    else already."""
    taken = set()
    for message, one in links:
        raw = bytes.fromhex(one.mark.key)
        known = tx.row("select key, target from short_link where code = ?", (one.code,))
        if known is None:
            tx.run(
                "insert into short_link (code, key, customer, link, links, target, until) "
                "select ?, ?, customer, ?, ?, ?, ? from message where id = ?",
                (one.code, raw, one.mark.link, one.mark.links, one.mark.target, one.until, message),
            )
        elif tuple(known) != (raw, one.mark.target):
            taken.add(one.code)
    return taken


def find_short_link(tx: Transaction, code: str) -> ShortLink | None:
    """What a short code stands for."""
    row = tx.row("select key, link, links, target, until from short_link where code = ?", (code,))
    return ShortLink(code, Mark(row[0].hex(), row[1], row[2], row[3]), row[4]) if row is not None else None


def drop_short_links(tx: Transaction, before: Instant, limit: int) -> int:
    """Delete codes that are good no more; gives how many."""
    return tx.run(
        "delete from short_link where code in (select code from short_link where until < ? limit ?)", (before, limit)
    )
