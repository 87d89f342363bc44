"""Events that name no customer, but earlier events that do: a refund that only says which order it is of.

Such an event is taken for its customer's before anything else looks at it, and says so itself from then on: in the
history, on record, and in a replay.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from segue.api import Event, Rejection
from segue.customers.identity import identifiers, naming
from segue.store.customers import find_owners, hash_id
from segue.store.database import Transaction


class FollowUps:
    """The follow-ups of one turn."""

    def __init__(self) -> None:
        self._named: dict[str, Event] = {}
        self._unknown: set[str] = set()

    def name_customers(self, tx: Transaction, events: Sequence[Event], country: str | None) -> Sequence[Event]:
        """The events that are about to be taken in, each with its customer where an earlier event, stored or before it
        among these, tells who that is. ``country`` is the project's."""
        asking = {event.message_id for event in events if event.follows and _is_nameless(event)}
        if not asking:
            return events
        followed = {hash_id(one) for event in events if event.message_id in asking for one in event.follows}
        owners = find_owners(tx, followed)
        named: list[Event] = []
        for event in events:
            if event.message_id not in asking:
                keys = identifiers(
                    event.user_id, event.anonymous_id, event.previous_id, event.ids, event.traits, country
                )
                if keys:
                    owners.setdefault(event.message_id, keys[0])
                named.append(event)
                continue
            owner = next((owners[one] for one in event.follows if one in owners), None)
            if owner is None:
                if not event.traits:
                    self._unknown.add(event.message_id)
                named.append(event)
                continue
            who = naming(owner)
            known = msgspec.structs.replace(event, user_id=who.user_id, anonymous_id=who.anonymous_id, ids=who.ids)
            self._named[event.message_id] = known
            named.append(known)
        return named

    def named(self, event: Event) -> Event:
        """The event, with its customer where one was found."""
        return self._named.pop(event.message_id, event) if self._named else event

    def trouble_with(self, event: Event) -> Rejection | None:
        """What there is to say of an event for which none was found."""
        if event.message_id not in self._unknown:
            return None
        self._unknown.discard(event.message_id)
        return Rejection(
            place=event.message_id,
            reason=f"{event.name} names no customer, and none of the events is known that would tell whose it is "
            f"({', '.join(event.follows)}): it is kept, and reaches journeys only by a field of their rule's `per`",
        )


def _is_nameless(event: Event) -> bool:
    return event.user_id is None and event.anonymous_id is None and event.previous_id is None and not event.ids
