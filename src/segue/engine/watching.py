"""What is watched: guards over a step, the goal, and what splits grow towards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from segue.api import Instant
from segue.engine.journey import Journey, Learn, Note
from segue.engine.passage import Passage
from segue.program import program as p
from segue.program.facts import Customer
from segue.program.values import write_worth

Concerned = Callable[[p.Condition], bool]
"""Whether what happened may have changed a condition."""


def judge_guards(passage: Passage, *, volatile_only: bool = False) -> bool:
    """Whether a guard over the current step ended the journey."""
    current = passage.current()
    if current is None:
        return False
    guards = passage.program.guards
    for index in current.guards:
        if (not volatile_only or guards[index].condition.volatile) and exit_if(passage, index):
            return True
    return False


def heeds_claim(program: p.Program, journey: Journey) -> bool:
    """Whether a guard over the journey's step is judged again as one of its messages is about to go: one that time
    alone may have turned."""
    if journey.step >= len(program.steps):
        return False
    guards = program.guards
    return any(guards[index].condition.volatile for index in program.steps[journey.step].guards)


def stopped_by(program: p.Program, journey: Journey, customer: Customer, now: Instant, key: str) -> str | None:
    """The guard that would end the journey now, were it at the send that a message of it came from: its reason."""
    passage = Passage(program, journey, customer, now)
    step = next((sending.step for sending in journey.sends if sending.key == key), -1)
    guards: Sequence[int] = (0,) if program.rule.until is not None else ()
    if 0 <= step < len(program.steps):
        guards = program.steps[step].guards
    scene = passage.scene()
    return next(
        (program.guards[index].reason for index in guards if program.guards[index].condition.judge(scene)), None
    )


def judge_reached(passage: Passage, reached: p.AnyStep) -> bool:
    """Whether a guard that is to be judged on reaching a step ended the journey: the one written on it, and those that
    time may have turned."""
    guards = passage.program.guards
    for index in reached.guards:
        if (index == reached.reached or guards[index].condition.volatile) and exit_if(passage, index):
            return True
    return False


def exit_if(passage: Passage, index: int) -> bool:
    """Whether one guard is true, which ends the journey."""
    guard = passage.program.guards[index]
    if not guard.condition.judge(passage.scene()):
        return False
    passage.leave(guard.reason)
    return True


def aim(passage: Passage, concerned: Concerned, at: Instant, fields: Mapping[str, Any]) -> None:
    """Something happened at ``at`` that may meet the goal, or what a split grows towards."""
    goal = passage.program.goal
    if goal is not None and concerned(goal.condition):
        _meet(passage, goal, at, fields)
    if passage.program.towards and passage.journey.choices:
        _learn(passage, concerned, at)


def _meet(passage: Passage, goal: p.Goal, at: Instant, fields: Mapping[str, Any]) -> None:
    journey = passage.journey
    if journey.converted is not None or journey.goal_until is None or not journey.entered <= at <= journey.goal_until:
        return
    if not goal.condition.judge(passage.scene(min(passage.now, journey.goal_until))):
        return
    journey.converted = at
    if goal.worth is not None:
        journey.worth = write_worth(fields.get(goal.worth), fields, passage.customer.currency)
    passage.effects.append(Note("converted", at, goal.condition.text))


def _learn(passage: Passage, concerned: Concerned, at: Instant) -> None:
    journey = passage.journey
    for number, choice in enumerate(journey.choices):
        if choice.until is None or choice.met is not None or not journey.entered <= at <= choice.until:
            continue
        towards = passage.program.towards.get(choice.split)
        if towards is None or not concerned(towards):
            continue
        if towards.judge(passage.scene(min(passage.now, choice.until))):
            met = msgspec.structs.replace(choice, met=at)
            journey.choices = (*journey.choices[:number], met, *journey.choices[number + 1 :])
            passage.effects.append(Learn(choice.split, choice.arm, choice.until))
