"""What customers say about being written to, as events bring it."""

from __future__ import annotations

from segue.api import Event, Instant
from segue.customers.reach import GRANTED, KINDS, MARKETING, WITHDRAWN
from segue.program.reads import REACH
from segue.runtime.people import Person
from segue.runtime.turn import Turn


def agree(turn: Turn, person: Person, name: str, event: Event, at: Instant, now: Instant) -> None:
    """``subscribed`` and ``unsubscribed`` with a ``channel`` and perhaps a ``kind``; without a kind all but
    transactional messages are meant, without a channel all channels."""
    state = GRANTED if name == "subscribed" else WITHDRAWN
    channel, kind = event.properties.get("channel"), event.properties.get("kind")
    channels = [channel] if isinstance(channel, str) and channel else list(turn.running.reach.channels)
    kinds = [kind] if kind in KINDS else list(MARKETING)
    for one in channels:
        for each in kinds:
            person.row.consent[f"{one}/{each}"] = state
            turn.record_consent(person, one, each, state, at, event.source)
    turn.refresh(person)
    turn.change(person, frozenset((REACH,)), now)
