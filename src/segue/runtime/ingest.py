"""Events in: duplicates, identity, traits, history and journeys of a batch, in one transaction.

The source is answered only after that transaction has committed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from segue.api import Event, Instant, Rejection
from segue.customers.carts import CHANGES, ORDERED
from segue.customers.identity import Link, identifiers, links_of, user_key
from segue.customers.traits import Origin, limit_traits, put, read_traits
from segue.engine.journey import Arrived
from segue.program.keys import per_value
from segue.runtime.admissions import Cause
from segue.runtime.agreeing import SPEAKING, agree
from segue.runtime.erased import Erased
from segue.runtime.erasing import erase_at_once
from segue.runtime.follow_ups import FollowUps
from segue.runtime.identifying import Identities
from segue.runtime.names import Names
from segue.runtime.people import Person
from segue.runtime.recommending import note_event
from segue.runtime.refusing import given_anew, repeat_word
from segue.runtime.running import Running
from segue.runtime.turn import Done, Turn
from segue.store import customers as customer_rows
from segue.store.coupons import redeem
from segue.store.customers import hash_id
from segue.store.database import Transaction
from segue.store.history import IMPORTED, SOURCE
from segue.store.rejections import reject

_REDEEMING: Final = frozenset({"ordered", "coupon_applied"})
"""Events whose field ``coupon`` is a code that was used."""

_encode: Final = msgspec.json.Encoder().encode


REFUSED: Final = "its customer was erased, and it happened before that, or only says who they are"
"""Why an event is refused that would bring back somebody who was erased. Nothing of it is kept."""


class Ingested(msgspec.Struct, frozen=True):
    """What came of a batch: how many events were new, how many had come before, how many were refused (about
    customers who were erased, or under a name too many), and what was done."""

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
    ``recorded``: they are on record, where what came by another door (a STOP) is an event too, and no
    name is one too many."""

    def __init__(self, turn: Turn, *, recorded: bool = False) -> None:
        self._turn = turn
        self._recorded = recorded
        self._hashes: dict[str, int] = {}
        self._seen: set[str] = set()
        self._keys: dict[str, tuple[str, ...]] = {}
        self._identities = Identities(turn)
        self._follow_ups = FollowUps()
        self._erased = Erased(turn.tx)
        self._names = Names(turn)
        self._refused: Counter[str] = Counter()
        self._told: Counter[str] = Counter()

    def expect(self, events: Sequence[Event]) -> None:
        """Bring what will be asked about events that come next, for all of them at once. Each is expected once before
        it is taken."""
        tx, turn, identities = self._turn.tx, self._turn, self._identities
        country = turn.running.identity.country
        events = self._follow_ups.name_customers(tx, events, country)
        hashes = {event.message_id: hash_id(event.message_id) for event in events}
        self._hashes |= hashes
        self._seen |= customer_rows.find_seen(tx, set(hashes.values()))
        wanted: set[str] = set()
        pairs: set[tuple[str, str]] = set()
        for event in events:
            if event.message_id in self._keys:
                continue  # twice in one batch: the first of them counts
            if event.user_id is not None and not (
                event.traits or event.ids or event.anonymous_id is not None or event.previous_id is not None
            ):
                keys: tuple[str, ...] = (user_key(event.user_id),)
            else:
                keys = identifiers(
                    event.user_id, event.anonymous_id, event.previous_id, event.ids, event.traits, country
                )
            self._keys[event.message_id] = keys
            wanted.update(keys)
            if len(keys) > 1 or event.previous_id is not None:
                pairs.update((link.key, link.other) for link in _links(event, keys, event.timestamp))
        identities.expect(wanted, pairs)
        turn.load({identities.customers[key] for key in wanted if key in identities.customers})
        turn.load_journeys([row for row, person in turn.people.items() if person.journeys is None])
        _load_history(turn, turn.running, events)
        self._erased.expect(events)
        if not self._recorded:
            self._names.expect(events)

    def take(self, event: Event, now: Instant, *, imported: bool = False) -> bool:
        """Take an event in that arrives now; False where it came before, or is refused. A hash finds candidates,
        equality decides. One that is ``imported`` begins no journey."""
        if event.message_id in self._seen:
            self._keys.pop(event.message_id, None)
            return False
        event = self._follow_ups.named(event)
        if self._erased and self._erased.refuses(event, self._is_known(event), imported=imported):
            self._refused[event.source] += 1
            return False
        if not self._recorded and self._names.refuses(event):
            return False
        self._seen.add(event.message_id)
        self._turn.importing = imported
        try:
            self._take(event, now)
        finally:
            self._turn.importing = False
        if (trouble := self._follow_ups.trouble_with(event)) is not None:
            reject(self._turn.tx, event.source, [trouble], self._turn.now)
        return True

    def _take(self, event: Event, now: Instant) -> None:
        turn = self._turn
        keys = self._keys.pop(event.message_id)
        person: Person | None = None
        if keys:
            at = min(event.timestamp, now)
            links = _links(event, keys, at) if len(keys) > 1 or event.previous_id is not None else ()
            person = turn.person(self._identities.resolve(keys, links, at, now))
        if not self._recorded:
            event = self._names.fit(event, person)
        _take(turn, turn.running, person, event, self._hashes.pop(event.message_id), now, self._recorded)
        if person is not None and turn.running.erases(event.name):
            self._erase(person, event, now)

    def _is_known(self, event: Event) -> bool:
        """Whether an event names a customer who exists."""
        return not self._identities.customers.keys().isdisjoint(self._keys[event.message_id])

    def _erase(self, person: Person, event: Event, now: Instant) -> None:
        """The event asks for its customer to be erased; it goes with them."""
        who = f"{event.name} from {event.source}"
        self._erased.add(erase_at_once(self._turn, self._identities, person, who, now), now)

    def close(self) -> Done:
        """Write everything."""
        done = self._turn.flush()
        self._identities.write()
        self._names.close()
        for source, count in (self._refused - self._told).items():
            reject(self._turn.tx, source, [Rejection(reason=REFUSED)], self._turn.now, dropped=count - 1)
        self._told = self._refused.copy()
        return done

    @property
    def unnamed(self) -> Mapping[str, str]:
        """Why events under a name too many were refused, by message id."""
        return self._names.refused

    @property
    def refused(self) -> int:
        """How many events were refused: about somebody who was erased, or under a name too many."""
        return self._refused.total() + len(self._names.refused)


