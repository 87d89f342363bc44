"""Queries for whose turn it is: the messages of a channel that are due, lane by lane.

A lane is what a rule has of one state and kind on a channel. Which lanes there are is found by one look into an index
for each, however many messages stand in them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import msgspec

from segue.api import Instant, Kind
from segue.delivery.ledger import LedgerRow, MessageState
from segue.store.database import Transaction
from segue.store.ledger import select_messages


class Lane(NamedTuple):
    """A rule's messages of one state and kind, on one channel."""

    state: MessageState
    kind: Kind
    rule: str


def load_lanes(tx: Transaction, channel: str) -> dict[Lane, Instant]:
    """The lanes of a channel in which anything is to be looked at, and when that is, of each the earliest."""
    found: dict[Lane, Instant] = {}
    place: tuple[int, str, str] = (-1, "", "")
    while True:
        row = tx.row(
            "select state, kind, rule, due from message indexed by message_lane where channel = ? and due is not null "
            "and (state, kind, rule) > (?, ?, ?) order by state, kind, rule, due limit 1",
            (channel, *place),
        )
        if row is None:
            return found
        place = row[:3]
        found[Lane(MessageState(row[0]), row[1], row[2])] = row[3]


def load_of_lane(
    tx: Transaction, channel: str, lane: Lane, now: Instant, limit: int, after: tuple[Instant, int] | None = None
) -> list[LedgerRow]:
    """Messages of a lane that are due, the earliest first; those behind a place (due, number) where one is given."""
    due, row = after if after is not None else (Instant(-(2**62)), 0)
    return select_messages(
        tx,
        "channel = ? and state = ? and kind = ? and rule = ? and due is not null and due <= ? "
        "and (due, id) > (?, ?) order by due, id limit ?",
        (channel, int(lane.state), lane.kind, lane.rule, now, due, row, limit),
        "message_lane",
    )


def load_expired(
    tx: Transaction, channel: str, now: Instant, limit: int, without: Collection[str] = ()
) -> list[LedgerRow]:
    """Messages to be sent that are due and have become too late, but for those of some rules."""
    return select_messages(
        tx,
        "channel = ? and state = 0 and expires < ? and due <= ? "
        "and rule not in (select value from json_each(?)) order by expires, id limit ?",
        (channel, now, now, msgspec.json.encode(sorted(without)).decode(), limit),
        "message_expiring",
    )


def next_expiry(tx: Transaction, channel: str, now: Instant) -> Instant | None:
    """When the next message to be sent becomes too late that is not so yet."""
    row = tx.row("select min(expires) from message where channel = ? and state = 0 and expires >= ?", (channel, now))
    return row[0] if row is not None else None
