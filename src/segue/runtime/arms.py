"""The arms of splits, as one turn sees and changes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from segue.engine.journey import Assign, Learn
from segue.measure.learning import learn_shares
from segue.program import program as p
from segue.store import arms as arm_rows
from segue.store.arms import ArmCount

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from segue.api import Instant
    from segue.program.program import Program
    from segue.runtime.turn import Turn

STEP: Final = 50
"""Assignments of a split that learns between two looks at its shares. The moment is a matter of the counts alone, so
that the same journeys learn the same in whatever batches they come."""


class Arms:
    """Who was given which arm, and what arms that learn have brought."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._given: dict[arm_rows.Place, str] = {}
        self._asked: set[int] = set()
        self._new: dict[arm_rows.Place, str] = {}
        self._counts: dict[tuple[str, str], dict[str, ArmCount]] = {}
        self._counted: set[tuple[str, str]] = set()
        self._hours: dict[arm_rows.Hour, list[int]] = {}

    def given(self, customer: int, rule: str, split: str) -> str | None:
        """The arm that a customer was given; None where there is none. The first question asks for all customers of the
        turn."""
        if customer not in self._asked:
            people = self._turn.people
            missing = [row for row in people if row not in self._asked]
            self._asked.update(missing)
            known = [row for row in missing if not people[row].new]
            if known:
                self._given |= arm_rows.load_assignments(self._turn.tx, known)
        place = (customer, rule, split)
        return self._new.get(place) or self._given.get(place)

    def shares(self, rule: str, split: str) -> Mapping[str, float] | None:
        """What the arms of a split have learned to take; None while the written shares hold, also after an edit that
        gave it other arms."""
        shares = {arm: one.share for arm, one in self._load(rule, split).items() if one.share is not None}
        program = self._turn.running.current.get(rule)
        return shares if program is not None and shares.keys() == _written(program, split).keys() else None

    def assign(self, customer: int, program: Program, effect: Assign) -> None:
        """A customer was given an arm."""
        self._new[customer, program.name, effect.split] = effect.arm
        if effect.until is None:
            return
        self._hour(program.name, effect.split, effect.arm, effect.until)[0] += 1
        counts = self._load(program.name, effect.split)
        counts.setdefault(effect.arm, ArmCount()).assigned += 1
        self._counted.add((program.name, effect.split))
        if sum(one.assigned for one in counts.values()) % STEP == 0:
            self._look_at_shares(program, effect.split, counts, effect.at)

    def learn(self, rule: str, effect: Learn) -> None:
        """A journey in an arm met what its split grows towards."""
        self._hour(rule, effect.split, effect.arm, effect.until)[1] += 1
        self._load(rule, effect.split).setdefault(effect.arm, ArmCount()).met += 1
        self._counted.add((rule, effect.split))

    def _look_at_shares(self, program: Program, split: str, counts: dict[str, ArmCount], now: Instant) -> None:
        self._flush_hours()
        settled = arm_rows.sum_hours(self._turn.tx, program.name, split, now)
        shares = learn_shares(
            _written(program, split),
            {arm: assigned for arm, (assigned, _) in settled.items()},
            {arm: met for arm, (_, met) in settled.items()},
        )
        for arm, one in counts.items():
            one.share = shares.get(arm) if shares is not None else None

    def _hour(self, rule: str, split: str, arm: str, until: Instant) -> list[int]:
        """What came to the journeys whose windows end in one hour: those assigned, and those that met it."""
        return self._hours.setdefault((rule, split, arm, arm_rows.hour_of(until)), [0, 0])

    def _flush_hours(self) -> None:
        if self._hours:
            arm_rows.add_hours(self._turn.tx, self._hours)
            self._hours.clear()

    def _load(self, rule: str, split: str) -> dict[str, ArmCount]:
        place = (rule, split)
        if place not in self._counts:
            self._counts[place] = arm_rows.load_counts(self._turn.tx, rule, split)
        return self._counts[place]

    def forget(self, customers: Collection[int]) -> None:
        """Customers change in the store: their arms are asked for anew."""
        self._asked.difference_update(customers)
        self._given = {place: arm for place, arm in self._given.items() if place[0] not in customers}

    def flush(self) -> None:
        """Write what changed."""
        if self._new:
            arm_rows.put_assignments(self._turn.tx, self._new)
            self._given |= self._new
            self._new.clear()
        if self._counted:
            arm_rows.put_counts(self._turn.tx, {place: self._counts[place] for place in self._counted})
            self._counted.clear()
        self._flush_hours()


def _written(program: Program, split: str) -> dict[str, float]:
    """The arms of a split with their percentages as the rule says them."""
    for step in program.steps:
        if isinstance(step, p.Split) and step.name == split:
            return {name: percent for name, percent, _ in step.arms}
    return {}
