"""Who is reached by an address, and what follows where nothing may go to it any more, or may again: their journeys look
again, and so does whatever is watched of them.

A daemon's turn does so at once. What a command suppresses beside it is followed within seconds: that it has yet to be
stands in the store.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from segue.api import Instant
from segue.customers.identity import ADDRESSES, address_key
from segue.program.reads import REACH
from segue.runtime.running import Running
from segue.runtime.turn import Done, Turn
from segue.store import customers as customer_rows
from segue.store.consent import mark_followed, to_follow
from segue.store.database import Transaction
from segue.store.identity import owners_of

_PIECE: Final = 100
"""Addresses that are followed in one transaction."""


def who_has(turn: Turn, trait: str, address: Any) -> list[int]:
    """Customers who are reached by an address now, by number; they are loaded."""
    country = turn.running.identity.country
    if trait not in ADDRESSES:
        people = customer_rows.find_by_trait(turn.tx, trait, address)
        turn.load(people)
        return people
    key = address_key(trait, address, country)
    people = owners_of(turn.tx, key) if key is not None else []
    turn.load(people)
    return [row for row in people if address_key(trait, turn.people[row].row.traits.get(trait), country) == key]


def look_again(turn: Turn, trait: str, address: str, now: Instant, without: Collection[int] = ()) -> None:
    """Whether an address may be written to is another answer than it was: have everybody look again who has it, but for
    those of whom that is known to be done."""
    for row in who_has(turn, trait, address):
        if row not in without:
            person = turn.people[row]
            turn.advance(person, now)
            turn.refresh(person)
            turn.change(person, frozenset((REACH,)), now)


def follow(tx: Transaction, running: Running, now: Instant) -> Done | None:
    """Follow a piece of what was suppressed, or lifted, beside the daemon; None where there is nothing left."""
    found = to_follow(tx, _PIECE)
    if not found:
        return None
    turn = Turn(tx, running, now)
    for trait, address in dict.fromkeys((one.sort, one.address) for _, one in found):
        look_again(turn, trait, address, now)
    mark_followed(tx, [number for number, _ in found])
    return turn.flush()
