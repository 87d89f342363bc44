"""What is watched for customers, as one turn sees it: membership of live segments, and dates that begin a rule.

For each customer and subject the store knows whether they are a member and when time alone may change that. A customer
who existed before the watch began is first looked at silently, as of its beginning: by the sweep that follows a
publication, or just before an input reaches them, whichever comes first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from segue.api import Instant
from segue.engine.occasions import next_date
from segue.language import model as m
from segue.program.calendar import local
from segue.program.facts import Scene
from segue.runtime.admissions import Cause, occasion
from segue.runtime.beginnings import Subject
from segue.runtime.people import Person
from segue.runtime.running import CHAIN
from segue.store import crossings as crossing_rows
from segue.store import lookouts as lookout_rows
from segue.store.lookouts import Lookout, Watch

if TYPE_CHECKING:
    from segue.runtime.turn import Turn


class Lookouts:
    """The watched subjects of the customers of a turn."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._subjects = turn.running.beginnings.watched
        stored = lookout_rows.load_watches(turn.tx)
        self._watches: dict[str, Watch] = {
            name: stored[name]
            for name, subject in self._subjects.items()
            if name in stored and stored[name].definition == subject.definition
        }
        self._open = [watch for watch in self._watches.values() if not watch.complete]
        self._known: dict[int, dict[str, Lookout]] = {}
        self._changed: set[tuple[str, int]] = set()
        self._greeted: set[int] = set()
        self._crossings: Counter[tuple[str, str, bool]] = Counter()
        self._expected: Instant | None = None
        self.moved: list[tuple[Instant, int, str]] = []
        """What this turn found is to be looked at by its horizon: when, customer, subject."""

    @property
    def subjects(self) -> Mapping[str, Subject]:
        """What is watched and meant as the store knows it."""
        return {name: self._subjects[name] for name in self._watches}

    def load(self, rows: Iterable[int]) -> None:
        """Bring what is known of customers, with one query."""
        missing = [row for row in rows if row not in self._known]
        if not missing:
            return
        for row in missing:
            self._known[row] = {}
        stored = [row for row in missing if not self._turn.people[row].new]
        if stored:
            for (subject, row), known in lookout_rows.load_lookouts(self._turn.tx, self._watches, stored).items():
                self._known[row][subject] = known

    def _of(self, person: Person) -> dict[str, Lookout]:
        if person.row.row not in self._known:
            self.load(self._turn.people)
        return self._known[person.row.row]

    # Customers who existed before

    def settle(self, person: Person, only: str | None = None) -> None:
        """Before an input reaches a customer: look at what began to be watched since (or one subject of it),
        silently."""
        for watch in self._open:
            if only is not None and watch.subject != only:
                continue
            if watch.cursor < person.row.row <= watch.last:
                known = self._of(person).get(watch.subject)
                if known is None or known.since != watch.at:
                    self._look_silently(person, watch, known, watch.at)

    def cover(self, subject: str, cursor: int) -> None:
        """All customers up to this one have been looked at."""
        self._watches[subject] = msgspec.structs.replace(self._watches[subject], cursor=cursor)

    def look_silently(self, person: Person, names: Iterable[str], now: Instant) -> None:
        """What a customer did is not known any more: look at some segments again. Who comes in or goes out by that
        begins nothing."""
        for name in names:
            if name in self._watches:
                self._look_silently(person, self._watches[name], self._of(person).get(name), now)

    def _look_silently(self, person: Person, watch: Watch, before: Lookout | None, now: Instant) -> None:
        subject = self._subjects[watch.subject]
        member, due = self._judge(person, subject, now, before)
        self._put(person, subject, Lookout(member, due, watch.at))
        if subject.condition is not None and before is not None and before.member != member:
            self._turn.cross(person, frozenset((subject.name,)), now, 0)

    # Inputs

    def touch(
        self,
        person: Person,
        segments: Iterable[str],
        dates: Iterable[str],
        cause: Cause,
        now: Instant,
        depth: int,
    ) -> None:
        """After an input: look again at what it concerns."""
        for name in segments:
            self._look(person, name, cause, now, depth, by_time=False)
        for name in dates:
            if name in self._watches:
                subject = self._subjects[name]
                _, due = self._judge(person, subject, now, None)
                self._put(person, subject, Lookout(False, due, self._watches[name].at))

    def greet(self, person: Person, cause: Cause, now: Instant) -> None:
        """A customer seen for the first time, who is no member of anything so far: after the first input, look at all
        that is watched."""
        if person.row.row not in self._greeted:
            self._greeted.add(person.row.row)
            self.look_at_all(person, cause, now)

    def look_at_all(self, person: Person, cause: Cause, now: Instant) -> None:
        """Look again at everything that is watched."""
        dates = [name for name, subject in self._subjects.items() if subject.program is not None]
        self.touch(person, sorted(self._subjects.keys() - set(dates)), dates, cause, now, 0)

    def earliest(self, person: Person) -> tuple[Instant, str] | None:
        """What of a customer is to be looked at first, and when."""
        found: tuple[Instant, str] | None = None
        for name, known in self._of(person).items():
            if known.due is not None and (found is None or (known.due, name) < found):
                found = (known.due, name)
        return found

    def come(self, person: Person, name: str, moment: Instant) -> None:
        """The moment came at which a subject of the customer was to be looked at."""
        subject = self._subjects[name]
        cause = Cause(mint_moment(person, moment), moment, -1)
        if subject.program is None:
            self._look(person, name, cause, moment, 0, by_time=True)
            return
        _, due = self._judge(person, subject, moment, None)
        self._put(person, subject, Lookout(False, due, self._watches[name].at))
        self._turn.admissions.admit_by_time(person, subject.program, occasion(cause, name))

    def _look(self, person: Person, name: str, cause: Cause, now: Instant, depth: int, *, by_time: bool) -> None:
        """Judge a segment again, and do what follows where the customer went in or out."""
        watch = self._watches.get(name)
        if watch is None:
            return
        subject, turn = self._subjects[name], self._turn
        before = self._of(person).get(name)
        member, due = self._judge(person, subject, now, before)
        self._put(person, subject, Lookout(member, due, watch.at))
        if member == (before is not None and before.member):
            return
        self._crossings[name, local(now, turn.running.zone).date().isoformat(), member] += 1
        if by_time:
            turn.cross(person, frozenset((name,)), now, depth)
        change = "enters" if member else "leaves"
        for program in turn.running.beginnings.memberships.get((change, name), ()):
            event = occasion(cause, name, change)
            if by_time:
                turn.admissions.admit_by_time(person, program, event)
            elif depth + 1 > CHAIN:
                turn.admissions.end_chain(person, program.name, (event.key, name), cause.order, now)
            else:
                turn.admissions.admit(person, program, event, now, depth + 1)

    def _judge(
        self, person: Person, subject: Subject, now: Instant, before: Lookout | None
    ) -> tuple[bool, Instant | None]:
        """Whether the customer is a member at a moment, and when to look again. A condition that cannot be judged
        changes nothing."""
        running, facts = self._turn.running, person.facts
        member = False
        due: Instant | None = None
        try:
            if subject.condition is not None:
                member = facts.belongs(subject.name, now)
                if subject.change is not None:
                    due = subject.change(Scene(facts, now))
            elif subject.program is not None:
                trigger = subject.program.rule.trigger
                assert isinstance(trigger, m.OnOffset | m.OnSchedule)
                due = next_date(trigger, facts, now)
        except Exception as error:
            event = occasion(Cause(mint_moment(person, now), now, -1), subject.name)
            reason = f"{type(error).__name__}: {error}"
            self._turn.admissions.ignore(person, subject.name, event, now, reason)
            return before is not None and before.member, None
        if due is not None:
            due = max(due, Instant(now + 1))
            due = due if running.still_comes(due, subject) else None
        return member, due

    def _put(self, person: Person, subject: Subject, found: Lookout) -> None:
        known = self._of(person)
        if known.get(subject.name) != found:
            known[subject.name] = found
            self._changed.add((subject.name, person.row.row))
            if found.due is not None and found.due <= self._turn.horizon:
                self.moved.append((found.due, person.row.row, subject.name))

    # Merging

    def join(self, person: Person, gone: Mapping[str, Lookout], cause: Cause, now: Instant) -> None:
        """The customer turned out to be another one too: whoever was a member as either is one still, and all is looked
        at again with what they share."""
        known = self._of(person)
        for name, other in gone.items():
            mine = known.get(name)
            if name in self._watches and other.member and (mine is None or not mine.member):
                self._put(person, self._subjects[name], Lookout(True, None, other.since))
        self.look_at_all(person, cause, now)

    def known_of(self, person: Person) -> Mapping[str, Lookout]:
        """What is known of a customer."""
        return self._of(person)

    # Writing

    def expect(self, due: Instant) -> None:
        """Something was written beside this that is to be looked at by a moment."""
        self._expected = due if self._expected is None else min(self._expected, due)

    def forget(self, customers: Collection[int]) -> None:
        """Customers change in the store: what is known of them is asked for anew."""
        for row in customers:
            self._known.pop(row, None)

    def flush(self) -> Instant | None:
        """Write what changed; when the first of it is to be looked at."""
        kept: dict[tuple[str, int], Lookout] = {}
        gone: list[tuple[str, int]] = []
        for place in self._changed:
            name, row = place
            found, watch = self._known[row][name], self._watches[name]
            seen = row <= watch.cursor or row > watch.last
            if found.member or found.due is not None or not seen:
                kept[place] = found
            else:
                gone.append(place)
        if kept:
            lookout_rows.put_lookouts(self._turn.tx, kept)
        if gone:
            lookout_rows.remove_lookouts(self._turn.tx, gone)
        self._changed.clear()
        if self._crossings:
            crossing_rows.count(self._turn.tx, self._crossings)
            self._crossings.clear()
        dues = [found.due for found in kept.values() if found.due is not None]
        return min(dues if self._expected is None else [*dues, self._expected], default=None)


def mint_moment(person: Person, moment: Instant) -> str:
    """The name of a moment for a customer: what a message id is for an event."""
    return f"{person.row.key}@{moment}"
