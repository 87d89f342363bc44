"""The steps of a rule: written to checked."""

from __future__ import annotations

from decimal import Decimal
from string import ascii_lowercase
from typing import Final, assert_never

from segue.diagnostics import Label
from segue.language import model
from segue.language import tree as t
from segue.language.deliveries import Deliveries
from segue.language.expressions import Expressions
from segue.language.moments import read_moment
from segue.language.names import Names
from segue.language.report import Report

MOST_TURNS: Final = 1000
"""Turns of a `repeat`, those of a `repeat` inside multiplied in: no journey could be followed by eye beyond."""

MOST_ARMS: Final = len(ascii_lowercase)


class Steps:
    """Reads the steps of one rule. What is wrong is told, and the step left out: a rule with an error is not carried
    out anyway. ``made`` gathers each written step with what it became; ``complete`` tells whether each became
    something."""

    def __init__(self, report: Report, expressions: Expressions, names: Names, deliveries: Deliveries) -> None:
        self._report = report
        self._expressions = expressions
        self._names = names
        self._deliveries = deliveries
        self._turns = 1
        self._nameless = 0
        self._splits: dict[str, t.Split] = {}
        self.made: list[tuple[t.Step, model.Step]] = []
        self.complete = True

    def read(self, written: tuple[t.Step, ...]) -> tuple[model.Step, ...]:
        steps: list[model.Step] = []
        for step in written:
            made = self._step(step)
            self.complete = self.complete and bool(made)
            self.made += ((step, each) for each in made)
            steps += made
        return tuple(steps)

    def _step(self, step: t.Step) -> list[model.Step]:
        line = self._report.line(step)
        match step:
            case t.Wait(duration=duration, unless=unless):
                return [model.Wait(duration.period, self._optional(unless), line)]
            case t.WaitUntil(moment=moment, unless=unless):
                guard = self._optional(unless)
                when = read_moment(moment, self._expressions)
                return [model.WaitUntil(when, guard, line)] if when is not None else []
            case t.WaitFor(condition=condition, next=next_, up_to=up_to, unless=unless):
                awaited = self._expressions.condition(condition)
                guard = self._optional(unless)
                return [model.WaitFor(awaited, up_to.period, next_, guard, line)] if awaited is not None else []
            case t.Send():
                return self._deliveries.read(step)
            case t.If():
                return self._if(step, line)
            case t.Split():
                return self._split(step, line)
            case t.Repeat():
                return self._repeat(step, line)
            case t.Set():
                return self._set(step, line)
            case t.Emit():
                return self._emit(step, line)
            case t.Stop():
                return [model.Stop(line)]
            case _:
                assert_never(step)

    def _optional(self, condition: t.Expression | None) -> model.Expression | None:
        return self._expressions.condition(condition) if condition is not None else None

    # Blocks

    def _if(self, step: t.If, line: int) -> list[model.Step]:
        branches = []
        for branch in step.branches:
            condition = self._expressions.condition(branch.condition)
            steps = self.read(branch.steps)
            if condition is not None:
                branches.append(model.Branch(condition, steps))
        return [model.If(tuple(branches), self.read(step.otherwise), line)]

    def _split(self, step: t.Split, line: int) -> list[model.Step]:
        word = (step.start, step.start + len("split"))
        if step.name is None:
            self._nameless += 1
        name = step.name.value if step.name is not None else str(self._nameless)
        if name in self._splits:
            first = self._splits[name]
            self._report.add(
                "E0308",
                step.name or word,
                f'there is a split "{name}" in this rule already',
                label="the second one",
                hint="customers are assigned by a split's name: give each its own",
                also=(Label(self._report.span(first.name or (first.start, first.start + len("split"))), "the first"),),
            )
        self._splits.setdefault(name, step)
        if len(step.arms) > MOST_ARMS:
            self._report.add(
                "E0212", word, f"this split has {len(step.arms)} arms", hint=f"a split has at most {MOST_ARMS}"
            )
            return []
        total = sum((arm.percent for arm in step.arms), Decimal(0))
        if total != 100:
            self._percentages(step, total)
        towards = self._optional(step.towards)
        return [model.Split(name, self._arms(step), towards, line)]

    def _percentages(self, step: t.Split, total: Decimal) -> None:
        written = " + ".join(f"{arm.percent}%" for arm in step.arms)
        over = total - 100
        self._report.add(
            "E0506",
            (step.start, step.start + len("split")),
            f"the arms of this split come to {total}%, not to 100%",
            label=f"{written} = {total}%",
            hint=f"take {over}% off one of the arms"
            if over > 0
            else f"give one of the arms {-over}% more, or add an arm that does nothing: `{-over}%`",
        )

    def _arms(self, step: t.Split) -> tuple[model.Arm, ...]:
        arms = []
        first: dict[str, t.Arm] = {}
        for place, arm in enumerate(step.arms):
            name = arm.name.value if arm.name is not None else ascii_lowercase[place]
            if name in first:
                unnamed = arm.name is None or first[name].name is None
                self._report.add(
                    "E0308",
                    arm.name or (arm.start, arm.start + 1),
                    f'this split has an arm "{name}" already',
                    label="the second one",
                    hint='arms without a name are called "a", "b" … by their place; name them all'
                    if unnamed
                    else "give one of them another name",
                    also=(Label(self._report.span(_head(first[name])), "the first"),),
                )
            first.setdefault(name, arm)
            arms.append(model.Arm(arm.percent, name, self.read(arm.steps)))
        return tuple(arms)

    def _repeat(self, step: t.Repeat, line: int) -> list[model.Step]:
        around = self._turns
        self._turns *= max(step.times, 1)
        word = (step.start, step.start + len("repeat"))
        if step.times < 1:
            self._report.add(
                "E0212", word, "`repeat 0 times` does nothing", label="not once", hint="write 1 or more, or delete it"
            )
        elif self._turns > MOST_TURNS >= around:
            inner = "" if around == 1 else f", since it stands in a block that is repeated {around} times"
            self._report.add(
                "E0212",
                word,
                f"this is repeated {self._turns} times{inner}",
                label="too often",
                hint=f"a journey repeats at most {MOST_TURNS} times in all",
            )
        until = self._optional(step.until)
        steps = self.read(step.steps)
        self._turns = around
        return [model.Repeat(min(max(step.times, 1), MOST_TURNS), steps, until, line)]

    # Effects

    def _set(self, step: t.Set, line: int) -> list[model.Step]:
        type_ = self._names.trait_type(step.trait)
        name = step.trait.name.text
        if type_ is None:
            self._expressions.value(step.value)
            return []
        value = self._expressions.fitting(step.value, type_, f"`customer.{name}`")
        return [model.Set(name, type_, value, line)] if value is not None else []

    def _emit(self, step: t.Emit, line: int) -> list[model.Step]:
        event = self._names.event(step.event)
        values = []
        for assignment in step.values:
            type_ = self._names.field(event, assignment.name) if event is not None else None
            if event is None or type_ is None:
                self._expressions.value(assignment.value)
                continue
            value = self._expressions.fitting(assignment.value, type_, f"`{event}.{assignment.name.text}`")
            if value is not None:
                values.append((assignment.name.text, value))
        return [model.Emit(event, tuple(values), line)] if event is not None else []


def _head(arm: t.Arm) -> t.Text | tuple[int, int]:
    return arm.name or (arm.start, arm.start + 1)
