"""How a customer answers: the channel they prefer, and the hour at which they react most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from segue.api import Instant
from segue.customers.wishes import chosen_channel
from segue.delivery.ledger import LedgerRow
from segue.engine.journey import Journey
from segue.program.calendar import local
from segue.runtime.people import Person
from segue.runtime.running import Running
from segue.store.customers import add_reaction, load_reactions
from segue.store.database import Transaction

ANSWERING: Final = frozenset({"opened", "clicked", "replied"})
"""The reactions by which a customer answers a message."""


def count_answer(tx: Transaction, person: Person, journey: Journey, row: LedgerRow, what: str, at: Instant) -> None:
    """Remember by which channel, and in which hour of their day, a customer answered a message. Each way of answering
    it counts once: a link scanner's thousand clicks are no preference."""
    if what not in ANSWERING or any((known.key, known.what) == (row.key, what) for known in journey.reactions):
        return
    add_reaction(tx, person.row.row, row.channel, local(at, person.facts.zone).hour)


def preferred_channels(
    tx: Transaction, running: Running, customer: int, traits: Mapping[str, Any], kind: str, message: str
) -> Sequence[str]:
    """The channels that have content for a message, the one that the customer prefers for this kind first.

    That is the one they chose: the trait ``preferred_channel_KIND``, else ``preferred_channel``; then those they
    answered most; then the project's order. A channel that can do without content always qualifies; one that stands in
    for others (the console) does so only where the message has not been written for any channel yet. What stands until
    it is taken back (an audience, a banner) never does, for nobody answers there.
    """
    chosen = chosen_channel(traits, kind)
    answers: Counter[str] = Counter()
    for channel, _, times in load_reactions(tx, customer):
        answers[channel] += times
    anywhere = any(message in messages for messages in running.written.values())
    able = [
        name
        for name, spec in running.channels.items()
        if not spec.stands
        and (message in running.written.get(name, ()) or (not spec.content and not (spec.stand_in and anywhere)))
    ]
    return sorted(able, key=lambda name: (name != chosen, -answers[name]))  # sorting keeps the project's order


def best_minute(tx: Transaction, running: Running, customer: int) -> int:
    """When the customer answers most, in minutes since midnight of their own clock: the hour with most reactions, of
    several the earliest; the project's best time where there was none yet."""
    hours: Counter[int] = Counter()
    for _, hour, times in load_reactions(tx, customer):
        hours[hour] += times
    return min(hours, key=lambda hour: (-hours[hour], hour)) * 60 if hours else running.best_minute
