"""A rule as a program: numbered steps, each with the guards that stand over it, and all facts that it may ever read.

A program is immutable and is known by the hash of its content: the same rule text, whatever its layout, is the same
program on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import assert_never

import msgspec

from segue.api import Period
from segue.language import model as m
from segue.program.codec import encode_rule
from segue.program.flattening import flatten
from segue.program.reads import NO_SEGMENTS, Reads, Segments, collect_reads
from segue.program.steps import (
    Alternative,
    AnyStep,
    Branch,
    Condition,
    Emit,
    Guard,
    Jump,
    Loop,
    Nothing,
    Send,
    Set,
    Split,
    Step,
    Stop,
    Wait,
    WaitFor,
    WaitUntil,
    compile_condition,
    compile_segments,
)

__all__ = [
    "Alternative",
    "AnyStep",
    "Branch",
    "Condition",
    "Emit",
    "Goal",
    "Guard",
    "Jump",
    "Loop",
    "Program",
    "Send",
    "Set",
    "Split",
    "Step",
    "Stop",
    "Wait",
    "WaitFor",
    "WaitUntil",
    "compile_condition",
    "compile_rule",
    "compile_segments",
]


class Goal(msgspec.Struct, frozen=True):
    condition: Condition
    within: Period
    worth: str | None


class Program(msgspec.Struct, frozen=True):
    """A compiled rule.

    ``ahead[i]`` names the events whose history may be read from step i on, without any further input; ``watched``,
    ``watched_traits`` and ``watched_names`` are the events, traits, and segments or rules whose change may end a wait
    or a journey, meet the goal or what a split grows towards; ``events`` is all history that journeys ever read, and
    ``names`` all segments and rules that the rule names anywhere, those inside segments included.

    For `segue.engine.admit`: ``where`` says whom a trigger concerns, the audience and the trigger's ``to`` included;
    ``entry_reads`` names the history that it and the trigger's segment may read, ``entry_traits`` the traits by which
    the trigger itself works. ``towards`` is what each split grows towards, by the split's name. ``channels`` are those
    it names; ``prefers``: it leaves a channel to the customer's preference, too.
    """

    rule: m.Rule
    hash: str
    steps: tuple[AnyStep, ...]
    guards: tuple[Guard, ...]
    where: Condition | None
    goal: Goal | None
    ahead: tuple[frozenset[str], ...]
    watched: frozenset[str]
    watched_traits: frozenset[str]
    events: frozenset[str]
    channels: frozenset[str]
    names: frozenset[str] = Nothing
    watched_names: frozenset[str] = Nothing
    entry_reads: frozenset[str] = Nothing
    entry_traits: frozenset[str] = Nothing
    towards: Mapping[str, Condition] = {}
    prefers: bool = False

    @property
    def name(self) -> str:
        return self.rule.name


def compile_rule(rule: m.Rule, segments: Segments = NO_SEGMENTS) -> Program:
    """The program of a checked rule. Its hash depends on the rule alone, and its facts on the segments that it
    names."""
    flat = flatten(rule, segments)
    where = _where(rule, segments)
    trigger = collect_reads(_trigger_segment(rule.trigger), Reads(segments))
    goal = (
        Goal(compile_condition(rule.goal.condition, segments), rule.goal.within, rule.goal.worth)
        if rule.goal is not None
        else None
    )
    towards = {step.name: step.towards for step in flat.steps if isinstance(step, Split) and step.towards is not None}
    watching = [guard.condition for guard in flat.guards] + ([goal.condition] if goal else []) + list(towards.values())
    watching += [step.condition for step in flat.steps if isinstance(step, WaitFor)]
    watched = frozenset[str]().union(*(condition.events for condition in watching))
    watched_traits = frozenset[str]().union(
        *(condition.traits for condition in watching),
        *(step.traits for step in flat.steps if isinstance(step, WaitUntil)),
    )
    watched_names = frozenset[str]().union(*(condition.names for condition in watching))
    ahead = _read_ahead(flat.steps, flat.guards)
    alternatives = [
        alternative for step in flat.steps if isinstance(step, Send) for group in step.together for alternative in group
    ]
    return Program(
        rule=rule,
        hash=blake2b(encode_rule(rule, meaning=True), digest_size=16).hexdigest(),
        steps=flat.steps,
        guards=flat.guards,
        where=where,
        goal=goal,
        ahead=ahead,
        watched=watched,
        watched_traits=watched_traits,
        events=ahead[0] | watched,
        channels=frozenset(alternative.channel for alternative in alternatives if alternative.channel is not None),
        names=flat.names | watched_names | trigger.names | (where.names if where is not None else Nothing),
        watched_names=watched_names,
        entry_reads=frozenset(trigger.events) | (where.events if where is not None else Nothing),
        entry_traits=_trigger_traits(rule.trigger),
        towards=towards,
        prefers=any(alternative.channel is None for alternative in alternatives),
    )


def _where(rule: m.Rule, segments: Segments) -> Condition | None:
    """Whom the trigger concerns, as one condition."""
    parts: list[m.Expression] = []
    if isinstance(rule.trigger, m.OnChange) and rule.trigger.to is not None:
        parts.append(m.Compare("=", m.TriggerField("new", rule.trigger.type), rule.trigger.to))
    if rule.where is not None:
        parts.append(rule.where)
    if rule.audience is not None:
        parts.append(m.InSegment(rule.audience))
    if not parts:
        return None
    return compile_condition(parts[0] if len(parts) == 1 else m.All(tuple(parts)), segments)


def _trigger_segment(trigger: m.Trigger | None) -> m.Expression | None:
    return m.InSegment(trigger.segment) if isinstance(trigger, m.OnMembership) else None


def _trigger_traits(trigger: m.Trigger | None) -> frozenset[str]:
    match trigger:
        case m.OnChange(trait=trait) | m.OnOffset(trait=trait) | m.OnSchedule(recurrence=m.Yearly(trait=trait)):
            return frozenset((trait,))
        case None | m.OnMembership() | m.OnSchedule() | m.OnDate():
            return Nothing
        case _:
            assert_never(trigger)


def _read_ahead(steps: Sequence[AnyStep], guards: Sequence[Guard]) -> tuple[frozenset[str], ...]:
    """For each step, and for the end, the history that steps from there on may read: the union over what follows,
    which is never too small since steps only lead forward. In a `repeat` what follows is all of its body."""
    ahead: list[frozenset[str]] = [Nothing]
    for step in reversed(steps):
        reads = set(ahead[-1])
        for index in step.guards:
            if guards[index].condition.volatile or index == step.reached:
                reads |= guards[index].condition.events
        match step:
            case WaitFor(condition=condition) | Branch(condition=condition):
                reads |= condition.events
            case WaitUntil(reads=named) | Send(reads=named) | Set(reads=named) | Emit(reads=named):
                reads |= named
            case Loop(until=condition_) if condition_ is not None:
                reads |= condition_.events
            case Wait() | Jump() | Split() | Loop() | Stop():
                pass
            case _:
                assert_never(step)
        if isinstance(step, Set):  # a trait that changes has every guard judged again that names it
            for index in step.guards:
                if step.trait in guards[index].condition.traits:
                    reads |= guards[index].condition.events
        ahead.append(frozenset(reads))
    ahead.reverse()
    for number in range(len(steps) - 1, -1, -1):  # inner ones first
        head = steps[number]
        if isinstance(head, Loop):
            for inside in range(number, head.done):
                ahead[inside] = ahead[number]
    return tuple(ahead)
