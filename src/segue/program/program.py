"""A rule as a program: numbered steps that only jump forward, each with the guards that stand over it.

A program is immutable and is known by the hash of its content: the same rule text, whatever its layout, is the same
program on every machine. ``anchor`` names a step in a way that survives edits elsewhere: kind, name, occurrence.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import assert_never

import msgspec

from segue.api import Kind, Period
from segue.language import model as m
from segue.program.codec import encode_rule
from segue.program.conditions import Evaluate, compile_expression
from segue.program.reads import REACH, Reads, collect_reads
from segue.program.wording import word

Nothing: frozenset[str] = frozenset()


class Condition(msgspec.Struct, frozen=True):
    """A compiled condition, its words, and the facts it reads (named here, fetched by the runtime).

    ``volatile``: its value can change without an input, by time or by reachability, so it is judged again at every wake
    and in the moment of sending. Any other condition was judged when the input came that could have changed it.
    """

    judge: Evaluate
    text: str
    events: frozenset[str]
    traits: frozenset[str]
    reactions: bool
    volatile: bool
    names: frozenset[str] = Nothing


class Guard(msgspec.Struct, frozen=True):
    """``unless`` (over what follows it in its block) or ``until`` (over the whole rule)."""

    condition: Condition
    word: str

    @property
    def reason(self) -> str:
        return f"{self.word} {self.condition.text}"


class Step(msgspec.Struct, frozen=True):
    """Base: where the step stands in the text, its anchor, and the guards over it (indices into ``Program.guards``).

    ``reached`` is the guard that is judged on reaching this step: the one written on it; None where there is none.
    """

    anchor: str
    line: int
    guards: tuple[int, ...]
    reached: int | None


class Wait(Step, frozen=True):
    period: Period


class WaitUntil(Step, frozen=True):
    """``date`` is compiled for the moments that have one."""

    moment: m.Moment
    date: Evaluate | None
    reads: frozenset[str]
    traits: frozenset[str]


class WaitFor(Step, frozen=True):
    condition: Condition
    up_to: Period
    next: bool


class Alternative(msgspec.Struct, frozen=True):
    """One channel of a send, None for `preferred`; ``values`` are the ``with`` assignments, compiled, without those in
    ``coupons``: (name, pool)."""

    channel: str | None
    message: str
    kind: Kind
    within: Period
    values: tuple[tuple[str, Evaluate], ...]
    coupons: tuple[tuple[str, str], ...] = ()


class Send(Step, frozen=True):
    """Groups that go together; in each, alternatives in order."""

    together: tuple[tuple[Alternative, ...], ...]
    reads: frozenset[str]


class Branch(Step, frozen=True):
    """Goes on to the next step when the condition holds, else to ``otherwise``."""

    condition: Condition
    otherwise: int


class Jump(Step, frozen=True):
    target: int


class Split(Step, frozen=True):
    """Goes to the step of the arm that the customer is assigned: (name, percent, number of its first step)."""

    name: str
    arms: tuple[tuple[str, float, int], ...]
    towards: Condition | None


class Loop(Step, frozen=True):
    """The head of a `repeat`: begins another turn at the next step, or goes to ``done`` after ``times`` turns or once
    ``until`` holds. The last step of the body jumps back to it: the only jump that does not lead forward."""

    times: int
    until: Condition | None
    done: int


class Set(Step, frozen=True):
    trait: str
    value: Evaluate
    reads: frozenset[str]


class Emit(Step, frozen=True):
    event: str
    values: tuple[tuple[str, Evaluate], ...]
    reads: frozenset[str]


class Stop(Step, frozen=True):
    pass


AnyStep = Wait | WaitUntil | WaitFor | Send | Branch | Split | Loop | Jump | Set | Emit | Stop


class Goal(msgspec.Struct, frozen=True):
    condition: Condition
    within: Period
    worth: str | None


class Program(msgspec.Struct, frozen=True):
    """A compiled rule.

    ``ahead[i]`` names the events whose history may be read from step i on, without any further input; ``watched`` and
    ``watched_traits`` are those whose change may end a wait, a journey or meet the goal;
    ``events`` is all history that the program ever reads.
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

    @property
    def name(self) -> str:
        return self.rule.name


def compile_condition(expression: m.Expression) -> Condition:
    """A condition with its words and its facts."""
    reads = collect_reads(expression, Reads())
    return Condition(
        judge=compile_expression(expression),
        text=word(expression),
        events=frozenset(reads.events),
        traits=frozenset(reads.traits | {REACH} if reads.reach else reads.traits),
        reactions=reads.reactions,
        volatile=reads.clock or bool(reads.reach),
    )


def compile_rule(rule: m.Rule) -> Program:
    """The program of a checked rule."""
    steps, guards = _Compiler(rule).compile()
    where = compile_condition(rule.where) if rule.where is not None else None
    goal = (
        Goal(compile_condition(rule.goal.condition), rule.goal.within, rule.goal.worth)
        if rule.goal is not None
        else None
    )
    conditions = [guard.condition for guard in guards] + ([goal.condition] if goal else [])
    watched = set().union(*(condition.events for condition in conditions))
    watched_traits = set().union(*(condition.traits for condition in conditions))
    for step in steps:
        if isinstance(step, WaitFor):
            watched |= step.condition.events
            watched_traits |= step.condition.traits
        elif isinstance(step, WaitUntil):
            watched_traits |= step.traits
    ahead = _read_ahead(steps, guards)
    return Program(
        rule=rule,
        hash=blake2b(encode_rule(rule, meaning=True), digest_size=16).hexdigest(),
        steps=tuple(steps),
        guards=tuple(guards),
        where=where,
        goal=goal,
        ahead=ahead,
        watched=frozenset(watched),
        watched_traits=frozenset(watched_traits),
        events=ahead[0] | watched,
        channels=frozenset(
            alternative.channel
            for step in steps
            if isinstance(step, Send)
            for group in step.together
            for alternative in group
        ),
    )


