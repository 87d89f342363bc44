"""Events in: duplicates, identity, traits, history and journeys of a batch, in one transaction.

The source is answered only after that transaction has committed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from segue.api import Event, Instant, Rejection
from segue.customers.carts import CHANGES, ORDERED
from segue.customers.identity import device_key, find_same, resolve, show, user_key
from segue.engine.journey import Arrived
from segue.program.keys import per_value
from segue.runtime.admissions import Cause
from segue.runtime.agreeing import SPEAKING, agree
from segue.runtime.erased import Erased
from segue.runtime.erasing import erase_at_once
from segue.runtime.merging import merge
from segue.runtime.people import Person
from segue.runtime.refusing import repeat_word
from segue.runtime.running import Running
from segue.runtime.turn import Done, Turn
from segue.store import customers as customer_rows
from segue.store.customers import hash_id
from segue.store.database import Transaction
from segue.store.history import IMPORTED, SOURCE
from segue.store.rejections import reject

_encode: Final = msgspec.json.Encoder().encode


REFUSED: Final = "its customer was erased, and it happened before that, or only says who they are"
"""Why an event is refused that would bring back somebody who was erased. Nothing of it is kept."""


class Ingested(msgspec.Struct, frozen=True):
    """What came of a batch: how many events were new, how many had come before, how many are about customers who were
    erased and were refused, and what was done."""

    accepted: int
    duplicates: int
    done: Done
    refused: int = 0


def ingest(tx: Transaction, running: Running, events: Sequence[Event], now: Instant) -> Ingested:
    """Take in a batch that arrived at ``now``, in its order."""
    intake = Intake(Turn(tx, running, now))
    intake.expect(events)
    accepted = sum(intake.take(event, now) for event in events)
    done = intake.close()
    return Ingested(accepted, len(events) - accepted - intake.refused, done, intake.refused)


class Intake:
    """Takes events in, one after the other, within one turn: whether they came before, and whose they are.
    ``recorded``: they are on record, where what came by another door (a STOP) is an event too."""

    def __init__(self, turn: Turn, *, recorded: bool = False) -> None:
        self._turn = turn
        self._recorded = recorded
        self._hashes: dict[str, int] = {}
        self._seen: set[str] = set()
        self._customers: dict[str, int] = {}
        self._own_keys: dict[int, str] = {}
        self._aliases: dict[str, int] = {}
        self._erased = Erased(turn.tx)
        self._refused: Counter[str] = Counter()
        self._told: Counter[str] = Counter()

    def expect(self, events: Sequence[Event]) -> None:
        """Bring what will be asked about events that come next, for all of them at once. Each is expected once before
        it is taken."""
        tx, turn = self._turn.tx, self._turn
        hashes = {event.message_id: hash_id(event.message_id) for event in events}
        self._hashes |= hashes
        self._seen |= customer_rows.find_seen(tx, set(hashes.values()))
        keys: set[str] = set()
        for event in events:
            if event.user_id is not None:
                keys.add(user_key(event.user_id))
            if event.anonymous_id is not None:
                keys.add(device_key(event.anonymous_id))
            if event.previous_id is not None:
                keys.add(device_key(event.previous_id))
        found = customer_rows.find_customers(tx, keys) if keys else {}
        self._customers |= found
        turn.load(found.values())
        self._own_keys.update((row, turn.people[row].row.key) for row in found.values())
        turn.load_journeys([row for row, person in turn.people.items() if person.journeys is None])
        _load_history(turn, turn.running, events)
        self._erased.expect(events)

    def take(self, event: Event, now: Instant, *, imported: bool = False) -> bool:
        """Take an event in that arrives now; False where it came before, or is refused. A hash finds candidates,
        equality decides. One that is ``imported`` begins no journey."""
        if event.message_id in self._seen:
            return False
        if self._erased and self._erased.refuses(event, self._is_known(event), imported=imported):
            self._refused[event.source] += 1
            return False
        self._seen.add(event.message_id)
        self._turn.importing = imported
        try:
            self._take(event, now)
        finally:
            self._turn.importing = False
        return True

    def _take(self, event: Event, now: Instant) -> None:
        turn, customers, own_keys = self._turn, self._customers, self._own_keys
        same = find_same(event.user_id, _device_of(event), customers, own_keys)
        if same is not None:
            self._write_aliases()
            merge(turn, *same, now)
            kept, gone = same
            customers.update({key: kept for key, row in customers.items() if row == gone})
            del own_keys[gone]
        person = _identify(turn, event, customers, own_keys, self._aliases)
        _take(turn, turn.running, person, event, self._hashes.pop(event.message_id), now, self._recorded)
        if person is not None and turn.running.erases(event.name):
            self._erase(person, event, now)

    def _is_known(self, event: Event) -> bool:
        """Whether an event names a customer who exists."""
        return (event.user_id is not None and user_key(event.user_id) in self._customers) or (
            (device := _device_of(event)) is not None and device_key(device) in self._customers
        )

    def _erase(self, person: Person, event: Event, now: Instant) -> None:
        """The event asks for its customer to be erased; it goes with them."""
        self._write_aliases()
        self._erased.add(erase_at_once(self._turn, person, f"{event.name} from {event.source}", now), now)
        row = person.row.row
        self._customers = {key: known for key, known in self._customers.items() if known != row}
        self._own_keys.pop(row, None)

    def close(self) -> Done:
        """Write everything."""
        done = self._turn.flush()
        self._write_aliases()
        for source, count in (self._refused - self._told).items():
            reject(self._turn.tx, source, [Rejection(reason=REFUSED)], self._turn.now, dropped=count - 1)
        self._told = self._refused.copy()
        return done

    @property
    def refused(self) -> int:
        """How many events were refused, for they are about somebody who was erased."""
        return self._refused.total()

    def _write_aliases(self) -> None:
        if self._aliases:
            customer_rows.put_aliases(self._turn.tx, self._aliases)
            self._aliases.clear()


def _load_history(turn: Turn, running: Running, fresh: Sequence[Event]) -> None:
    """The history that conditions of this batch may read, for customers who have one, in one query."""
    names: set[str] = set()
    for event in fresh:
        if event.name is not None:
            for program in running.triggers.get(running.names.get(event.name, event.name), ()):
                names |= program.events | program.entry_reads
    names |= _read_by_segments(running, fresh)
    if running.carts and any(running.names.get(event.name or "", event.name) in CHANGES for event in fresh):
        names.add(ORDERED)
    for person in turn.people.values():
        for journey in (person.journeys or {}).values():
            known = running.programs.get(journey.program)
            if known is not None:
                names |= known.events
    turn.load_history(turn.people, names)


def _read_by_segments(running: Running, fresh: Sequence[Event]) -> set[str]:
    """The history that live segments read which this batch touches."""
    beginnings = running.beginnings
    if not beginnings.watched:
        return set()
    touched: set[str] = set()
    for event in fresh:
        if event.name is not None:
            touched.update(beginnings.by_event.get(running.names.get(event.name, event.name), ()))
        for trait in event.traits or ():
            touched.update(beginnings.by_trait.get(trait, ()))
    conditions = (beginnings.watched[name].condition for name in touched)
    return {event for condition in conditions if condition is not None for event in condition.events}


def _device_of(event: Event) -> str | None:
    return event.anonymous_id if event.anonymous_id is not None else event.previous_id


def _identify(
    turn: Turn, event: Event, customers: dict[str, int], own_keys: dict[int, str], aliases: dict[str, int]
) -> Person | None:
    """The customer an event is about; None where it names nobody."""
    found = resolve(event.user_id, _device_of(event), customers, own_keys)
    if found is None:
        return None
    if found.customer is None:
        row = turn.tx.store.ids.take("customer")
        person = turn.add(row, found.key)
        customers[found.key] = row
        own_keys[row] = found.key
    else:
        person = turn.people[found.customer]
    number = person.row.row
    if found.known:
        person.row.seed = person.row.seed or show(person.row.key)
        person.row.key = own_keys[number] = found.key
        customers[found.key] = number
        turn.refresh(person)
    if found.alias is not None:
        aliases[found.alias] = customers[found.alias] = number
    return person


def _take(
    turn: Turn, running: Running, person: Person | None, event: Event, hashed: int, now: Instant, recorded: bool
) -> None:
    at = min(event.timestamp, now)
    name = running.names.get(event.name, event.name) if event.name is not None else None
    fields = _spell(running, name, event)
    raw = _encode(fields) if fields else b""
    rest = _rest(event, person)
    kind = IMPORTED if turn.importing else SOURCE
    order = turn.record(event.message_id, person.row.row if person else None, name, at, kind, raw, rest, hashed)
    if person is None:
        if name is not None:
            _reach_named(turn, running, Arrived(name, at, order, raw, fields, event.message_id), now)
        return
    turn.advance(person, now)
    if event.traits:
        changed = frozenset(key for key, value in event.traits.items() if person.row.traits.get(key) != value)
        if changed:
            old = {key: person.row.traits.get(key) for key in changed}
            for key in changed:
                if event.traits[key] is None:
                    person.row.traits.pop(key, None)
                else:
                    person.row.traits[key] = event.traits[key]
            turn.refresh(person)
            turn.change(person, changed, now, old=old, cause=Cause(event.message_id, at, order))
    if name is not None:
        if name in SPEAKING:
            if recorded:
                repeat_word(turn, person, name, event, at, now)
            agree(turn, person, name, event, fields, at, now)
        arrived = Arrived(name, at, order, raw, fields, event.message_id)
        if turn.carts is not None:
            turn.carts.note(person, arrived, event.source)
        turn.arrive(person, arrived, now)
    if person.new and turn.lookouts is not None:
        turn.lookouts.greet(person, Cause(event.message_id, at, order), now)


def _spell(running: Running, name: str | None, event: Event) -> dict[str, Any]:
    """The event's fields by their names in rules, with its source."""
    fields = event.properties
    if name is None:
        return fields
    spellings = running.spellings.get(name)
    if spellings is not None and not spellings.keys().isdisjoint(fields):
        known = {spellings.get(key, key): value for key, value in fields.items() if key in spellings}
        fields = known | {key: value for key, value in fields.items() if key not in spellings}
    return fields if "source" in fields else {**fields, "source": event.source}


def _rest(event: Event, person: Person | None) -> bytes | None:
    """What a replay needs besides the fields. Nothing, for the usual event of a customer who is known by the user id
    alone."""
    plain = person is not None and event.user_id is not None and person.row.key == user_key(event.user_id)
    rest: dict[str, Any] = {}
    if event.anonymous_id is not None:
        rest["anonymousId"] = event.anonymous_id
    if event.user_id is not None and (rest or not plain):
        rest["userId"] = event.user_id
    if event.previous_id is not None:
        rest["previousId"] = event.previous_id
    if event.traits:
        rest["traits"] = event.traits
    return _encode(rest) if rest else None


def _reach_named(turn: Turn, running: Running, event: Arrived, now: Instant) -> None:
    """An event that names no customer reaches every journey whose rule says ``per`` a field it carries,
    with that value."""
    reached: set[int] = set()
    for per, rules in running.keyed.items():
        value = per_value(event.fields, per)
        if value is not None:
            reached |= turn.customers_with_value(rules, value)
    for row in sorted(reached):
        person = turn.people[row]
        turn.advance(person, now)
        order = turn.record(f"{event.key}/{row}", row, event.name, event.at, 2, event.raw)
        turn.reach(person, msgspec.structs.replace(event, order=order), now)
