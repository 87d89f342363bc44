"""Customers as a turn holds them: the stored row, the facts conditions read, the live journeys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from segue.engine.journey import Journey
from segue.program.facts import Customer, Past
from segue.runtime.long_history import Long
from segue.store.customers import CustomerRow


class History(dict[str, list[Past]]):
    """A customer's past events by name. A name that no batch query brought is looked up when it is asked for; ``fetch``
    None means that nothing of this customer is stored, so what is remembered here is all there is. Names of which there
    are many events are in ``long`` instead, and are not to be asked for here but by who needs all of them."""

    __slots__ = ("_fetch", "_unasked", "long")

    def __init__(self, fetch: Callable[[str], list[Past]] | None) -> None:
        self._fetch = fetch
        self._unasked: list[tuple[str, Past]] | None = None
        self.long: dict[str, Long] = {}

    def get(self, name: str, default: Any = ()) -> Any:
        if name in self:
            return self[name]
        if name in self.long:
            return self.long[name].since(None)
        if self._fetch is None:
            return default
        rows = self._fetch(name)
        if self._unasked is not None:
            rows.extend(past for named, past in self._unasked if named == name)
        self[name] = rows
        return rows

    def remember(self, name: str, past: Past) -> None:
        """An event of this turn: it is written with the turn, so no query brings it."""
        if name in self.long:
            self.long[name].remember(past)
        elif name in self:
            self[name].append(past)
        elif self._fetch is None:
            self[name] = [past]
        else:
            if self._unasked is None:
                self._unasked = []
            self._unasked.append((name, past))

    def written(self) -> None:
        """What was remembered is stored from now on."""
        self._unasked = None
        for long in self.long.values():
            long.written()

    def lengthen(self, name: str, long: Long) -> None:
        """There turned out to be many events of a name."""
        for named, past in self._unasked or ():
            if named == name:
                long.remember(past)
        self.long[name] = long

    def bring(self, name: str, rows: list[Past]) -> None:
        """What a batch query found."""
        if name not in self:
            if self._unasked is not None:
                rows.extend(past for named, past in self._unasked if named == name)
            self[name] = rows


class Person:
    """A customer in a turn: the stored row, the facts, and the live journeys (None until they are loaded)."""

    __slots__ = ("_facts", "_look_up", "changed", "history", "journeys", "new", "row")

    def __init__(
        self, row: CustomerRow, history: History, look_up: Callable[[CustomerRow, History], Customer], *, new: bool
    ) -> None:
        self.row = row
        self.history = history
        self.new = new
        self.changed = False
        self.journeys: dict[int, Journey] | None = {} if new else None
        self._look_up = look_up
        self._facts: Customer | None = None

    @property
    def facts(self) -> Customer:
        """What conditions read; made when they do, since a batch may bring customers whose turn does not come."""
        if self._facts is None:
            self._facts = self._look_up(self.row, self.history)
        return self._facts

    def refresh(self) -> None:
        """Traits or consent changed."""
        self.changed = True
        self._facts = None

    def written(self) -> None:
        """All that this turn knows of the customer is stored from now on."""
        if self.new or self.changed:
            self.new = self.changed = False
        self.history.written()
