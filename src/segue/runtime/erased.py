"""Whom arrivals must not bring back: customers who were erased.

What happened before the erasure is refused, however often it comes again. An event that happened after it is a new
relation, and makes a new customer; what only repeats who somebody is (an identify call, a row of a CRM, an import) does
not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from segue.api import Event, Instant
from segue.customers.pseudonyms import Mark, marks_of_event
from segue.store import erasures
from segue.store.database import Transaction


class Erased:
    """The erased customers among those whom arrivals name. Costs nothing as long as nobody was ever erased."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._known: dict[Mark, Instant] = {}

    def expect(self, events: Sequence[Event]) -> None:
        """Bring what will be asked about these events, with one query."""
        if erasures.any_tombstone(self._tx):
            self._known |= erasures.find_tombstones(self._tx, {mark for one in events for mark in marks_of_event(one)})

    def add(self, marks: Iterable[Mark], at: Instant) -> None:
        """Somebody is erased in this turn."""
        self._known |= dict.fromkeys(marks, at)

    def __bool__(self) -> bool:
        """Whether any of those whom arrivals name was erased."""
        return bool(self._known)

    def refuses(self, event: Event, known: bool, *, imported: bool = False) -> bool:
        """Whether an event is not taken in. ``known``: whether it names a customer who exists.

        The identifier that says first whose it is decides; the others do so only where that names nobody who exists:
        whoever shares an address with somebody who was erased is not them.
        """
        marks = marks_of_event(event)
        found = self._known.get(marks[0]) if marks else None
        if found is None and not known:
            found = max((self._known[mark] for mark in marks if mark in self._known), default=None)
        if found is None:
            return False
        return event.timestamp <= found or (not known and (event.name is None or imported))
