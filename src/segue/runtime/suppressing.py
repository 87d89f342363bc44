"""Suppressed addresses in one turn: looked up by index, for a whole batch where that is known before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from segue.api import Instant
from segue.customers.suppression import Suppression, comparable
from segue.runtime.in_hand import InHand
from segue.store import consent as consent_rows
from segue.store.database import Transaction


class Suppressions:
    """What is suppressed, as this turn has left it so far. Where nothing is, nothing is looked up."""

    def __init__(self, tx: Transaction, in_hand: InHand | None) -> None:
        self._tx = tx
        self._in_hand = in_hand
        self._any: bool | None = None
        self._known: dict[tuple[str, str], list[Suppression]] = {}
        self._new: list[Suppression] = []

    def expect(self, addresses: Iterable[tuple[str, Any]]) -> None:
        """Bring what will be asked about these addresses, each with the trait that holds it, with one query."""
        if not self.are_any():
            return
        wanted = {(sort, comparable(sort, value)) for sort, value in addresses} - self._known.keys()
        if wanted:
            found = consent_rows.find_suppressed(self._tx, sorted(wanted))
            self._known.update((one, found.get(one, [])) for one in wanted)

    def find(self, sort: str, value: str) -> Sequence[Suppression]:
        """The suppressions of an address."""
        if not self.are_any():
            return ()
        name = sort, comparable(sort, value)
        if name not in self._known:
            self.expect((name,))
        return self._known[name]

    def find_all(self, sort: str, values: Iterable[str]) -> list[Sequence[Suppression]]:
        """The suppressions of many addresses of one sort, with one query; what is found is not kept."""
        places = [(sort, comparable(sort, value)) for value in values]
        found = consent_rows.find_suppressed(self._tx, sorted(set(places)))
        return [self._known.get(place, found.get(place, ())) for place in places]

    def are_any(self) -> bool:
        """Whether any address is suppressed at all."""
        if self._any is None:
            self._any = consent_rows.any_suppressed(self._tx)
        return self._any

    def add(self, one: Suppression) -> bool:
        """Suppress an address; False where that was so before, for that reason and channel."""
        known = self.find(one.sort, one.address)
        if one.message is None and any((old.reason, old.channel) == (one.reason, one.channel) for old in known):
            return False
        if self._any is False:
            self._any = True
        self._new.append(one)
        self._known.setdefault((one.sort, one.address), []).append(one)
        if self._in_hand is not None:
            self._in_hand.stop_address(one.sort, one.address)
        return True

    def lift(self, sort: str, value: str, at: Instant, reason: str, channel: str) -> None:
        """Have an address be suppressed no more, for one reason on one channel."""
        if self.find(sort, value):
            self.flush()
            consent_rows.lift(self._tx, value, at, sort, reason, channel)
            self._known.pop((sort, comparable(sort, value)), None)

    def flush(self) -> None:
        """Write what is not written yet."""
        if self._new:
            consent_rows.put_suppressions(self._tx, self._new)
            self._new.clear()
