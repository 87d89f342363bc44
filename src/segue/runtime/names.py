"""Names that nobody declared: a source may use so many of them, and not a million.

What the rule book or a plugin declares always passes. An event under a name too many is rejected; a trait under one is
left out, and the rest of its event goes on. All of it is decided by the store, in the transaction of the events: a
crash forgets nothing, and replay decides the same. How many traits one customer has is `segue.customers.traits`' to
bound.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import structlog

from segue.api import Event, Rejection
from segue.runtime.agreeing import SPEAKING
from segue.runtime.people import Person
from segue.runtime.turn import Turn
from segue.store.customers import hash_id
from segue.store.database import LAST, Store
from segue.store.errors import StoreUnavailable
from segue.store.names import Sort, Undeclared, add_left_out, count_names, find_names, list_undeclared, put_names
from segue.store.rejections import reject

_log = structlog.get_logger("segue")

_SHOWN: Final = 60
"""Letters of a name that a reason shows."""


class Names:
    """The undeclared names of arrivals, within one turn. Costs a look into a dictionary where all are declared."""

    def __init__(self, turn: Turn) -> None:
        self.refused: dict[str, str] = {}
        """Why events were refused, by message id."""
        self._turn = turn
        self._known: dict[tuple[str, Sort], set[int]] = {}
        self._counts: dict[tuple[str, Sort], int] = {}
        self._new: list[tuple[str, Sort, int]] = []
        self._left_out: Counter[tuple[str, Sort]] = Counter()
        self._first: dict[str, Event] = {}

    def expect(self, events: Sequence[Event]) -> None:
        """Bring what will be asked about these events, with one query for each source."""
        names, traits = self._turn.running.names, self._turn.running.declared
        asked: dict[tuple[str, Sort], set[int]] = {}
        for event in events:
            if event.name is not None and event.name not in names:
                asked.setdefault((event.source, "event"), set()).add(hash_id(event.name))
            if event.traits and not event.traits.keys() <= traits:
                asked.setdefault((event.source, "trait"), set()).update(map(hash_id, event.traits.keys() - traits))
        for place, hashes in asked.items():
            self._known.setdefault(place, set()).update(find_names(self._turn.tx, *place, hashes))

    def refuses(self, event: Event) -> bool:
        """Whether an event has a name too many, and is not taken in."""
        running, name = self._turn.running, event.name
        if name is None or name in running.names or name in running.erase_on or name in SPEAKING:
            return False
        if self._passes(event.source, "event", name, running.limits.event_names):
            return False
        self.refused[event.message_id] = (
            f"{event.source} has sent {running.limits.event_names:,} names of events that nobody declared, which is "
            f"the limit, and {_shown(name)} is one more: declare it in the rules (`event …`), or raise event_names "
            "below [limits] in segue.toml"
        )
        self._left_out[event.source, "event"] += 1
        self._first.setdefault(event.source, event)
        return True

    def fit(self, event: Event, person: Person | None) -> Event:
        """The event without the traits that are too many for its source. One that the customer has already may always
        change."""
        declared = self._turn.running.declared
        if not event.traits or event.traits.keys() <= declared:
            return event
        has = person.row.traits if person is not None else {}
        new = [name for name in event.traits if name not in declared and name not in has]
        if not new:
            return event
        most = self._turn.running.limits.trait_names
        gone = {name for name in new if not self._passes(event.source, "trait", name, most)}
        if not gone:
            return event
        self._left_out[event.source, "trait"] += len(gone)
        kept = {name: value for name, value in event.traits.items() if name not in gone}
        return msgspec.structs.replace(event, traits=kept)

    def close(self) -> None:
        """Write what is new."""
        tx = self._turn.tx
        if self._new:
            put_names(tx, self._new)
            self._new.clear()
        if not self._left_out:
            return
        add_left_out(tx, self._left_out, self._turn.now)
        for source, event in self._first.items():
            reason = self.refused[event.message_id]
            rejection = Rejection(place=event.message_id, reason=reason, raw=msgspec.json.encode(event))
            reject(tx, source, [rejection], self._turn.now, dropped=self._left_out[source, "event"] - 1)
        self._left_out.clear()
        self._first.clear()

    def _passes(self, source: str, sort: Sort, name: str, most: int) -> bool:
        """Whether a source may use a name; from now on it does."""
        place, hashed = (source, sort), hash_id(name)
        known = self._known.setdefault(place, set())
        if hashed in known:
            return True
        count = self._counts.get(place)
        if count is None:
            count = count_names(self._turn.tx, source, sort)
        self._counts[place] = count
        if count >= most:
            return False
        self._counts[place] = count + 1
        known.add(hashed)
        self._new.append((source, sort, hashed))
        return True


class NameWatch:
    """What was left out, as of the last look; says so when it begins."""

    def __init__(self, store: Store) -> None:
        self.found: Sequence[Undeclared] = ()
        self._store = store
        self._before: Mapping[tuple[str, Sort], int] | None = None
        self._growing: frozenset[tuple[str, Sort]] = frozenset()
        self._looking: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Look at the counts, and say what is left out now and was not before."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._compare())

    async def _compare(self) -> None:
        try:
            self.found = await asyncio.wrap_future(self._store.write(list_undeclared, LAST))
        except StoreUnavailable:
            return  # the next look asks again
        totals = {(one.source, one.sort): one.left_out for one in self.found}
        if self._before is not None:
            before = self._before
            growing = frozenset(place for place, total in totals.items() if total > before.get(place, 0))
            for source, sort in sorted(growing - self._growing):
                what = "events are rejected" if sort == "event" else "traits are left out"
                count = totals[source, sort] - before.get((source, sort), 0)
                _log.warning(
                    f"{what}: the source uses too many names that nobody declared, see `segue doctor`",
                    source=source,
                    count=count,
                )
            self._growing = growing
        self._before = totals


def _shown(name: str) -> str:
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…")