def _links(event: Event, keys: tuple[str, ...], at: Instant) -> list[Link]:
    return links_of(keys, event.user_id, event.previous_id, at, event.message_id)


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
    if name in _REDEEMING and isinstance(used := fields.get("coupon"), str):
        redeem(turn.tx, used, at)
    note_event(turn.tx, person.row.row if person else None, name, fields, at)
    if person is None:
        if name is not None:
            _reach_named(turn, running, Arrived(name, at, order, raw, fields, event.message_id), now)
        return
    turn.advance(person, now)
    if event.traits:
        _take_traits(turn, running, person, event, at, order, now)
    if name is not None:
        if name in SPEAKING:
            if recorded:
                repeat_word(turn, person, name, event, at, now)
            agree(turn, person, name, event, fields, at, now)
        arrived = Arrived(name, at, order, raw, fields, event.message_id)
        if turn.carts is not None:
            turn.carts.note(person, arrived, event.source)
        turn.arrive(person, arrived, now)
    if turn.lookouts is not None and person.row.row in turn.begun:  # written already, where they share an address
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


def _take_traits(
    turn: Turn, running: Running, person: Person, event: Event, at: Instant, order: int, now: Instant
) -> None:
    read, refused = read_traits(event.traits, running.traits, running.identity.country)
    given, more = limit_traits(read, person.row.traits, running.declared)
    if refused or more:
        turn.refuse_traits(event.source, (*refused, *more))
    old = put(person.row.traits, person.row.origins, given, Origin(at, event.message_id, event.source))
    if old:
        turn.refresh(person)
        turn.change(person, frozenset(old), now, old=old, cause=Cause(event.message_id, at, order))
    else:
        person.changed = True  # what was known is from a later moment now
    given_anew(turn, person, given, old, at, now)


def _rest(event: Event, person: Person | None) -> bytes | None:
    """What a replay needs besides the fields, and whoever moves an event to another customer: its identifiers and
    traits. Nothing, for the usual event of a customer who is known by the user id alone."""
    plain = person is not None and event.user_id is not None and person.row.key == user_key(event.user_id)
    rest: dict[str, Any] = {}
    if event.anonymous_id is not None:
        rest["anonymousId"] = event.anonymous_id
    if event.previous_id is not None:
        rest["previousId"] = event.previous_id
    if event.ids:
        rest["ids"] = event.ids
    if event.traits:
        rest["traits"] = event.traits
        if event.name is None:
            rest["source"] = event.source
    if event.user_id is not None and (rest or not plain):
        rest["userId"] = event.user_id
    elif rest and event.anonymous_id is None:
        rest["userId"] = None
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
