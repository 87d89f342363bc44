"""Queries for retention: deleting by age, a piece at a time, each saying where to go on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec

from segue.api import Instant
from segue.delivery.ledger import MessageState
from segue.store.aggregates import forget as forget_aggregates
from segue.store.database import Transaction
from segue.store.erasures import keep_numbers
from segue.store.history import REPORT

Piece = tuple[int, int | None]
"""How many rows a piece deleted, and after which row to go on; None at the end."""

_OPEN: Final = frozenset({MessageState.DECIDED, MessageState.CLAIMED, MessageState.RETRACTING})
"""States of messages that something is still to be done with."""


class Kept(msgspec.Struct, frozen=True):
    """How far the sweep of one sort of rows has come: ``cursor`` None where none goes on. ``deleted`` is since ever."""

    sort: str
    began: Instant
    cursor: int | None = None
    ended: Instant | None = None
    deleted: int = 0


def load_kept(tx: Transaction) -> dict[str, Kept]:
    """How far the sweeps have come, by sort."""
    return {row[0]: Kept(*row) for row in tx.rows("select sort, began, cursor, ended, deleted from retained")}


def put_kept(tx: Transaction, one: Kept) -> None:
    """Write how far a sweep has come."""
    tx.run(
        "insert into retained (sort, began, cursor, ended, deleted) values (?, ?, ?, ?, ?) on conflict (sort) "
        "do update set began = excluded.began, cursor = excluded.cursor, ended = excluded.ended, "
        "deleted = excluded.deleted",
        (one.sort, one.began, one.cursor, one.ended, one.deleted),
    )


class EventCuts(msgspec.Struct, frozen=True):
    """Events dated before a moment go: ``named`` by their name in rules, the others by ``default``, reports on messages
    by ``reports``; None: they stay. What arrived from ``recent`` on stays in any case."""

    named: Mapping[str, Instant | None]
    default: Instant | None
    reports: Instant | None
    recent: Instant


Lost = dict[int, set[str]]
"""Of which events a piece deleted some, by customer."""


def sweep_events(tx: Transaction, after: int, cuts: EventCuts, limit: int) -> tuple[Piece, Lost]:
    """Delete a piece of the events that are too old, but for those that a journey inside may look at: what happened to
    its customer since it began."""
    names = dict(tx.rows("select id, name from name"))
    by_number = {number: cuts.named.get(name, cuts.default) for number, name in names.items()}
    rows = tx.rows(
        "select id, received, at, name, kind, customer from event where id > ? order by id limit ?", (after, limit)
    )
    old: list[tuple[int, Instant, int | None, int | None]] = []
    more = len(rows) == limit
    for row, received, at, name, kind, customer in rows:
        if received >= cuts.recent:  # arrivals are numbered as they come
            more = False
            break
        cut = by_number[name] if name is not None else cuts.reports if kind == REPORT else cuts.default
        if cut is not None and at < cut:
            old.append((row, at, customer, name))
    begun = _first_entries(tx, {customer for _, _, customer, _ in old if customer is not None})
    gone = [one for one in old if one[2] not in begun or one[1] < begun[one[2]]]
    lost: Lost = {}
    if gone:
        keep_numbers(tx)
        tx.run_many("delete from event where id = ?", [(row,) for row, *_ in gone])
        for _, _, customer, name in gone:
            if customer is not None and name is not None:
                lost.setdefault(customer, set()).add(names[name])
        forget_aggregates(tx, lost)
    return (len(gone), rows[-1][0] if more else None), lost


def _first_entries(tx: Transaction, customers: Collection[int]) -> dict[int, Instant]:
    """When the earliest live journey of each customer began."""
    wanted = msgspec.json.encode(list(customers)).decode()
    return dict(
        tx.rows(
            "select journey.customer, min(entered) from json_each(?) as wanted "
            "cross join journey on journey.customer = wanted.value and live = 1 group by journey.customer",
            (wanted,),
        )
    )


def sweep_messages(tx: Transaction, after: int, cut: Instant, counted: Instant, limit: int) -> Piece:
    """Delete a piece of the messages decided before ``cut``, but for those that a limit may still count (claimed from
    ``counted`` on), and those of journeys that are live."""
    rows = tx.rows(
        "select message.id, decided, message.state, message.due, claimed, coalesce(live, 0) from message "
        "left join journey on journey.id = message.journey where message.id > ? order by message.id limit ?",
        (after, limit),
    )
    gone: list[tuple[int]] = []
    more = len(rows) == limit
    for row, decided, state, due, claimed, live in rows:
        if decided >= cut:  # messages are numbered about as they are decided: the next sweep finds who is out of order
            more = False
            break
        if not live and _is_over(state, due, claimed, counted):
            gone.append((row,))
    if gone:
        keep_numbers(tx)
        tx.run_many("delete from hit where message = ?", gone)
        tx.run_many("delete from message where id = ?", gone)
    return len(gone), rows[-1][0] if more else None


def _is_over(state: int, due: Instant | None, claimed: Instant | None, counted: Instant) -> bool:
    return due is None and state not in _OPEN and (claimed is None or claimed < counted)


def sweep_journeys(tx: Transaction, after: int, cut: Instant, counted: Instant, limit: int) -> Piece:
    """Delete a piece of the journeys that ended before ``cut``, each with its messages; one of which a message is still
    needed stays."""
    rows = tx.rows(
        "select id, customer, entered, ended, live from journey where id > ? order by id limit ?", (after, limit)
    )
    old: list[tuple[int, int]] = []
    more = len(rows) == limit
    for row, customer, entered, ended, live in rows:
        if entered >= cut:
            more = False
            break
        if not live and ended is not None and ended < cut:
            old.append((customer, row))
    needed: set[int] = set()
    for journey, state, due, claimed in _messages_of(tx, old):
        if not _is_over(state, due, claimed, counted):
            needed.add(journey)
    gone = [(customer, row) for customer, row in old if row not in needed]
    if gone:
        keep_numbers(tx)
        tx.run_many(
            "delete from hit where message in (select id from message where customer = ? and journey = ?)", gone
        )
        tx.run_many("delete from message where customer = ? and journey = ?", gone)
        tx.run_many("update coupon set journey = 0, message = null where journey = ?", [(row,) for _, row in gone])
        tx.run_many("delete from journey where id = ?", [(row,) for _, row in gone])
    return len(gone), rows[-1][0] if more else None


def _messages_of(
    tx: Transaction, journeys: Sequence[tuple[int, int]]
) -> list[tuple[int, int, Instant | None, Instant | None]]:
    wanted = msgspec.json.encode(journeys).decode()
    return tx.rows(
        "select journey, state, due, claimed from json_each(?) as wanted cross join message "
        "on customer = wanted.value ->> 0 and journey = wanted.value ->> 1",
        (wanted,),
    )


def sweep_ignored(tx: Transaction, after: int, cut: Instant, limit: int) -> Piece:
    """Delete a piece of the triggers that began nothing, from before ``cut``."""
    rows = tx.rows("select id, at from ignored where id > ? order by id limit ?", (after, limit))
    gone = [(row,) for row, at in rows if at < cut]
    more = len(rows) == limit and bool(gone)
    tx.run_many("delete from ignored where id = ?", gone)
    return len(gone), rows[-1][0] if more else None
