"""``expect 100 per 1d``: how often a rule is about to be entered, against what it expects.

Counted are the journeys that began and those that would have begun while entries were paused, to the minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from segue.api import Instant, Period
from segue.api.values import MINUTE
from segue.language import model as m
from segue.program.calendar import add_elapsed
from segue.store import books, paces
from segue.store.database import Transaction
from segue.store.paces import minute_of

if TYPE_CHECKING:
    from segue.runtime.running import Running
    from segue.runtime.turn import Turn

TOO_MANY: Final = 3
"""Times what was expected, over which there is a warning; and under a third of it."""
PAUSED: Final = 10
"""Times what was expected, over which nobody enters."""

State = Literal["as expected", "low", "high", "paused"]


class Pace(msgspec.Struct, frozen=True):
    """How a rule's entries compare with its ``expect``."""

    rule: str
    expected: int
    per: Period
    counted: int
    state: State


class Paces:
    """The paces of the rules that a turn enters."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._minutes: dict[str, dict[int, int]] = {}
        self._new: dict[tuple[str, int], int] = {}

    def paused(self, rule: m.Rule, now: Instant) -> bool:
        """Whether so many were about to enter lately that nobody does for now."""
        if rule.expect is None:
            return False
        return _count(self._load(rule, now), rule.expect, self._turn.running, now) > PAUSED * rule.expect.count

    def count(self, rule: m.Rule, now: Instant) -> None:
        """One more entered, or would have."""
        if rule.expect is None:
            return
        minute = minute_of(now)
        minutes = self._load(rule, now)
        minutes[minute] = minutes.get(minute, 0) + 1
        self._new[rule.name, minute] = self._new.get((rule.name, minute), 0) + 1

    def _load(self, rule: m.Rule, now: Instant) -> dict[int, int]:
        if rule.name not in self._minutes:
            assert rule.expect is not None
            after = minute_of(_begin(rule.expect, self._turn.running, now))
            self._minutes[rule.name] = paces.load_pace(self._turn.tx, rule.name, after)
        return self._minutes[rule.name]

    def flush(self) -> None:
        """Write what was counted."""
        if self._new:
            paces.add_to_pace(self._turn.tx, self._new)
            self._new.clear()


def _begin(expect: m.Expect, running: Running, now: Instant) -> Instant:
    return add_elapsed(now, expect.per, running.zone, -1)


def _count(minutes: Mapping[int, int], expect: m.Expect, running: Running, now: Instant) -> int:
    first, last = minute_of(_begin(expect, running, now)), minute_of(now)
    return sum(count for minute, count in minutes.items() if first < minute <= last)


def look_at_paces(tx: Transaction, running: Running, now: Instant) -> list[Pace]:
    """How every rule with an ``expect`` does; a rule that has not been in the book for a whole period, and those whose
    book is younger, cannot be low yet."""
    since = books.rules_since(tx)
    found = []
    for name, program in running.current.items():
        expect = program.rule.expect
        if expect is None:
            continue
        begin = _begin(expect, running, now)
        counted = _count(paces.load_pace(tx, name, minute_of(begin)), expect, running, now)
        state: State = "as expected"
        if counted > PAUSED * expect.count:
            state = "paused"
        elif counted > TOO_MANY * expect.count:
            state = "high"
        elif counted * TOO_MANY < expect.count and since.get(name, now) <= begin:
            state = "low"
        found.append(Pace(name, expect.count, expect.per, counted, state))
    return found


def tidy_paces(tx: Transaction, running: Running, now: Instant) -> None:
    """Forget the minutes that no ``expect`` counts any more."""
    for name, program in running.current.items():
        if program.rule.expect is not None:
            paces.forget_pace(tx, name, minute_of(Instant(_begin(program.rule.expect, running, now) - MINUTE)))
