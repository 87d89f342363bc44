"""How a customer answers: the channel they prefer, and the hour at which they react most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final

from segue.api import Instant
from segue.customers.best_time import Best, best_time, gather, place_of
from segue.customers.wishes import chosen_channel
from segue.delivery.ledger import LedgerRow
from segue.engine.journey import Journey
from segue.program.calendar import local
from segue.runtime.people import Person
from segue.runtime.running import Running
from segue.store.customers import add_reaction, load_all_reactions, load_reactions
from segue.store.database import Transaction

ANSWERING: Final = frozenset({"opened", "clicked", "replied"})
"""The reactions by which a customer answers a message."""


def count_answer(tx: Transaction, person: Person, journey: Journey, row: LedgerRow, what: str, at: Instant) -> None:
    """Remember by which channel, and in which hour of their week, a customer answered a message. Each way of answering
    it counts once: a link scanner's thousand clicks are no preference."""
    if what not in ANSWERING or any((known.key, known.what) == (row.key, what) for known in journey.reactions):
        return
    add_reaction(tx, person.row.row, row.channel, place_of(local(at, person.facts.zone)))


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


def best_time_of(tx: Transaction, running: Running, customer: int, zone: tzinfo, now: Instant) -> Best:
    """When the customer answers most in the day that begins now, and why then; the project's best time where nobody has
    answered anything yet."""
    own = gather((place, times) for _, place, times in load_reactions(tx, customer))
    return best_time(own, gather(load_all_reactions(tx)), local(now, zone), running.best_minute)
