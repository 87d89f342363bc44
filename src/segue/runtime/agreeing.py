"""What customers say about being written to, as events bring it: see `segue.customers.consent`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from segue.api import Event, Instant
from segue.customers.consent import (
    GRANTED,
    KINDS,
    MARKETING,
    PENDING,
    WITHDRAWN,
    State,
    Statement,
    basis_of,
)
from segue.program.reads import REACH
from segue.runtime.people import Person
from segue.runtime.turn import Turn

SPEAKING: Final = frozenset({"subscribed", "unsubscribed", "subscription_confirmed"})
"""The events by which customers say something."""
_MOST: Final = 500
"""Characters of a wording or proof that are kept."""


def agree(
    turn: Turn, person: Person, name: str, event: Event, fields: Mapping[str, Any], at: Instant, now: Instant
) -> None:
    """One event of `SPEAKING`, with a ``channel`` and perhaps a ``kind``; without a kind all but transactional messages
    are meant, without a channel all channels. ``subscribed`` with ``confirmed`` false waits to be confirmed."""
    state = _state_of(name, fields)
    channel, kind = fields.get("channel"), fields.get("kind")
    channels = [channel] if isinstance(channel, str) and channel else list(turn.running.reach.channels)
    kinds = [kind] if kind in KINDS else list(MARKETING)
    for one in channels:
        for each in kinds:
            turn.hear(
                person,
                Statement(
                    channel=one,
                    kind=each,
                    state=state,
                    at=at,
                    source=_source_of(event, fields),
                    basis=basis_of(fields.get("basis"), state),
                    wording=_text(fields.get("wording")),
                    proof=_text(fields.get("proof")),
                    event=event.message_id,
                    received=now,
                ),
            )
    turn.refresh(person)
    turn.change(person, frozenset((REACH,)), now)


def _state_of(name: str, fields: Mapping[str, Any]) -> State:
    if name == "unsubscribed":
        return WITHDRAWN
    waits = name == "subscribed" and fields.get("confirmed") in (False, "false")
    return PENDING if waits else GRANTED


def _source_of(event: Event, fields: Mapping[str, Any]) -> str:
    """Who brought it: the form or shop that the event names, else its source in segue.toml."""
    named = fields.get("source")
    return named[:_MOST] if isinstance(named, str) and named else event.source


def _text(value: object) -> str:
    return value[:_MOST] if isinstance(value, str) else ""
