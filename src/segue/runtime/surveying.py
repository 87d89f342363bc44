"""Who is in which segment, for many customers at once: what a publication, a rebuild and `segue segment` ask.

A survey judges by arrays; whom they leave open is judged alone, as an event would have it done.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from segue.api import Instant
from segue.customers.bulk.crowd import NEVER, Crowd, Longs, Mask
from segue.customers.bulk.reading import columns
from segue.customers.bulk.survey import Survey
from segue.program.facts import Scene
from segue.program.horizon import Change, compile_change
from segue.program.program import Condition
from segue.program.steps import compile_segments
from segue.runtime.running import Running
from segue.runtime.turn import Turn
from segue.store.crowds import load_happenings

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
        self._columns = columns([running.segments[name].condition for name in self.names], running.segments)
        self._changes: dict[str, Change] = {}
        self._rules = frozenset().union(*(one.names for one in self._conditions.values())) - running.segments.keys()

    def gather(self, turn: Turn, rows: Sequence[int]) -> Crowd:
        """A piece of all customers as columns. They are loaded by the turn."""
        turn.load(rows)
        people = [turn.people[row].facts for row in rows]
        if self._rules:
            turn.load_journeys([row for row in rows if turn.people[row].journeys is None])
        numbers = np.array(rows, dtype=np.int64)
        return Crowd(
            self._survey.dictionaries,
            rows,
            [person.zone for person in people],
            [person.traits for person in people],
            load_happenings(turn.tx, numbers, self._columns, self._survey.dictionaries),
            lambda channel: (person.refusal(channel, "promotional") is not None for person in people),
            lambda rule: (person.standing.inside(rule) for person in people),
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
