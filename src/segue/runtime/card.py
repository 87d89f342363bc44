"""A customer's card: what somebody who serves them needs to see at once.

Read beside the writer, from what the store says at one moment.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.customers.identity import show
from segue.program.sentences import word_step
from segue.runtime.running import Running
from segue.runtime.turn import Turn
from segue.store.database import Transaction
from segue.store.history import load_latest_messages
from segue.store.purchases import Happened, Purchases, load_latest, load_purchases

ORDERS: Final = 5
"""How many orders and messages a card shows, the newest first."""
HAPPENED: Final = 30
"""How many events."""


class Inside(msgspec.Struct, frozen=True):
    """A journey that the customer is inside of: its rule, since when, the step it is at, and until when it waits there
    (None: not by time)."""

    rule: str
    since: Instant
    step: str
    until: Instant | None


class Contact(msgspec.Struct, frozen=True):
    """A message to the customer: when it was handed over, or decided where it was not, and what became of it."""

    at: Instant
    rule: str
    channel: str
    message: str
    state: str
    reason: str


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a customer. ``reach`` says for each channel why a promotional message does not reach them, None
    where it does; ``segments`` are those they are in now."""

    customer: str
    traits: dict[str, Any]
    zone: str
    reach: dict[str, str | None]
    segments: tuple[str, ...]
    inside: tuple[Inside, ...]
    purchases: Purchases
    happened: tuple[Happened, ...]
    messages: tuple[Contact, ...]


def draw_card(tx: Transaction, running: Running, row: int, now: Instant) -> Card:
    """The card of a customer."""
    turn = Turn(tx, running, now)
    turn.load([row])
    person = turn.people[row]
    facts = person.facts
    inside = []
    for journey in turn.journeys(person).values():
        program = running.programs.get(journey.program)
        if journey.state == "inside" and program is not None and journey.step < len(program.steps):
            inside.append(Inside(journey.rule, journey.entered, word_step(program.steps[journey.step]), journey.due))
    return Card(
        customer=show(person.row.key),
        traits=dict(sorted(person.row.traits.items())),
        zone=str(facts.zone),
        reach={name: facts.refusal(name, "promotional") for name in running.reach.channels},
        segments=tuple(name for name in sorted(running.segments) if facts.belongs(name, now)),
        inside=tuple(sorted(inside, key=lambda one: one.since)),
        purchases=load_purchases(tx, row, ORDERS, running.orders, running.currency),
        happened=tuple(load_latest(tx, row, HAPPENED)),
        messages=tuple(
            Contact(
                message.handed or message.settled or message.decided,
                message.rule,
                message.channel,
                message.message,
                message.state.name.lower(),
                message.reason,
            )
            for message in load_latest_messages(tx, row, ORDERS)
        ),
    )


def as_associate(card: Card) -> Card:
    """The card as someone in a shop may see it: addresses masked, no more traits than serving somebody needs, and
    neither the history nor the reasons of messages."""
    traits = {name: value for name, value in card.traits.items() if name in _ON_THE_FLOOR}
    for name in _ADDRESSES & card.traits.keys():
        traits[name] = mask(str(card.traits[name]))
    return msgspec.structs.replace(card, traits=traits, happened=())


_ADDRESSES: Final = frozenset({"email", "phone"})
_ON_THE_FLOOR: Final = frozenset(
    {"first_name", "last_name", "name", "title", "language", "locale", "country", "city", "vip", "plan"}
)


def mask(address: str) -> str:
    """An address by which its owner is recognised, and nobody is reached: ``a…@example.com``, ``+358…4567``."""
    name, at, domain = address.partition("@")
    if at:
        return f"{name[:1]}…@{domain}"
    return f"{address[:4]}…{address[-4:]}" if len(address) > 9 else "…"