def _read_ahead(steps: Sequence[AnyStep], guards: Sequence[Guard]) -> tuple[frozenset[str], ...]:
    """For each step, and for the end, the history that steps from there on may read. Steps only jump forward, so the
    union over what follows is never too small."""
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
            case Wait() | Jump() | Stop():
                pass
            case _:
                assert_never(step)
        if isinstance(step, Set):  # a trait that changes has every guard judged again that names it
            for index in step.guards:
                if step.trait in guards[index].condition.traits:
                    reads |= guards[index].condition.events
        ahead.append(frozenset(reads))
    return tuple(reversed(ahead))


class _Compiler:
    """Flattens blocks into numbered steps."""

    def __init__(self, rule: m.Rule) -> None:
        self.rule = rule
        self.steps: list[AnyStep] = []
        self.guards: list[Guard] = []
        self.seen: dict[str, int] = {}

    def compile(self) -> tuple[list[AnyStep], list[Guard]]:
        over: tuple[int, ...] = ()
        if self.rule.until is not None:
            over = (self._guard("until", self.rule.until),)
        self._block(self.rule.steps, over)
        return self.steps, self.guards

    def _guard(self, kind: str, expression: m.Expression) -> int:
        self.guards.append(Guard(compile_condition(expression), kind))
        return len(self.guards) - 1

    def _anchor(self, kind: str, name: str = "") -> str:
        base = f"{kind} {name}".strip()
        self.seen[base] = self.seen.get(base, 0) + 1
        return f"{base} {self.seen[base]}"

    def _block(self, block: Sequence[m.Step], over: tuple[int, ...]) -> None:
        for step in block:
            reached: int | None = None
            if isinstance(step, (m.Wait, m.WaitUntil, m.WaitFor)) and step.unless is not None:
                reached = self._guard("unless", step.unless)
                over = (*over, reached)
            self._step(step, over, reached)

    def _step(self, step: m.Step, over: tuple[int, ...], reached: int | None) -> None:
        match step:
            case m.Wait(period=period, line=line):
                self.steps.append(Wait(self._anchor("wait"), line, over, reached, period))
            case m.WaitUntil(moment=moment, line=line):
                self.steps.append(self._wait_until(moment, line, over, reached))
            case m.WaitFor(condition=condition, up_to=up_to, next=forward, line=line):
                compiled = compile_condition(condition)
                anchor = self._anchor("wait for", compiled.text)
                self.steps.append(WaitFor(anchor, line, over, reached, compiled, up_to, forward))
            case m.Send(together=together, line=line):
                self.steps.append(self._send(together, line, over))
            case m.If():
                self._if(step, over)
            case m.Set(trait=trait, value=value, line=line):
                reads = frozenset(collect_reads(value, Reads()).events)
                self.steps.append(
                    Set(self._anchor("set", trait), line, over, None, trait, compile_expression(value), reads)
                )
            case m.Emit(event=event, values=values, line=line):
                named, reads = _assignments(values)
                self.steps.append(Emit(self._anchor("emit", event), line, over, None, event, named, reads))
            case m.Stop(line=line):
                self.steps.append(Stop(self._anchor("stop"), line, over, None))
            case _:
                assert_never(step)

    def _wait_until(self, moment: m.Moment, line: int, over: tuple[int, ...], reached: int | None) -> WaitUntil:
        anchor = self._anchor("wait until")
        if isinstance(moment, (m.AtDate, m.Offset)):
            reads = collect_reads(moment.date, Reads())
            date = compile_expression(moment.date)
            return WaitUntil(
                anchor, line, over, reached, moment, date, frozenset(reads.events), frozenset(reads.traits)
            )
        return WaitUntil(anchor, line, over, reached, moment, None, Nothing, Nothing)

    def _send(self, together: Sequence[Sequence[m.Delivery]], line: int, over: tuple[int, ...]) -> Send:
        reads: frozenset[str] = Nothing
        groups = []
        for group in together:
            alternatives = []
            for delivery in group:
                values, named = _assignments(delivery.values)
                reads |= named
                alternatives.append(
                    Alternative(delivery.channel, delivery.message, delivery.kind, delivery.within, values)
                )
            groups.append(tuple(alternatives))
        name = " ".join(f"{one.channel} {one.message}" for group in groups for one in group)
        return Send(self._anchor("send", name), line, over, None, tuple(groups), reads)

    def _if(self, step: m.If, over: tuple[int, ...]) -> None:
        exits: list[int] = []
        last = len(step.branches) - 1
        for number, branch in enumerate(step.branches):
            condition = compile_condition(branch.condition)
            test = len(self.steps)
            anchor = self._anchor("if", condition.text)
            self.steps.append(Branch(anchor, step.line, over, None, condition, -1))
            self._block(branch.steps, over)
            if number < last or step.otherwise:
                exits.append(len(self.steps))
                self.steps.append(Jump(self._anchor("end if"), step.line, over, None, -1))
            self.steps[test] = Branch(anchor, step.line, over, None, condition, len(self.steps))
        self._block(step.otherwise, over)
        for index in exits:
            jump = self.steps[index]
            self.steps[index] = Jump(jump.anchor, jump.line, over, None, len(self.steps))


def _assignments(
    values: Sequence[tuple[str, m.Expression]],
) -> tuple[tuple[tuple[str, Evaluate], ...], frozenset[str]]:
    reads = Reads()
    for _, expression in values:
        collect_reads(expression, reads)
    return tuple((name, compile_expression(expression)) for name, expression in values), frozenset(reads.events)
