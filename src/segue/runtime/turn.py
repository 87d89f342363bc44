"""One turn: inputs of a batch, applied in order, within one transaction.

Every loop of the daemon, and of replay, is a turn: it loads the customers a batch concerns, feeds the engine, carries
out its effects and writes everything back at once. A customer's inputs are applied in the order of their moments:
before an event is looked at, every wait that was due before it is over. A step that raises fails its own journey,
never the batch.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final, assert_never

import msgspec
from msgspec.structs import replace

from segue.api import Instant
from segue.customers import consent
from segue.customers.consent import GRANTED, Statement
from segue.customers.identity import show
from segue.customers.normal import ZONED
from segue.customers.traits import Refused, put, set_by_rule
from segue.customers.zones import clock_of, zone_of
from segue.engine.follow import follow
from segue.engine.journey import (
    Arrived,
    Assign,
    Changed,
    Claimed,
    Crossed,
    Decide,
    Effect,
    Emitted,
    Input,
    Journey,
    Learn,
    Note,
    Pass,
    Reported,
    Settled,
    SetTrait,
    Withdraw,
    Woken,
    mint,
)
from segue.engine.step import end, note_reaction, step
from segue.program.facts import ZONE_TRAIT, Customer, Past
from segue.program.keys import reaches
from segue.program.reads import REACH
from segue.runtime.admissions import Admissions, Cause, occasion
from segue.runtime.arms import Arms
from segue.runtime.calendars import add_zones
from segue.runtime.carts import Carts
from segue.runtime.exposures import Exposures
from segue.runtime.long_history import LongHistories
from segue.runtime.lookouts import Lookouts
from segue.runtime.outgoing import Outgoing
from segue.runtime.people import History, Person
from segue.runtime.running import CHAIN, DecisionLine, Running
from segue.runtime.standing import StoreStanding
from segue.runtime.suppressing import Suppressions
from segue.store import consent as consent_rows
from segue.store import customers as customer_rows
from segue.store import journeys as journey_rows
from segue.store.customers import CustomerRow, EventRow
from segue.store.database import Transaction
from segue.store.schedules import scheduled_zones
from segue.store.traits import put_refused

_encode = msgspec.json.Encoder().encode

_ENDINGS: Final = ("finished", "exited", "failed")


class Done(msgspec.Struct, frozen=True):
    """What a turn did: the decisions, in order; when the earliest of its journeys wants to be woken (None: none of
    them); and the channels that got something to send."""

    lines: tuple[DecisionLine, ...]
    due: Instant | None = None
    channels: frozenset[str] = frozenset()


class Turn:
    """The state of one turn. ``now`` is the moment of its transaction, ``lines`` the decisions made, in order,
    ``overdue`` the journeys that this turn began or moved on to a wait that is over by ``horizon``: when, customer,
    journey. In the daemon the horizon is ``now``; where time is virtual both may be moved on between two inputs, and
    one turn goes over many moments."""

    def __init__(self, tx: Transaction, running: Running, now: Instant) -> None:
        self.tx = tx
        self.running = running
        self.now = self.horizon = now
        self.lines: list[DecisionLine] = []
        self.people: dict[int, Person] = {}
        self.begun: set[int] = set()
        """Customers seen for the first time in this turn."""
        self.calendar: Instant | None = None
        """The first moment of the calendar in a zone that this turn was the first to see."""
        self.importing = False
        """Whether the input at hand is a past event of an import: neither it nor what follows from it begins a
        journey. What time brings meanwhile is not the import's doing."""
        self.became: dict[int, int] = {}
        """Customers who turned out to be another one in this turn."""
        self.lost: set[int] = set()
        """Customers who were erased in this turn."""
        self.overdue: list[tuple[Instant, int, Journey]] = []
        self.tally: Counter[tuple[str, str, str]] = Counter()
        # What belongs to the turn does not hold it: it goes, with a thousand customers, the moment it is done with, and
        # not when the collector comes by.
        self._weakly = weakref.proxy(self)
        self.suppressions = Suppressions(tx, running.in_hand)
        self.arms = Arms(self._weakly)
        self.exposures = Exposures(tx)
        self.admissions = Admissions(self._weakly)
        self.outgoing = Outgoing(self._weakly)
        self.lookouts = Lookouts(self._weakly) if running.beginnings.watched else None
        self._long = LongHistories(self._weakly)
        self.carts = Carts(self._weakly) if running.carts else None
        self._order = -1
        self._events: list[EventRow] = []
        self._fresh: dict[int, tuple[int, Journey]] = {}
        self._touched: dict[int, Journey] = {}
        self._known: dict[int, Journey] = {}
        self._moved: set[int] = set()
        self._heard: list[tuple[int, Statement]] = []
        self._refused: Counter[tuple[str, str, str]] = Counter()
        self._due: Instant | None = None
        self._zones = scheduled_zones(tx) if running.beginnings.local else None

    # Loading

    def load(self, rows: Iterable[int]) -> None:
        """Load customers by number, where they are not loaded yet."""
        missing = [row for row in dict.fromkeys(rows) if row not in self.people]
        if missing:
            for row, customer in customer_rows.load_customers(self.tx, missing).items():
                self.people[row] = self._person(customer, new=False)
            self._long.load(missing)
            self.admissions.load(missing)

    def add(self, row: int, key: str) -> Person:
        """A customer seen for the first time."""
        person = self._person(CustomerRow(row, key, {}, {}), new=True)
        self.people[row] = person
        self.begun.add(row)
        return person

    def _person(self, row: CustomerRow, *, new: bool) -> Person:
        history = History(None if new else partial(_fetch, self.tx, row.row))
        return Person(row, history, partial(Turn._facts, self._weakly), new=new)

    def _facts(self, row: CustomerRow, history: History) -> Customer:
        running, traits = self.running, row.traits
        zone = clock_of(traits, running.zone)
        refusal = partial(running.reach.refusal, traits=traits, consent=row.consent, suppressed=self.suppressions.find)
        standing, judges, long = StoreStanding(self._weakly, row), running.judges, history.long
        return Customer(show(row.key), traits, zone, running.currency, history, refusal, judges, standing, long)

    def refresh(self, person: Person) -> None:
        """After a change of traits or consent: the facts anew."""
        person.refresh()
        if self._zones is not None:
            self._note_zone(person)

    def load_history(self, rows: Iterable[int], names: Iterable[str]) -> None:
        """Bring the history of these names for customers that are loaded, with one query for those who have little of
        it."""
        wanted = sorted(names)
        people = [row for row in rows if not self.people[row].new]
        if not wanted or not people:
            return
        self._long.bring(people, wanted)

    def load_ahead(self, journeys: Iterable[Journey]) -> None:
        """Bring the history that these journeys may read in going on from where they are: what lies ahead, and guards
        that time may turn. For all customers that are loaded, with one query."""
        names: set[str] = set()
        for content, number in {(one.program, one.step) for one in journeys if one.state == "inside"}:
            program = self.running.programs.get(content)
            if program is not None and number < len(program.steps):
                names |= program.ahead[number + 1]
                for index in program.steps[number].guards:
                    if program.guards[index].condition.volatile:
                        names |= program.guards[index].condition.events
        self.load_history(self.people, names)

    def load_journeys(self, rows: Iterable[int]) -> None:
        """Bring the live journeys of customers that are loaded."""
        missing = [row for row in rows if self.people[row].journeys is None]
        if missing:
            found = journey_rows.load_live(self.tx, missing)
            for row in missing:
                # those this turn has changed already are newer than what the store says
                journeys = [self._touched.get(journey.row, journey) for journey in found.get(row, ())]
                self.people[row].journeys = {one.row: one for one in journeys if journey_rows.is_live(one)}

    def journeys(self, person: Person) -> dict[int, Journey]:
        """The live journeys of a customer."""
        if person.journeys is None:
            self.load_journeys((person.row.row,))
        assert person.journeys is not None
        return person.journeys

    def customers_with_value(self, rules: Sequence[str], value: str) -> set[int]:
        """Customers with a live journey of one of the rules for a ``per`` value; they are loaded."""
        rows = set(journey_rows.customers_with_value(self.tx, rules, value))
        rows.update(customer for customer, journey in self._fresh.values() if journey.value == value)
        self.load(rows)
        self.load_journeys([row for row in rows if self.people[row].journeys is None])
        return {
            row
            for row in rows
            if any(one.value == value and one.rule in rules for one in self.journeys(self.people[row]).values())
        }

    def latest(self, person: Person, journey: Journey) -> Journey:
        """The journey as this turn left it."""
        return self._left(person, journey.row) or journey

    def _left(self, person: Person, number: int) -> Journey | None:
        if number in self._touched:
            return self._touched[number]
        if number in self._fresh:
            return self._fresh[number][1]
        if person.journeys is not None and number in person.journeys:
            return person.journeys[number]
        return self._known.get(number)

    def find_journey(self, person: Person, number: int) -> Journey:
        """A journey by number, also one that has ended."""
        found = self._left(person, number)
        if found is None:
            self.load_journeys_by_number((number,))
            found = self._known[number]
        return found

    def load_journeys_by_number(self, numbers: Iterable[int]) -> list[Journey]:
        """Bring journeys, live or not. Gives those that the store has of them."""
        found = journey_rows.load_journeys(self.tx, numbers)
        self._known.update((number, journey) for number, (_, journey) in found.items())
        return [journey for _, journey in found.values()]

    def person(self, row: int) -> Person:
        """A customer by number, loaded where that was not so; one who turned out to be another one is that one."""
        row = self.became.get(row, row)
        person = self.people.get(row)
        if person is None:
            self.load((row,))
            person = self.people[row]
        return person

    def forget(self, customers: Collection[int]) -> None:
        """Customers change in the store: bring them anew. Everything was written before."""
        for row in customers:
            if (person := self.people.pop(row, None)) is not None and person.journeys is not None:
                for number in person.journeys:
                    self._known.pop(number, None)
        self.admissions.forget(customers)
        self.arms.forget(customers)
        self.outgoing.forget(customers)
        if self.lookouts is not None:
            self.lookouts.forget(customers)
        if self.carts is not None:
            self.carts.forget(customers)

    def lose(self, row: int) -> None:
        """A customer was deleted from the store. Everything was written before."""
        self.forget((row,))
        self.lost.add(row)

    # Inputs

    def advance(self, person: Person, before: Instant) -> None:
        """All that was due for the customer before a moment, in the order in which it was: every wait, every look at
        what is watched, every abandoned cart. Then an edit takes over whom it has to."""
        importing, self.importing = self.importing, False
        if self.lookouts is not None:
            self.lookouts.settle(person)
        self._pass_time(person, before)
        if self.running.superseded:
            for journey in list(self.journeys(person).values()):
                self.taken_over(person, journey, before)
            self._pass_time(person, before)  # a wait that the edit made shorter may be over
        self.importing = importing

    def _pass_time(self, person: Person, before: Instant) -> None:
        while True:
            earliest: Journey | None = None
            for journey in self.journeys(person).values():
                if (
                    journey.due is not None
                    and journey.due < before
                    and (earliest is None or earliest.due is None or journey.due < earliest.due)
                ):
                    earliest = journey
            moment = earliest.due if earliest is not None else None
            if self._look_out(person, before, moment):
                continue
            if earliest is None or moment is None:
                return
            earliest = self.taken_over(person, earliest, moment)
            if earliest.due == moment:
                self.feed(person, earliest, Woken(), moment)

    def _look_out(self, person: Person, before: Instant, until: Instant | None) -> bool:
        """Look at what of a customer is to be looked at first, a cart or what is watched, where that is before a
        moment, and no later than the first wait that ends."""
        look = self.lookouts.earliest(person) if self.lookouts is not None else None
        cart = self.carts.earliest(person) if self.carts is not None else None
        due = min((one for one in (cart, look[0] if look is not None else None) if one is not None), default=None)
        if due is None or due >= before or (until is not None and due > until):
            return False
        if self.carts is not None and cart == due:
            self.carts.come(person, due)
        elif self.lookouts is not None and look is not None:
            self.lookouts.come(person, look[1], due)
        return True

    def look_out_until(self, person: Person, moment: Instant) -> None:
        """Look at what of the customer was to be looked at by a moment at which a wait ends."""
        if self.lookouts is not None:
            self.lookouts.settle(person)
        while self._look_out(person, Instant(moment + 1), None):
            pass

    def taken_over(self, person: Person, journey: Journey, now: Instant) -> Journey:
        """The journey, by the text of its rule that holds at a moment: where that follows its edits, what was
        published since has taken over."""
        program = self.running.superseded.get(journey.program)
        if program is None or journey.state != "inside" or now < self.running.published:
            return journey
        old, moment = self.running.programs.get(journey.program), self.running.published
        try:
            if old is None:
                raise LookupError("its program is missing from the store")
            after, effects = follow(old, program, journey, person.facts, moment)
        except Exception as error:
            after, effects = end(journey, "failed", f"{type(error).__name__}: {error}", moment)
        self.keep(person, after)
        self._moved.add(journey.row)
        self.carry_out(person, after, effects, moment, 0)
        return self.latest(person, after)

    def arrive(self, person: Person, event: Arrived, now: Instant, depth: int = 0) -> None:
        """An event: first to the journeys inside, then to the rules it may begin, then to the segments it concerns."""
        self._remember(person, event)
        if self.journeys(person):
            self._reach_inside(person, event, now, depth)
        for program in self.running.triggers.get(event.name, ()):
            self.admissions.admit(person, program, event, now, depth)
        self._touch_by_event(person, event, now, depth)

    def arrive_by_time(
        self, person: Person, name: str, moment: Instant, fields: dict[str, Any], message_id: str
    ) -> None:
        """An event that nobody sent happens, since its moment came: recorded, and met like any other."""
        arrived, raw = self._order, _encode(fields)
        order = self.record(message_id, person.row.row, name, moment, 2, raw)
        event = Arrived(name, moment, order, raw, fields, message_id)
        self._remember(person, event)
        self._reach_inside(person, event, moment, 0)
        for program in self.running.triggers.get(name, ()):
            self.admissions.admit_by_time(person, program, event)
        self._touch_by_event(person, event, moment, 0)
        self._order = arrived

    def _touch_by_event(self, person: Person, event: Arrived, now: Instant, depth: int) -> None:
        if self.lookouts is not None and (segments := self.running.beginnings.by_event.get(event.name)):
            self.lookouts.touch(person, segments, (), Cause(event.key, event.at, event.order), now, depth)

    def reach(self, person: Person, event: Arrived, now: Instant) -> None:
        """An event that names no customer, for one of those whose journeys it reaches: it begins nothing."""
        self._remember(person, event)
        self._reach_inside(person, event, now, 0, named_only=True)
        self._touch_by_event(person, event, now, 0)

    def _remember(self, person: Person, event: Arrived) -> None:
        """Make the event part of the customer's history as this turn sees it; it is written with the turn."""
        person.history.remember(event.name, Past(event.at, event.order, event.raw))

    def _reach_inside(
        self, person: Person, event: Arrived, now: Instant, depth: int, *, named_only: bool = False
    ) -> None:
        concerned = []
        for journey in list(self.journeys(person).values()):
            program = self.running.programs.get(journey.program)
            if program is None or event.name not in program.watched:
                continue
            per = program.rule.per
            if per is not None and not reaches(event.fields, per, journey.value):
                continue
            if named_only and (per is None or event.fields.get(per) is None):
                continue
            concerned.append(journey)
        latest = self._latest(concerned, event.at)
        for journey in concerned:
            self._feed_live(person, journey, event, now, goals=latest.get(journey.rule) is journey, depth=depth)

    def _latest(self, journeys: Sequence[Journey], at: Instant) -> dict[str, Journey]:
        """For each rule the journey that an event of that moment may convert: the latest that had begun."""
        latest: dict[str, Journey] = {}
        for journey in journeys:
            if journey.entered <= at and (
                journey.rule not in latest or journey.entered >= latest[journey.rule].entered
            ):
                latest[journey.rule] = journey
        return latest

    def change(
        self,
        person: Person,
        traits: frozenset[str],
        now: Instant,
        depth: int = 0,
        without: int = 0,
        *,
        old: Mapping[str, Any] = {},
        cause: Cause | None = None,
    ) -> None:
        """Traits changed, from what ``old`` says: every journey inside that names one looks again, then it may begin
        rules. `REACH` among them says that consent did. ``without`` is the journey whose doing it is."""
        own = traits
        if self.running.reach.depends_on(traits):
            traits |= {REACH}
        if not ZONED.isdisjoint(traits) and zone_of(person.row.traits) != zone_of({**person.row.traits, **old}):
            traits |= {ZONE_TRAIT}
            self.outgoing.contact.moved_house(person.row.row)
        concerned = [
            journey
            for journey in list(self.journeys(person).values())
            if journey.row != without
            and (program := self.running.programs.get(journey.program)) is not None
            and program.watched_traits & traits
        ]
        latest = self._latest(concerned, now)
        for journey in concerned:
            self._feed_live(
                person, journey, Changed(traits), now, goals=latest.get(journey.rule) is journey, depth=depth
            )
        beginnings = self.running.beginnings
        if self.lookouts is None and not beginnings.changes:
            return
        if cause is None:
            cause = Cause(mint("change", person.row.key, now, *sorted(own)), now, self._order)
        for trait in sorted(own & beginnings.changes.keys()):
            fields = {"old": old.get(trait), "new": person.row.traits.get(trait)}
            event = occasion(cause, trait, fields={name: value for name, value in fields.items() if value is not None})
            for program in beginnings.changes[trait]:
                self.admissions.admit(person, program, event, now, depth)
        if self.lookouts is not None:
            segments = {name for trait in traits for name in beginnings.by_trait.get(trait, ())}
            dates = {name for trait in traits for name in beginnings.dates.get(trait, ())}
            self.lookouts.touch(person, sorted(segments), sorted(dates), cause, now, depth)

    def cross(self, person: Person, names: frozenset[str], now: Instant, depth: int, without: int = 0) -> None:
        """The customer went into or out of segments or rules by time, or by what a journey did: every journey inside
        that names one looks again."""
        named = self.running.beginnings.names
        concerned = [
            journey
            for journey in list(self.journeys(person).values())
            if journey.row != without and not names.isdisjoint(named.get(journey.program, ()))
        ]
        latest = self._latest(concerned, now)
        for journey in concerned:
            self._feed_live(
                person, journey, Crossed(names), now, goals=latest.get(journey.rule) is journey, depth=depth
            )

    def _cross_rule(self, person: Person, journey: Journey, now: Instant, depth: int) -> None:
        """A journey began or ended: whoever asks whether the customer is inside its rule looks again."""
        self.cross(person, frozenset((journey.rule,)), now, depth, without=journey.row)
        if self.lookouts is not None and (segments := self.running.beginnings.by_rule.get(journey.rule)):
            cause = Cause(mint("rule", journey.key, journey.state), now, self._order)
            self.lookouts.touch(person, segments, (), cause, now, depth)

    def _feed_live(
        self, person: Person, journey: Journey, happening: Input, now: Instant, *, goals: bool, depth: int
    ) -> None:
        """One input that reaches several journeys: what it did to an earlier one may have moved this one on,
        or ended it."""
        latest = self.latest(person, journey)
        if journey_rows.is_live(latest):
            self.feed(person, latest, happening, now, goals=goals, depth=depth)

    def feed(
        self, person: Person, journey: Journey, happening: Input, now: Instant, *, goals: bool = True, depth: int = 0
    ) -> Journey:
        """One input to one journey, and all that follows from it. Gives the journey as it is then."""
        arrived = self._order
        if isinstance(happening, Woken | Claimed | Settled):
            self._order = -1  # it did not arrive: what was recorded before it in this turn is none of its business
        program = self.running.programs.get(journey.program)
        try:
            if program is None:
                raise LookupError("its program is missing from the store")
            after, effects = step(program, journey, happening, person.facts, now, goals=goals)
        except Exception as error:
            if journey.state != "inside":  # it ended long ago, and cannot fail any more: only its goal is given up
                after, effects = replace(journey, due=None), []
                if isinstance(happening, Reported):  # its text may not be loaded any more: what came of it counts
                    note_reaction(after, happening)
            else:
                reason = str(error) if program is None else f"{type(error).__name__}: {error}"
                after, effects = end(journey, "failed", reason, now)
        self.keep(person, after)
        self.carry_out(person, after, effects, now, depth)
        self._order = arrived
        return after

    def end(self, person: Person, journey: Journey, reason: str, now: Instant, depth: int = 0) -> None:
        """Have a journey exit for a reason from outside. ``depth`` `CHAIN`: nothing follows from it."""
        after, effects = end(journey, "exited", reason, now)
        self.keep(person, after)
        self.carry_out(person, after, effects, now, depth)

    def enter(self, person: Person, journey: Journey) -> None:
        """A journey that begins gets its number."""
        journey.row = self.tx.store.ids.take("journey")
        self._fresh[journey.row] = (person.row.row, journey)
        self.outgoing.begin(journey.row)
        self.keep(person, journey)

    # Effects

    def keep(self, person: Person, journey: Journey) -> None:
        """Have a journey be, and be written, as it is now."""
        if journey.row in self._fresh:
            self._fresh[journey.row] = (person.row.row, journey)
        else:
            self._touched[journey.row] = journey
        if journey.due is not None and journey.due <= self.horizon:
            self.overdue.append((journey.due, person.row.row, journey))
        if person.journeys is not None:
            if journey_rows.is_live(journey):
                person.journeys[journey.row] = journey
            else:
                person.journeys.pop(journey.row, None)

    def carry_out(self, person: Person, journey: Journey, effects: Sequence[Effect], now: Instant, depth: int) -> None:
        """Do what the engine said, in order; then what follows from it for the customer's other journeys."""
        later: list[SetTrait | Emitted] = []
        old: dict[str, Any] = {}
        crossed = False
        for effect in effects:
            match effect:
                case Decide():
                    self.outgoing.decide(person, journey, effect, now)
                case Pass():
                    self.outgoing.pass_over(person, journey, effect, now)
                case Withdraw(reason=reason):
                    self.outgoing.withdraw(person, journey, reason, now)
                case Note(decision=decision):
                    self._note(person, journey, effect)
                    if decision in _ENDINGS:
                        self.outgoing.take_back(person, journey)
                    crossed = crossed or decision != "converted"
                case Assign():
                    self.arms.assign(person.row.row, self.running.programs[journey.program], effect)
                    self.exposures.assign(person.row.row, journey, effect)
                case Learn():
                    self.arms.learn(journey.rule, effect)
                case SetTrait(trait=trait):
                    if trait not in old:
                        old[trait] = person.row.traits.get(trait)
                        later.append(effect)
                    self._set_trait(person, effect, journey.rule, now)
                case Emitted():
                    later.append(effect)
                case _:
                    assert_never(effect)
        if crossed and journey.rule in self.running.beginnings.rules and depth < CHAIN:
            self._cross_rule(person, journey, now, depth + 1)
        for effect in later:
            if depth + 1 > CHAIN:
                self.admissions.end_chain_of(person, journey, effect, now)
            elif isinstance(effect, Emitted):
                self.emit(person, effect, now, depth + 1)
            elif old[effect.trait] != person.row.traits.get(effect.trait):
                cause = Cause(mint("set", journey.key, journey.visit, effect.trait), now, self._order)
                traits = frozenset((effect.trait,))
                self.change(person, traits, now, depth + 1, without=journey.row, old=old, cause=cause)

    def _note(self, person: Person, journey: Journey, note: Note) -> None:
        what = note.decision
        reason = note.reason if what in ("exited", "failed") else ""
        self.tally[journey.rule, what, reason] += 1
        self.lines.append(
            DecisionLine(note.at, show(person.row.key), journey.rule, journey.key, what, "", "", note.reason)
        )

    def _set_trait(self, person: Person, effect: SetTrait, rule: str, now: Instant) -> None:
        put(person.row.traits, person.row.origins, {effect.trait: effect.value}, set_by_rule(rule, now))
        self.refresh(person)

    def emit(self, person: Person, effect: Emitted, now: Instant, depth: int) -> None:
        """An event of Segue's own happens to a customer: recorded, and met like any other."""
        raw = _encode(effect.fields)
        order = self.record(effect.key, person.row.row, effect.event, now, 2, raw)
        event = Arrived(effect.event, now, order, raw, effect.fields, effect.key)
        self.arrive(person, event, now, depth)

    def record(
        self,
        message_id: str,
        customer: int | None,
        name: str | None,
        at: Instant,
        kind: int,
        raw: bytes,
        rest: bytes | None = None,
        hashed: int | None = None,
    ) -> int:
        """Append to what arrived; gives its place in the order of arrival."""
        order = self._order = self.tx.store.ids.take("event")
        if hashed is None:
            hashed = customer_rows.hash_id(message_id)
        self._events.append(EventRow(order, hashed, message_id, customer, name, at, self.now, kind, raw, rest))
        return order

    def hear(self, person: Person, statement: Statement) -> None:
        """A customer says something about being written to: into the ledger, and what stands after it with the
        customer. `refresh` and `change` follow, once all is said."""
        row = person.row
        consent.add(row.consent, statement)
        self._heard.append((row.row, statement))
        if statement.state != GRANTED and self.running.in_hand is not None:
            self.running.in_hand.stop_customers((row.row,))

    def refuse_traits(self, source: str, refused: Iterable[Refused]) -> None:
        """Count traits that are kept out."""
        self._refused.update((one.trait, source, one.reason) for one in refused)

    # Writing

    def waits_to_be_written(self, customer: int) -> bool:
        """Whether events of a customer are not written yet."""
        return any(event.customer == customer for event in self._events)

    def flush(self) -> Done:
        """Write everything that is not written yet, and say what was done since the turn began."""
        tx = self.tx
        new, changed = [], []
        self._long.flush()
        for person in self.people.values():
            if person.new:
                new.append(person.row)
            elif person.changed:
                changed.append(person.row)
            person.written()
        customer_rows.insert_customers(tx, new)
        customer_rows.update_customers(tx, changed)
        if self._events:
            customer_rows.insert_events(tx, self._events)
            self._events.clear()
        channels = self.outgoing.flush()
        self._flush_journeys()
        self.admissions.flush()
        self.arms.flush()
        self.exposures.flush()
        if self._heard:
            consent_rows.put_statements(tx, self._heard)
            self._heard.clear()
        self.suppressions.flush()
        if self._refused:
            put_refused(tx, self._refused, self.now)
            self._refused.clear()
        if self.tally:
            journey_rows.count(tx, self.tally)
            self.tally.clear()
        if self.lookouts is not None and (due := self.lookouts.flush()) is not None:
            self.comes(due)
        if self.carts is not None and (due := self.carts.flush()) is not None:
            self.comes(due)
        return Done(lines=tuple(self.lines), due=self._due, channels=channels)

    def _flush_journeys(self) -> None:
        tx = self.tx
        if self._fresh:
            journey_rows.insert(tx, self._fresh.values())
        if self._touched:
            journey_rows.update(tx, self._touched.values())
        if self._moved:
            journey_rows.move_programs(tx, [self._touched[row] for row in self._moved])
        written = [*(journey for _, journey in self._fresh.values()), *self._touched.values()]
        moments = [journey.due for journey in written if journey.due is not None]
        if moments:
            self.comes(min(moments))
        self._known.update((journey.row, journey) for journey in written)
        self._fresh.clear()
        self._touched.clear()
        self._moved.clear()

    def comes(self, due: Instant) -> None:
        """Something comes by time at a moment."""
        if self._due is None or due < self._due:
            self._due = due

    def _note_zone(self, person: Person) -> None:
        """The customer may live in a zone for which the calendar has no moments yet."""
        zone = zone_of(person.row.traits)
        if self._zones is None or zone is None or zone in self._zones:
            return
        self._zones.add(zone)
        due = add_zones(self.tx, self.running, (zone,), self.now)
        if due is not None:
            self.calendar = due if self.calendar is None else min(self.calendar, due)
            self.comes(due)


def _fetch(tx: Transaction, row: int, name: str) -> list[Past]:
    return customer_rows.load_history(tx, (row,), (name,)).get((row, name), [])
