"""Blocks to numbered steps: what a rule nests becomes one row of steps with jumps.

Steps lead forward. The one exception is the last step of a `repeat`, which leads back to its head.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import msgspec

from segue.language import model as m
from segue.program.conditions import Evaluate, compile_expression
from segue.program.facts import ZONE_TRAIT
from segue.program.reads import Reads, Segments, collect_reads
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
    Stop,
    Wait,
    WaitFor,
    WaitUntil,
    compile_condition,
)


class Flat(msgspec.Struct, frozen=True):
    """The steps of a rule, the guards over them (that of the rule's ``until`` first), and the segments and rules that
    steps name."""

    steps: tuple[AnyStep, ...]
    guards: tuple[Guard, ...]
    names: frozenset[str]


def flatten(rule: m.Rule, segments: Segments) -> Flat:
    """Number the steps of a rule."""
    making = _Flattening(segments)
    over = (making.guard("until", rule.until),) if rule.until is not None else ()
    making.block(rule.steps, over)
    return Flat(tuple(making.steps), tuple(making.guards), frozenset(making.names))


class _Flattening:
    def __init__(self, segments: Segments) -> None:
        self.segments = segments
        self.steps: list[AnyStep] = []
        self.guards: list[Guard] = []
        self.names: set[str] = set()
        self.seen: dict[str, int] = {}

    def guard(self, kind: str, expression: m.Expression) -> int:
        self.guards.append(Guard(self.condition(expression), kind))
        return len(self.guards) - 1

    def condition(self, expression: m.Expression) -> Condition:
        compiled = compile_condition(expression, self.segments)
        self.names |= compiled.names
        return compiled

    def reads(self, *expressions: m.Expression) -> Reads:
        reads = Reads(self.segments)
        for expression in expressions:
            collect_reads(expression, reads)
        self.names |= reads.names
        return reads

    def anchor(self, kind: str, name: str = "") -> str:
        base = f"{kind} {name}".strip()
        self.seen[base] = self.seen.get(base, 0) + 1
        return f"{base} {self.seen[base]}"

    def block(self, block: Sequence[m.Step], over: tuple[int, ...]) -> None:
        for step in block:
            reached: int | None = None
            if isinstance(step, (m.Wait, m.WaitUntil, m.WaitFor)) and step.unless is not None:
                reached = self.guard("unless", step.unless)
                over = (*over, reached)
            self.step(step, over, reached)

    def step(self, step: m.Step, over: tuple[int, ...], reached: int | None) -> None:
        match step:
            case m.Wait(period=period, unless=unless, line=line):
                self.steps.append(Wait(self.anchor("wait"), line, over, reached, (period, unless), period))
            case m.WaitUntil():
                self.steps.append(self.wait_until(step, over, reached))
            case m.WaitFor(condition=condition, up_to=up_to, next=forward, unless=unless, line=line):
                compiled = self.condition(condition)
                anchor, content = self.anchor("wait for", compiled.text), (condition, up_to, forward, unless)
                self.steps.append(WaitFor(anchor, line, over, reached, content, compiled, up_to, forward))
            case m.Send(together=together, line=line):
                self.steps.append(self.send(together, line, over))
            case m.If():
                self.branches(step, over)
            case m.Split():
                self.split(step, over)
            case m.Repeat():
                self.repeat(step, over)
            case m.Set(trait=trait, type=kind, value=value, line=line):
                reads = frozenset(self.reads(value).events)
                self.steps.append(
                    Set(
                        self.anchor("set", trait),
                        line,
                        over,
                        None,
                        (kind, value),
                        trait,
                        compile_expression(value),
                        reads,
                    )
                )
            case m.Emit(event=event, values=values, line=line):
                named = _assignments(values)
                reads = frozenset(self.reads(*(value for _, value in values)).events)
                self.steps.append(Emit(self.anchor("emit", event), line, over, None, (values,), event, named, reads))
            case m.Stop(line=line):
                self.steps.append(Stop(self.anchor("stop"), line, over, None, ()))
            case _:
                assert_never(step)

    def wait_until(self, step: m.WaitUntil, over: tuple[int, ...], reached: int | None) -> WaitUntil:
        anchor, content, moment = self.anchor("wait until"), (step.moment, step.unless), step.moment
        if isinstance(moment, (m.AtDate, m.Offset)):
            reads = self.reads(moment.date)
            events, traits = frozenset(reads.events), frozenset(reads.traits) | {ZONE_TRAIT}
            date = compile_expression(moment.date)
            return WaitUntil(anchor, step.line, over, reached, content, moment, date, events, traits)
        traits = frozenset({ZONE_TRAIT}) if isinstance(moment, m.BestTime) or moment.zone is None else Nothing
        return WaitUntil(anchor, step.line, over, reached, content, moment, None, Nothing, traits)

    def send(self, together: Sequence[Sequence[m.Delivery]], line: int, over: tuple[int, ...]) -> Send:
        groups = []
        reads = Reads(self.segments)
        for group in together:
            alternatives = []
            for delivery in group:
                for _, value in delivery.values:
                    collect_reads(value, reads)
                alternatives.append(
                    Alternative(
                        delivery.channel,
                        delivery.message,
                        delivery.kind,
                        delivery.within,
                        _assignments(delivery.values),
                        tuple((name, value.pool) for name, value in delivery.values if isinstance(value, m.Coupon)),
                    )
                )
            groups.append(tuple(alternatives))
        self.names |= reads.names
        name = " ".join(f"{one.channel or 'preferred'} {one.message}" for group in groups for one in group)
        anchor = self.anchor("send", name)
        return Send(anchor, line, over, None, (together,), tuple(groups), frozenset(reads.events))

    def branches(self, step: m.If, over: tuple[int, ...]) -> None:
        ends: list[int] = []
        last = len(step.branches) - 1
        for number, branch in enumerate(step.branches):
            condition = self.condition(branch.condition)
            test = self.hold_place(self.anchor("if", condition.text), step.line, over)
            self.block(branch.steps, over)
            if number < last or step.otherwise:
                ends.append(self.end_block("end if", step.line, over, test + 1))
            self.steps[test] = Branch(
                self.steps[test].anchor, step.line, over, None, (branch.condition,), condition, len(self.steps)
            )
        self.block(step.otherwise, over)
        self.lead(ends, len(self.steps))

    def split(self, step: m.Split, over: tuple[int, ...]) -> None:
        head = self.hold_place(self.anchor("split", step.name), step.line, over)
        arms: list[tuple[str, float, int]] = []
        ends: list[int] = []
        for arm in step.arms:
            first = len(self.steps)
            arms.append((arm.name, float(arm.percent), first))
            self.block(arm.steps, over)
            if len(arms) < len(step.arms):
                ends.append(self.end_block("end split", step.line, over, first))
        self.lead(ends, len(self.steps))
        towards = self.condition(step.towards) if step.towards is not None else None
        content = (tuple((arm.percent, arm.name) for arm in step.arms), step.towards)
        self.steps[head] = Split(
            self.steps[head].anchor, step.line, over, None, content, step.name, tuple(arms), towards, len(self.steps)
        )

    def repeat(self, step: m.Repeat, over: tuple[int, ...]) -> None:
        head = self.hold_place(self.anchor("repeat"), step.line, over)
        self.block(step.steps, over)
        self.lead([self.end_block("end repeat", step.line, over, head + 1)], head)
        until = self.condition(step.until) if step.until is not None else None
        content = (step.times, step.until)
        self.steps[head] = Loop(
            self.steps[head].anchor, step.line, over, None, content, step.times, until, len(self.steps)
        )

    def hold_place(self, anchor: str, line: int, over: tuple[int, ...]) -> int:
        """Take the number of a step that is known once what it leads to is numbered."""
        self.steps.append(Stop(anchor, line, over, None, ()))
        return len(self.steps) - 1

    def end_block(self, kind: str, line: int, over: tuple[int, ...], begins: int) -> int:
        self.steps.append(Jump(self.anchor(kind), line, over, None, (), -1, begins))
        return len(self.steps) - 1

    def lead(self, jumps: Sequence[int], target: int) -> None:
        """Say where jumps lead."""
        for number in jumps:
            jump = self.steps[number]
            assert isinstance(jump, Jump)
            self.steps[number] = msgspec.structs.replace(jump, target=target)


def _assignments(values: Sequence[tuple[str, m.Expression]]) -> tuple[tuple[str, Evaluate], ...]:
    """The values of ``with``, without the coupons, which are taken when the message is claimed."""
    return tuple((name, compile_expression(value)) for name, value in values if not isinstance(value, m.Coupon))
