"""One turn: inputs of a batch, applied in order, within one transaction.

Every loop of the daemon, and of replay, is a turn: it loads the customers a batch concerns, feeds the engine, carries
out its effects and writes everything back at once. A customer's inputs are applied in the order of their moments:
before an event is looked at, every wait that was due before it is over. A step that raises fails its own journey,
never the batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

import msgspec
from msgspec.structs import replace

from segue.api import Instant
from segue.customers.identity import show
from segue.delivery.ledger import CAME_TO_NOTHING, LedgerRow, MessageState
from segue.engine.admit import admit
from segue.engine.journey import (
    Arrived,
    Changed,
    Decide,
    Decision,
    Effect,
    Emitted,
    Input,
    Journey,
    Note,
    Pass,
    SetTrait,
    Withdraw,
    Woken,
    mint,
)
from segue.engine.step import end, step
from segue.program.calendar import find_zone
from segue.program.facts import Customer, Past
from segue.program.keys import reaches
from segue.program.program import Program
from segue.program.reads import REACH
from segue.runtime.outlay import Outlay
from segue.runtime.people import History, Person
from segue.runtime.running import CHAIN, DecisionLine, Running
from segue.store import customers as customer_rows
from segue.store import journeys as journey_rows
from segue.store import ledger as ledger_rows
from segue.store.customers import CustomerRow, EventRow
from segue.store.database import Transaction

_encode = msgspec.json.Encoder().encode

JOURNEY_ENDED: Final = "the journey ended: "
"""How the reason of a message begins that was not sent since its journey had ended."""


_ENDINGS: Final = ("finished", "exited", "failed")


class Done(msgspec.Struct, frozen=True):
    """What a turn did: the decisions, in order; when the earliest of its journeys wants to be woken (None: none of
    them); and the channels that got something to send."""

    lines: tuple[DecisionLine, ...]
    due: Instant | None = None
    channels: frozenset[str] = frozenset()


class Turn:
    """The state of one turn. ``now`` is the moment of its transaction, ``lines`` the decisions made, in order,
    ``overdue`` the journeys that this turn began or moved on to a wait that is over already: when,
    customer, journey."""

    def __init__(self, tx: Transaction, running: Running, now: Instant) -> None:
        self.tx = tx
        self.running = running
        self.now = now
        self.lines: list[DecisionLine] = []
        self.people: dict[int, Person] = {}
        self.overdue: list[tuple[Instant, int, Journey]] = []
        self.entries: dict[tuple[int, str, str], Instant] | None = None
        self._new_entries: dict[tuple[int, str, str], Instant] = {}
        self._events: list[EventRow] = []
        self._fresh: dict[int, tuple[int, Journey]] = {}
        self._touched: dict[int, Journey] = {}
        self._messages: dict[int, LedgerRow] = {}
        self._updates: dict[int, LedgerRow] = {}
        self._watched: dict[int, LedgerRow] = {}
        self._ignored: list[tuple[int, str, Instant, int, str]] = []
        self._consent: list[tuple[int, str, str, str, Instant, str]] = []
        self._tally: Counter[tuple[str, str, str]] = Counter()
        self.outlay = Outlay(tx, running.zone)
        self._taking_back: set[str] = set()

    # Loading

    def load(self, rows: Iterable[int]) -> None:
        """Load customers by number, where they are not loaded yet."""
        missing = [row for row in dict.fromkeys(rows) if row not in self.people]
        if missing:
            for row, customer in customer_rows.load_customers(self.tx, missing).items():
                self.people[row] = self._person(customer, new=False)
            if self.entries is not None:
                self.entries |= journey_rows.last_entries(self.tx, missing)

    def add(self, row: int, key: str) -> Person:
        """A customer seen for the first time."""
        person = self._person(CustomerRow(row, key, {}, {}), new=True)
        self.people[row] = person
        return person

    def _person(self, row: CustomerRow, *, new: bool) -> Person:
        history = History(None if new else partial(_fetch, self.tx, row.row))
        return Person(row, history, self._facts(row, history), new=new)

    def _facts(self, row: CustomerRow, history: History) -> Customer:
        running, traits = self.running, row.traits
        zone = running.zone
        if traits and (named := traits.get("timezone")) and isinstance(named, str):
            zone = find_zone(named) or zone
        refusal = partial(running.reach.refusal, traits=traits, consent=row.consent)
        return Customer(show(row.key), traits, zone, running.currency, history, refusal)

    def refresh(self, person: Person) -> None:
        """After a change of traits or consent: the facts anew."""
        person.changed = True
        person.facts = self._facts(person.row, person.history)

    def load_history(self, rows: Iterable[int], names: Iterable[str]) -> None:
        """Bring the history of these names for customers that are loaded, with one query."""
        wanted = sorted(names)
        people = [row for row in rows if not self.people[row].new]
        if not wanted or not people:
            return
        found = customer_rows.load_history(self.tx, people, wanted)
        for row in people:
            history = self.people[row].history
            for name in wanted:
                history.bring(name, found.get((row, name)) or [])

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
                self.people[row].journeys = {journey.row: journey for journey in found.get(row, ())}

    def journeys(self, person: Person) -> dict[int, Journey]:
        """The live journeys of a customer."""
        if person.journeys is None:
            self.load_journeys((person.row.row,))
            # those this turn has changed already are newer than what the store says
            assert person.journeys is not None
            for row in list(person.journeys):
                if row in self._touched:
                    person.journeys[row] = self._touched[row]
                    if not journey_rows.is_live(self._touched[row]):
                        del person.journeys[row]
        assert person.journeys is not None
        return person.journeys

    def customers_with_value(self, rules: Iterable[str], value: str) -> list[int]:
        """Customers with a journey that began in this turn, of one of the rules, for a ``per`` value."""
        return [
            customer for customer, journey in self._fresh.values() if journey.value == value and journey.rule in rules
        ]

    def latest(self, person: Person, journey: Journey) -> Journey:
        """The journey as this turn left it."""
        if journey.row in self._touched:
            return self._touched[journey.row]
        if journey.row in self._fresh:
            return self._fresh[journey.row][1]
        if person.journeys is not None and journey.row in person.journeys:
            return person.journeys[journey.row]
        return journey

    # Inputs

    def advance(self, person: Person, before: Instant) -> None:
        """End every wait of the customer that was due before a moment, in the order in which they were due."""
        while live := self.journeys(person):
            earliest: Journey | None = None
            for journey in live.values():
                if (
                    journey.due is not None
                    and journey.due < before
                    and (earliest is None or earliest.due is None or journey.due < earliest.due)
                ):
                    earliest = journey
            if earliest is None or earliest.due is None:
                return
            self.feed(person, earliest, Woken(), earliest.due)

    def arrive(self, person: Person, event: Arrived, now: Instant, depth: int = 0) -> None:
        """An event: first to the journeys inside, then to the rules it may begin."""
        self._remember(person, event)
        if self.journeys(person):
            self._reach_inside(person, event, now, depth)
        for program in self.running.triggers.get(event.name, ()):
            self._admit(person, program, event, now, depth)

    def reach(self, person: Person, event: Arrived, now: Instant) -> None:
        """An event that names no customer, for one of those whose journeys it reaches: it begins nothing."""
        self._remember(person, event)
        self._reach_inside(person, event, now, 0, named_only=True)

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

    def change(self, person: Person, traits: frozenset[str], now: Instant, depth: int = 0, without: int = 0) -> None:
        """Traits changed: every journey inside that names one looks again. `REACH` among them says that consent did."""
        if self.running.reach.depends_on(traits):
            traits |= {REACH}
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
        program = self.running.programs.get(journey.program)
        try:
            if program is None:
                raise LookupError("its program is missing from the store")
            after, effects = step(program, journey, happening, person.facts, now, goals=goals)
        except Exception as error:
            if journey.state != "inside":  # it ended long ago, and cannot fail any more: only its goal is given up
                after, effects = replace(journey, due=None), []
            else:
                reason = str(error) if program is None else f"{type(error).__name__}: {error}"
                after, effects = end(journey, "failed", reason, now)
        self._keep(person, after)
        self._carry_out(person, after, effects, now, depth)
        return after

    def end(self, person: Person, journey: Journey, reason: str, now: Instant) -> None:
        """Have a journey exit for a reason from outside."""
        after, effects = end(journey, "exited", reason, now)
        self._keep(person, after)
        self._carry_out(person, after, effects, now, 0)

    def _admit(self, person: Person, program: Program, event: Arrived, now: Instant, depth: int) -> None:
        rule = program.rule
        inside = [
            journey
            for journey in self.journeys(person).values()
            if journey.rule == rule.name and journey.state == "inside"
        ]
        last = self._last_entry(person, program, event) if rule.once is not None else None
        try:
            admission = admit(program, inside, last, event, person.facts, now, self.running.stale)
        except Exception as error:
            self._ignore(person, rule.name, event, now, f"{type(error).__name__}: {error}")
            return
        if admission is None:
            return
        if admission.ignored is not None:
            self._ignore(person, rule.name, event, now, admission.ignored.reason)
            return
        if admission.replaced is not None:
            self._keep(person, admission.replaced)
            self._carry_out(person, admission.replaced, admission.replaced_effects, now, depth)
        journey = admission.entered
        if journey is None:
            return
        journey.row = self.tx.store.ids.take("journey")
        self._fresh[journey.row] = (person.row.row, journey)
        if rule.once is not None:
            place = (person.row.row, rule.name, journey.value or "")
            self._new_entries[place] = max(journey.entered, self._new_entries.get(place, journey.entered))
        self._keep(person, journey)
        self._carry_out(person, journey, admission.effects, now, depth)

    def _last_entry(self, person: Person, program: Program, event: Arrived) -> Instant | None:
        if self.entries is None:
            self.entries = journey_rows.last_entries(self.tx, self.people)
        per = program.rule.per
        value = "" if per is None else str(event.fields.get(per, ""))
        place = (person.row.row, program.name, value)
        return self._new_entries.get(place, self.entries.get(place))

    def _ignore(self, person: Person, rule: str, event: Arrived, now: Instant, reason: str) -> None:
        self._ignored.append((person.row.row, rule, now, event.order, reason))
        self._tally[rule, "ignored", reason] += 1
        self.lines.append(
            DecisionLine(now, show(person.row.key), rule, mint("ignored", rule, event.key), "ignored", "", "", reason)
        )

    # Effects

    def _keep(self, person: Person, journey: Journey) -> None:
        if journey.row in self._fresh:
            self._fresh[journey.row] = (person.row.row, journey)
        else:
            self._touched[journey.row] = journey
        if journey.due is not None and journey.due <= self.now:
            self.overdue.append((journey.due, person.row.row, journey))
        if person.journeys is not None:
            if journey_rows.is_live(journey):
                person.journeys[journey.row] = journey
            else:
                person.journeys.pop(journey.row, None)

    def _carry_out(self, person: Person, journey: Journey, effects: Sequence[Effect], now: Instant, depth: int) -> None:
        later: list[SetTrait | Emitted] = []
        for effect in effects:
            match effect:
                case Decide():
                    self._decide(person, journey, effect, now)
                case Pass():
                    row = self._ledger_row(person, journey, effect, now)
                    row.state, row.settled, row.reason = MessageState.SKIPPED, now, effect.reason
                    self._messages[row.row] = row
                    self.note_message(person, row, "skipped", now)
                case Withdraw(reason=reason):
                    self._withdraw(person, journey, reason, now)
                case Note():
                    self._note(person, journey, effect)
                    if effect.decision in _ENDINGS:
                        self.take_back(person, journey)
                case SetTrait() | Emitted():
                    if isinstance(effect, SetTrait):
                        self._set_trait(person, effect)
                    later.append(effect)
        for effect in later:
            if depth + 1 > CHAIN:
                self._end_chain(person, journey, effect, now)
            elif isinstance(effect, SetTrait):
                self.change(person, frozenset((effect.trait,)), now, depth + 1, without=journey.row)
            else:
                self._emit(person, effect, now, depth + 1)

    def _end_chain(self, person: Person, journey: Journey, effect: SetTrait | Emitted, now: Instant) -> None:
        """An emit or a change of a trait that nothing follows any more: recorded, so that a loop is seen."""
        reason = f"a chain ended at depth {CHAIN}"
        what = effect.trait if isinstance(effect, SetTrait) else effect.event
        self._ignored.append((person.row.row, journey.rule, now, journey.order, reason))
        self._tally[journey.rule, "ignored", reason] += 1
        key = mint("chain", journey.key, journey.visit, what)
        self.lines.append(DecisionLine(now, show(person.row.key), journey.rule, key, "ignored", reason=reason))

    def _ledger_row(self, person: Person, journey: Journey, effect: Decide | Pass, now: Instant) -> LedgerRow:
        return LedgerRow(  # by position, in the order of its fields
            self.tx.store.ids.take("message"),
            effect.key,
            journey.row,
            person.row.row,
            journey.rule,
            effect.channel,
            effect.message,
            effect.kind,
            MessageState.DECIDED,
            None,
            now,
            effect.expires if isinstance(effect, Decide) else now,
        )

    def _decide(self, person: Person, journey: Journey, effect: Decide, now: Instant) -> None:
        row = self._ledger_row(person, journey, effect, now)
        row.due, row.given, row.coupons = now, effect.values, effect.coupons
        self._messages[row.row] = row

    def _withdraw(self, person: Person, journey: Journey, reason: str, now: Instant) -> None:
        if all(sending.settled for sending in journey.sends):
            return
        open_rows = [row for row in self._messages.values() if row.journey == journey.row and row.due is not None]
        if journey.row not in self._fresh:
            open_rows += [
                self._watched.get(row.row, row) for row in ledger_rows.load_open(self.tx, person.row.row, journey.row)
            ]
        for row in open_rows:
            if row.state is not MessageState.DECIDED:
                continue
            row.due, row.settled = None, now
            row.reason = f"{JOURNEY_ENDED}{reason}"
            if row.doubt:  # a call was cut off before: it may have gone, so it is not "skipped"
                row.state = MessageState.UNKNOWN
                self.note_message(person, row, "undelivered", now)
            else:
                row.state = MessageState.SKIPPED
                self.note_message(person, row, "skipped", now)
            self.update_message(row)

    def _note(self, person: Person, journey: Journey, note: Note) -> None:
        what = note.decision
        reason = note.reason if what in ("exited", "failed") else ""
        self._tally[journey.rule, what, reason] += 1
        self.lines.append(
            DecisionLine(note.at, show(person.row.key), journey.rule, journey.key, what, "", "", note.reason)
        )

    def take_back(self, person: Person, journey: Journey) -> None:
        """The journey has ended: have taken back what it left standing, and, where it did not finish, what is only
        queued."""
        running = self.running
        program = running.programs.get(journey.program)
        if not running.retractable or (
            program is not None and not program.prefers and program.channels.isdisjoint(running.retractable)
        ):
            return
        channels = [
            name for name in running.retractable if journey.state != "finished" or running.channels[name].stands
        ]
        if not channels:
            return
        for stored in ledger_rows.load_of_journey(self.tx, person.row.row, journey.row, channels):
            row = self._watched.get(stored.row) or self._updates.get(stored.row) or stored
            if row.state in (MessageState.HANDED, MessageState.CONFIRMED):
                row.state, row.due, row.retracting, row.tries = MessageState.RETRACTING, self.now, self.now, 0
                self.update_message(row)
                self._taking_back.add(row.channel)

    def note_message(
        self, person: Person, row: LedgerRow, decision: Decision, at: Instant, reason: str | None = None, sort: str = ""
    ) -> None:
        """Record what became of a message, for its reason where no other is given. ``sort`` is what the reason counts
        as: one without moments and names in it, of which there are few."""
        said = ("" if decision == "sent" else row.reason) if reason is None else reason
        self._tally[row.rule, decision, sort or said] += 1
        self.lines.append(
            DecisionLine(at, show(person.row.key), row.rule, row.key, decision, row.channel, row.message, said)
        )
        if row.claimed is not None and row.state in CAME_TO_NOTHING:
            self.outlay.come_to_nothing(row)

    def watch(self, rows: Iterable[LedgerRow]) -> None:
        """Messages this turn works on: a journey that ends takes back these very values, not copies of them."""
        for row in rows:
            self._watched[row.row] = row

    def update_message(self, row: LedgerRow) -> None:
        """Have a message's row written."""
        if row.row not in self._messages:
            self._updates[row.row] = row

    def _set_trait(self, person: Person, effect: SetTrait) -> None:
        if effect.value is None:
            person.row.traits.pop(effect.trait, None)
        else:
            person.row.traits[effect.trait] = effect.value
        self.refresh(person)

    def _emit(self, person: Person, effect: Emitted, now: Instant, depth: int) -> None:
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
        order = self.tx.store.ids.take("event")
        if hashed is None:
            hashed = customer_rows.hash_id(message_id)
        self._events.append(EventRow(order, hashed, message_id, customer, name, at, self.now, kind, raw, rest))
        return order

    def record_consent(self, person: Person, channel: str, kind: str, state: str, at: Instant, source: str) -> None:
        """Append to the record of consent; the latest state is kept with the customer by the caller."""
        self._consent.append((person.row.row, channel, kind, state, at, source))

    # Writing

    def flush(self) -> Done:
        """Write everything back, and say what was done."""
        tx = self.tx
        customer_rows.insert_customers(tx, [person.row for person in self.people.values() if person.new])
        customer_rows.update_customers(
            tx, [person.row for person in self.people.values() if person.changed and not person.new]
        )
        if self._events:
            customer_rows.insert_events(tx, self._events)
        if self._fresh:
            journey_rows.insert(tx, self._fresh.values())
        if self._touched:
            journey_rows.update(tx, self._touched.values())
        if self._messages:
            ledger_rows.insert(tx, self._messages.values())
        if self._updates:
            ledger_rows.update(tx, self._updates.values())
        self.outlay.flush()
        if self._new_entries:
            journey_rows.put_entries(tx, self._new_entries)
        if self._ignored:
            journey_rows.put_ignored(tx, self._ignored)
        if self._consent:
            customer_rows.put_consent(tx, self._consent)
        if self._tally:
            journey_rows.count(tx, self._tally)
        moments = [
            journey.due
            for journey in (*(journey for _, journey in self._fresh.values()), *self._touched.values())
            if journey.due is not None
        ]
        return Done(
            lines=tuple(self.lines),
            due=min(moments, default=None),
            channels=frozenset(row.channel for row in self._messages.values() if row.due is not None)
            | self._taking_back,
        )


def _fetch(tx: Transaction, row: int, name: str) -> list[Past]:
    return customer_rows.load_history(tx, (row,), (name,)).get((row, name), [])
