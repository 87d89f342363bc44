"""The steps of a program, and the conditions and guards over them: compiled, numbered, immutable.

``anchor`` names a step in a way that survives edits elsewhere: kind, name, occurrence.
"""

from __future__ import annotations

from typing import Any

import msgspec

from segue.api import Kind, Period
from segue.language import model as m
from segue.program.conditions import Evaluate, compile_expression
from segue.program.reads import NO_SEGMENTS, REACH, Reads, Segments, collect_reads
from segue.program.wording import word

Nothing: frozenset[str] = frozenset()


class Condition(msgspec.Struct, frozen=True):
    """A compiled condition, its words, and the facts it reads (named here, fetched by the runtime).

    ``volatile``: its value can change without an input, by time, by reachability or by the edit of a segment, so it
    is judged again at every wake and in the moment of sending. Any other condition was judged when the input came
    that could have changed it. ``names`` are the segments and rules it asks about; what those segments read counts as
    read here.
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
    ``content`` is all that the step says, without the blocks inside it: two steps of one anchor and content are the
    same.
    """

    anchor: str
    line: int
    guards: tuple[int, ...]
    reached: int | None
    content: tuple[Any, ...]


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
    """The end of a block that began at step ``begins``. It leads forward, past the other blocks of its `if` or `split`,
    or back to the head of its `repeat`."""

    target: int
    begins: int


class Split(Step, frozen=True):
    """Goes to the step of the arm that the customer is assigned: (name, percent, number of its first step). ``end``
    is the step after all of them."""

    name: str
    arms: tuple[tuple[str, float, int], ...]
    towards: Condition | None
    end: int


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


def compile_condition(expression: m.Expression, segments: Segments = NO_SEGMENTS) -> Condition:
    """A condition with its words and its facts."""
    reads = collect_reads(expression, Reads(segments))
    return Condition(
        judge=compile_expression(expression),
        text=word(expression),
        events=frozenset(reads.events),
        traits=frozenset(reads.traits | {REACH} if reads.reach else reads.traits),
        reactions=reads.reactions,
        volatile=reads.clock or bool(reads.reach) or bool(reads.names),
        names=frozenset(reads.names),
    )


def compile_segments(segments: Segments) -> dict[str, Condition]:
    """The published segments, compiled. One is judged in a scene of a customer and an instant, without a journey: its
    history is all of it."""
    return {name: compile_condition(segment.condition, segments) for name, segment in segments.items()}
