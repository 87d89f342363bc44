"""Coverage: which steps and ways of each rule its tests took.

A *way* is one outcome of a step that has several: the yes and the no of an `if`, the condition and the limit of a
`wait for`, an arm, an alternative of a `send`, a turn of a `repeat`; and, for each guard, that it ended a journey.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from segue.language import model as m
from segue.program import program as p
from segue.program.program import Program, compile_rule
from segue.scenario.trials import Outcome


class Way(msgspec.Struct, frozen=True):
    """One outcome of a step, by the line it stands on."""

    line: int
    text: str


class Covered(msgspec.Struct, frozen=True):
    """A rule after its tests. ``steps`` and ``ways`` count all there are; ``steps_missed`` are the lines of steps that
    no test reached, ``ways_missed`` the ways that none took."""

    rule: str
    file: str
    tests: int
    steps: int
    ways: int
    steps_missed: tuple[int, ...]
    ways_missed: tuple[Way, ...]

    @property
    def steps_taken(self) -> int:
        return self.steps - len(self.steps_missed)

    @property
    def ways_taken(self) -> int:
        return self.ways - len(self.ways_missed)

    @property
    def whole(self) -> bool:
        return not self.steps_missed and not self.ways_missed


def measure(rules: Iterable[m.Rule], outcomes: Sequence[Outcome]) -> tuple[Covered, ...]:
    """The coverage of each rule, by all the tests of it that were carried out."""
    by_rule: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.program is not None:
            by_rule.setdefault(outcome.test.rule, []).append(outcome)
    return tuple(_measure(rule, by_rule.get(rule.name, ())) for rule in rules)


def _measure(rule: m.Rule, outcomes: Sequence[Outcome]) -> Covered:
    program = next((one.program for one in outcomes if one.program is not None), None) or compile_rule(rule)
    steps = {number: step for number, step in enumerate(program.steps) if not isinstance(step, p.Jump)}
    ways = dict(_ways(program))
    reached: set[int] = set()
    taken: set[tuple[int, str]] = set()
    for outcome in outcomes:
        for journey in outcome.journeys:
            reached |= {trace.step for trace in journey.trace} | {journey.step}
            taken |= {(trace.step, trace.outcome) for trace in journey.trace}
            taken |= {(one.step, f"{one.group}/{one.alternative}") for one in journey.sends}
            taken |= {
                (-1 - index, "")
                for index, guard in enumerate(program.guards)
                if journey.state == "exited"
                and journey.reason == guard.reason
                and _stands_over(program, index, journey.step)
            }
    return Covered(
        rule=rule.name,
        file=rule.file,
        tests=len(outcomes),
        steps=len(steps),
        ways=len(ways),
        steps_missed=tuple(step.line for number, step in steps.items() if number not in reached),
        ways_missed=tuple(sorted((way for key, way in ways.items() if key not in taken), key=lambda way: way.line)),
    )


def _stands_over(program: Program, index: int, step: int) -> bool:
    return step < len(program.steps) and index in program.steps[step].guards


def _ways(program: Program) -> Iterable[tuple[tuple[int, str], Way]]:
    """Every way, by its step's number and the outcome in a journey's trace; of a send by its group and place, of a
    guard by its own number below zero."""
    for number, step in enumerate(program.steps):
        match step:
            case p.Branch(condition=condition, line=line):
                for outcome in ("yes", "no"):
                    yield (number, outcome), Way(line, f"if {condition.text}: {outcome}")
            case p.WaitFor(condition=condition, line=line):
                yield (number, "true"), Way(line, f"wait for {condition.text}: it came true")
                yield (number, "limit"), Way(line, f"wait for {condition.text}: the limit was reached")
            case p.Split(name=name, arms=arms, line=line):
                for arm, *_ in arms:
                    yield (number, arm), Way(line, f'split "{name}": arm "{arm}"')
            case p.Loop(line=line):
                yield (number, "turn 1"), Way(line, "repeat: a turn began")
                yield (number, "done"), Way(line, "repeat: it ended")
            case p.Send(together=together, line=line):
                for group, alternatives in enumerate(together):
                    for place, one in enumerate(alternatives if len(alternatives) > 1 else ()):
                        named = f'send {one.channel or "preferred"} "{one.message}"'
                        yield (number, f"{group}/{place}"), Way(line, named)
            case _:
                pass
    for index, guard in enumerate(program.guards):
        line = next((step.line for step in program.steps if step.reached == index), program.rule.line)
        yield (-1 - index, ""), Way(line, f"{guard.reason}: it came true")
