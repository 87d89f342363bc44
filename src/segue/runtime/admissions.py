"""Who enters, as one turn decides it: asks `segue.engine.admit`, and keeps what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from segue.api import Instant
from segue.customers.identity import show
from segue.engine.admit import PAUSED, admit
from segue.engine.journey import Arrived, Emitted, Journey, SetTrait, mint
from segue.program.keys import per_value
from segue.program.program import Program
from segue.runtime.pace import Paces
from segue.runtime.people import Person
from segue.runtime.running import CHAIN, DecisionLine
from segue.store import journeys as journey_rows

if TYPE_CHECKING:
    from segue.runtime.turn import Turn

MISSED: Final = "Segue did not run when the moment came"
"""Why a moment began nothing that was found too late."""

_encode: Final = msgspec.json.Encoder().encode


class Cause(msgspec.Struct, frozen=True):
    """What brought a change about: the message id (or another name that repeats) of the input, its own moment, and its
    place in the order of arrival, -1 where time alone did it."""

    key: str
    at: Instant
    order: int


def occasion(cause: Cause, *parts: object, fields: Mapping[str, Any] | None = None) -> Arrived:
    """What begins a journey without an event, as the engine wants to be told of it."""
    raw = _encode(fields) if fields else b""
    return Arrived("", cause.at, cause.order, raw, dict(fields or {}), mint("occasion", cause.key, *parts))


class Admissions:
    """The entries of one turn, and the triggers that began nothing."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._paces = Paces(turn)
        self._entries: dict[tuple[int, str, str], Instant] | None = None
        self._new_entries: dict[tuple[int, str, str], Instant] = {}
        self._ignored: list[tuple[int, str, Instant, int, str]] = []
        self._tally: Counter[tuple[str, str, str]] = turn.tally

    def load(self, rows: list[int]) -> None:
        """Customers were loaded after the first question about earlier entries."""
        if self._entries is not None:
            self._entries |= journey_rows.last_entries(self._turn.tx, rows)

    def admit(self, person: Person, program: Program, event: Arrived, now: Instant, depth: int) -> None:
        """A trigger of the program came for the customer. In an import it begins nothing, and that is no news."""
        turn, rule = self._turn, program.rule
        if turn.importing:
            return
        inside = [
            journey
            for journey in turn.journeys(person).values()
            if journey.rule == rule.name and journey.state == "inside"
        ]
        last = self._last_entry(person, program, event) if rule.once is not None else None
        paused = rule.expect is not None and self._paces.paused(rule, now)
        try:
            admission = admit(program, inside, last, event, person.facts, now, turn.running.stale, paused)
        except Exception as error:
            self.ignore(person, rule.name, event, now, f"{type(error).__name__}: {error}")
            return
        if admission is None:
            return
        if admission.ignored is not None:
            if paused and admission.ignored.reason == PAUSED:
                self._paces.count(rule, now)
            self.ignore(person, rule.name, event, now, admission.ignored.reason)
            return
        if admission.replaced is not None:
            turn.keep(person, admission.replaced)
            turn.carry_out(person, admission.replaced, admission.replaced_effects, now, depth)
        journey = admission.entered
        if journey is None:
            return
        if rule.expect is not None:
            self._paces.count(rule, now)
        if rule.once is not None:
            place = (person.row.row, rule.name, journey.value or "")
            self._new_entries[place] = max(journey.entered, self._new_entries.get(place, journey.entered))
        turn.enter(person, journey)
        turn.exposures.admit(person.row.row, program, journey)
        turn.carry_out(person, journey, admission.effects, now, depth)

    def admit_by_time(self, person: Person, program: Program, event: Arrived) -> None:
        """A moment came that begins the program for the customer. One that was missed for too long begins nothing."""
        if self._turn.now - event.at > self._turn.running.stale:
            self.ignore(person, program.name, event, event.at, MISSED)
        else:
            self.admit(person, program, event, event.at, 0)

    def _last_entry(self, person: Person, program: Program, event: Arrived) -> Instant | None:
        if self._entries is None:
            self._entries = journey_rows.last_entries(self._turn.tx, self._turn.people)
        per = program.rule.per
        value = per_value(event.fields, per) if per is not None else None
        place = (person.row.row, program.name, value or "")
        return self._new_entries.get(place, self._entries.get(place))

    def ignore(self, person: Person, rule: str, event: Arrived, now: Instant, reason: str) -> None:
        """Record that a trigger began nothing, and why."""
        self._note(person, rule, mint("ignored", rule, event.key), event.order, now, reason)

    def end_chain(self, person: Person, rule: str, place: tuple[object, ...], order: int, now: Instant) -> None:
        """An emit, or a change of a trait or segment, that nothing follows any more: recorded, so that a loop is
        seen."""
        self._note(person, rule, mint("chain", *place), order, now, f"a chain ended at depth {CHAIN}")

    def end_chain_of(self, person: Person, journey: Journey, effect: SetTrait | Emitted, now: Instant) -> None:
        """The same, of an effect of a journey."""
        what = effect.trait if isinstance(effect, SetTrait) else effect.event
        self.end_chain(person, journey.rule, (journey.key, journey.visit, what), journey.order, now)

    def _note(self, person: Person, rule: str, key: str, order: int, now: Instant, reason: str) -> None:
        self._ignored.append((person.row.row, rule, now, order, reason))
        self._tally[rule, "ignored", reason] += 1
        self._turn.lines.append(DecisionLine(now, show(person.row.key), rule, key, "ignored", "", "", reason))

    def forget(self, customers: Collection[int]) -> None:
        """Customers change in the store: their entries are asked for anew as they are loaded."""
        if self._entries is not None:
            self._entries = {place: at for place, at in self._entries.items() if place[0] not in customers}

    def flush(self) -> None:
        """Write what was decided."""
        if self._new_entries:
            journey_rows.put_entries(self._turn.tx, self._new_entries)
            if self._entries is not None:
                self._entries |= self._new_entries
            self._new_entries.clear()
        if self._ignored:
            journey_rows.put_ignored(self._turn.tx, self._ignored)
            self._ignored.clear()
        self._paces.flush()
