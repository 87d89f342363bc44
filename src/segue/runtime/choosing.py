"""Whose turn it is: which of a channel's messages are looked at next.

The laws:

1. While more is due than one look takes, transactional messages come first, and rules take turns in what is left: a
   hundred thousand newsletters keep no password waiting, nor another rule's ten reminders.
2. Within what a rule has of one kind, the earliest goes first.
3. What is paused is not looked at, and waits however late it becomes. What a provider's outage holds back is looked at
   once it is too late, so that its journey goes on.
4. A report that was waited for long enough needs no call: nothing holds it back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from segue.api import Instant
from segue.delivery.ledger import LedgerRow, MessageState
from segue.store import ledger as ledger_rows
from segue.store.database import Transaction
from segue.store.lanes import Lane, load_expired, load_lanes, load_of_lane, next_expiry
from segue.store.pauses import load_pauses


class Held(msgspec.Struct, frozen=True):
    """What keeps a channel's messages for now: ``channel``, it is paused; ``rules``, these are; ``account``, its
    provider is not called."""

    channel: bool = False
    rules: frozenset[str] = frozenset()
    account: bool = False

    def __bool__(self) -> bool:
        return self.channel or self.account or bool(self.rules)

    def keeps(self, lane: Lane) -> bool:
        """Whether messages of a lane wait."""
        match lane.state:
            case MessageState.HANDED:
                return False
            case MessageState.RETRACTING:
                return self.channel or self.account
            case _:
                return self.channel or self.account or lane.rule in self.rules


def load_held(tx: Transaction, channel: str, *, account: bool) -> Held:
    """What keeps the messages of a channel."""
    pauses = load_pauses(tx)
    if not pauses:
        return Held(account=account)
    rules = frozenset(one.name for one in pauses if one.sort == "rule")
    return Held(any(one.sort == "channel" and one.name == channel for one in pauses), rules, account)


class Chosen(msgspec.Struct, frozen=True):
    """Messages to look at. ``more``: as many again may be due already. ``short``: there was no room for all that may
    be due."""

    rows: tuple[LedgerRow, ...]
    more: bool
    short: bool = False


class Turns:
    """Which rule had its turn when, on one channel. Forgotten by a restart, which merely begins the round anew."""

    def __init__(self) -> None:
        self._round = 0
        self._had: dict[Lane, int] = {}

    def order(self, lanes: Mapping[Lane, Instant]) -> list[Lane]:
        """Who waited longest for a turn comes first; of those who had none yet, whose message is due first."""
        return sorted(lanes, key=lambda lane: (self._had.get(lane, 0), lanes[lane]))

    def forget_others(self, lanes: Collection[Lane]) -> None:
        """Only these lanes have anything due."""
        self._had = {lane: turn for lane, turn in self._had.items() if lane in lanes}

    def had(self, lane: Lane) -> None:
        """A lane had its turn."""
        self._round += 1
        self._had[lane] = self._round


def choose(tx: Transaction, channel: str, now: Instant, most: int, room: int, held: Held, turns: Turns) -> Chosen:
    """Up to ``most`` messages that are due, of which no more than ``room`` may be called."""
    if room == most and not held:
        rows = ledger_rows.load_due(tx, channel, now, most)
        if len(rows) < most:
            return Chosen(tuple(rows), False)
    lanes = {lane: due for lane, due in load_lanes(tx, channel).items() if due <= now and not held.keeps(lane)}
    rows = []
    for lane in lanes:
        if lane.state is MessageState.HANDED:
            rows += load_of_lane(tx, channel, lane, now, most - len(rows))
    more = len(rows) >= most
    if held.account and not held.channel:
        expired = load_expired(tx, channel, now, most, held.rules)
        rows += expired
        more = more or len(expired) == most
    called: list[LedgerRow] = []
    turns.forget_others(lanes)
    for first in (True, False):
        among = {
            lane: due
            for lane, due in lanes.items()
            if lane.state is not MessageState.HANDED and (lane.kind == "transactional") is first
        }
        called += _in_turn(tx, channel, now, room - len(called), among, turns)
    full = len(called) == room
    return Chosen((*rows, *called), more or (full and room == most), full and room < most)


def _in_turn(
    tx: Transaction, channel: str, now: Instant, room: int, lanes: Mapping[Lane, Instant], turns: Turns
) -> list[LedgerRow]:
    """As many messages as there is room for, from every lane as many as from every other that has them."""
    found: list[LedgerRow] = []
    waiting: Sequence[Lane] = turns.order(lanes)
    last: dict[Lane, tuple[Instant, int]] = {}
    while waiting and len(found) < room:
        share = max(1, (room - len(found)) // len(waiting))
        again = []
        for lane in waiting:
            wanted = min(share, room - len(found))
            if wanted == 0:
                break
            rows = load_of_lane(tx, channel, lane, now, wanted, last.get(lane))
            turns.had(lane)
            found += rows
            if len(rows) == wanted and rows[-1].due is not None:
                last[lane] = (rows[-1].due, rows[-1].row)
                again.append(lane)
        waiting = again
    return found


def next_look(tx: Transaction, channel: str, now: Instant, held: Held) -> Instant | None:
    """When a message of the channel is to be looked at next."""
    if not held:
        return ledger_rows.next_due(tx, channel)
    moments = [due for lane, due in load_lanes(tx, channel).items() if not held.keeps(lane)]
    if held.account and not held.channel and (expiry := next_expiry(tx, channel, now)) is not None:
        moments.append(Instant(expiry + 1))
    return min(moments, default=None)
