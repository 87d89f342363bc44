"""Who is in which segment, for many customers at once: what a publication, a rebuild and `segue segment` ask.

A survey judges by arrays; whom they leave open is judged alone, as an event would have it done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Final

import numpy as np

from segue.api import Instant
from segue.customers.bulk.crowd import NEVER, Crowd, Longs, Mask, from_json
from segue.customers.bulk.reading import columns, traits_of, whole
from segue.customers.bulk.survey import Survey
from segue.customers.suppression import Suppression
from segue.program.calendar import find_zone
from segue.program.facts import Scene
from segue.program.horizon import Change, compile_change
from segue.program.program import Condition
from segue.program.steps import compile_segments
from segue.runtime.running import Running
from segue.runtime.turn import Turn
from segue.store.crowds import Histories, Look, People, load_histories, load_people
from segue.store.customers import decode_consent
from segue.store.journeys import find_inside

PIECE: Final = 20_000
"""Customers looked at at once, where nobody waits for the writer."""


class Found:
    """What a survey found for one segment and the customers of a piece, by their place in it: who is a member, and
    when time alone may change that (`NEVER` where it cannot). ``failed`` are those for whom the condition raised,
    ``alone`` how many were judged one by one."""

    __slots__ = ("alone", "due", "failed", "member")

    def __init__(self, member: Mask, due: Longs, failed: Mask, alone: int) -> None:
        self.member = member
        self.due = due
        self.failed = failed
        self.alone = alone


class Surveyor:
    """Surveys some of the published segments, one piece of all customers after another."""

    def __init__(self, running: Running, names: Iterable[str]) -> None:
        self._running = running
        self.names = tuple(names)
        compiled = compile_segments(running.segments)
        self._conditions: dict[str, Condition] = {name: compiled[name] for name in self.names}
        self._survey = Survey(running.segments, running.currency)
        expressions = whole([running.segments[name].condition for name in self.names], running.segments)
        self._events = columns(expressions)
        self._traits = frozenset().union(*map(traits_of, expressions))
        self._changes: dict[str, Change] = {}

    def load_histories(self, look: Look, first: int, last: int) -> Histories:
        """What a range of all customers did, as far as the segments ask for it."""
        return load_histories(look, first, last, self._events, self._survey.dictionaries)

    def gather(self, turn: Turn, rows: Sequence[int], histories: Histories | None = None) -> Crowd:
        """A piece of all customers as columns: their numbers, in order, and no other between them. ``histories`` are of
        a range in which they lie; None: they are loaded for these alone. No customer is loaded by the turn."""
        if histories is None:
            histories = self.load_histories(lambda: nullcontext(turn.tx), rows[0], rows[-1])
        running = self._running
        people = load_people(turn.tx, rows, self._traits | running.reach.addresses)
        zones = {name: find_zone(name) or running.zone for name in set(people.zones) if name is not None}
        return Crowd(
            self._survey.dictionaries,
            rows,
            [zones.get(name or "", running.zone) for name in people.zones],
            people.trait,
            histories.of(np.array(rows, dtype=np.int64)),
            partial(_refused, turn, people),
            partial(find_inside, turn.tx, rows),
        )

    def look(self, turn: Turn, crowd: Crowd, name: str, moment: Instant, *, dues: bool = True) -> Found:
        """Who of a crowd is in a segment at a moment."""
        condition = self._conditions[name]
        dues = dues and condition.volatile
        outcome = self._survey.judge(self._running.segments[name].condition, crowd, moment, dues=dues)
        due = outcome.due if outcome.due is not None else np.full(crowd.size, NEVER, dtype=np.int64)
        member, failed = outcome.yes, np.zeros(crowd.size, dtype=np.bool_)
        places = np.flatnonzero(outcome.open if dues else ~(outcome.yes | outcome.no)).tolist()
        if places:
            member, due = member.copy(), due.copy()
            rows: list[int] = crowd.numbers[places].tolist()
            turn.load(rows)
            if condition.names - self._running.segments.keys():
                turn.load_journeys(rows)
            turn.load_history(rows, condition.events)
            for place, row in zip(places, rows, strict=True):
                facts = turn.people[row].facts
                try:
                    member[place] = facts.belongs(name, moment)
                    next_ = self._change(name)(Scene(facts, moment)) if dues else None
                    due[place] = NEVER if next_ is None else next_
                except Exception:  # whoever keeps the index judges this one again, and says what is wrong
                    failed[place] = True
        return Found(member, due, failed, len(places))

    def _change(self, name: str) -> Change:
        if name not in self._changes:
            segments = self._running.segments
            self._changes[name] = compile_change(segments[name].condition, segments)
        return self._changes[name]


def _refused(turn: Turn, people: People, channel: str) -> Iterator[bool]:
    """For each of these customers whether a channel refuses them. Most are alike: they have addresses or none, said
    nothing, and nothing is suppressed."""
    reach = turn.running.reach
    how = reach.channels.get(channel)
    sort = how.address if how is not None else None
    names = sorted(reach.addresses)
    columns = [list(people.trait(name)) for name in names]
    suppressed: Sequence[Sequence[Suppression]] = [()] * len(people.consent)
    if sort is not None and turn.suppressions.are_any():
        written = [str(from_json(raw)) if raw else "" for raw in columns[names.index(sort)]]
        suppressed = turn.suppressions.find_all(sort, written)
    alike: dict[tuple[bytes, ...], bool] = {}
    for place, (consent, found) in enumerate(zip(people.consent, suppressed, strict=True)):
        raws = [column[place] for column in columns]
        kind = tuple(b'"' if raw[:1] == b'"' and raw != b'""' else raw for raw in raws)
        if consent is None and not found and kind in alike:
            yield alike[kind]
            continue
        traits = {name: from_json(raw) for name, raw in zip(names, raws, strict=True) if raw}
        said = decode_consent(consent) if consent else {}
        refusal = reach.refusal(channel, "promotional", traits, said, lambda *_, found=found: found)
        if consent is None and not found:
            alike[kind] = refusal is not None
        yield refusal is not None
