"""What a picture of a rule shows: its steps as a tree of blocks, with what is counted at each.

Numbers are those of the program's steps, so that what a store counts by step can be shown beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, assert_never

import msgspec

from segue.language import model as m
from segue.program import program as p
from segue.program.plain import listed, say, say_moment, say_period, say_share, say_turning, say_value
from segue.program.telling import say_channel, say_trigger

Kind = Literal["begin", "wait", "send", "ask", "split", "repeat", "note", "end"]


class Box(msgspec.Struct, frozen=True):
    """One box. ``title`` is its first line, ``detail`` what stands below it; ``step`` the program's number of the step,
    None for beginning and end; ``channel`` the first channel of a send."""

    kind: Kind
    title: str
    detail: str = ""
    step: int | None = None
    channel: str = ""


class Way(msgspec.Struct, frozen=True):
    """One way out of a fork, with its label."""

    label: str
    items: tuple[Item, ...]


class Fork(msgspec.Struct, frozen=True):
    """A box from which several ways lead, which meet again below."""

    box: Box
    ways: tuple[Way, ...]


class Turns(msgspec.Struct, frozen=True):
    """A box whose items are gone through several times."""

    box: Box
    items: tuple[Item, ...]


Item = Box | Fork | Turns


class Counts(msgspec.Struct, frozen=True):
    """What a store has counted: who is at each step now, and how all journeys of the rule stand."""

    entered: int = 0
    inside: int = 0
    finished: int = 0
    exited: int = 0
    failed: int = 0
    converted: int = 0
    here: Mapping[int, int] = {}


class Chart(msgspec.Struct, frozen=True):
    """``terms`` are short lines that hold for the whole rule (how often, goal, guard, share)."""

    rule: str
    title: str
    terms: tuple[str, ...]
    begin: Box
    items: tuple[Item, ...]


def draw_chart(program: p.Program) -> Chart:
    """The chart of a rule's program."""
    rule = program.rule
    numbers = (number for number, step in enumerate(program.steps) if not isinstance(step, p.Jump))
    where = f"if {say(rule.where)}" if rule.where is not None else ""
    return Chart(
        rule=rule.name,
        title=rule.title or rule.name,
        terms=tuple(_terms(rule)),
        begin=Box("begin", f"When {say_trigger(rule)}", where),
        items=_block(rule.steps, numbers),
    )


def every_box(items: Sequence[Item]) -> Iterator[Box]:
    """All boxes below the beginning, in the order of the text."""
    for item in items:
        match item:
            case Box():
                yield item
            case Fork(box=box, ways=ways):
                yield box
                for way in ways:
                    yield from every_box(way.items)
            case Turns(box=box, items=inner):
                yield box
                yield from every_box(inner)
            case _:
                assert_never(item)


def _terms(rule: m.Rule) -> Iterator[str]:
    if rule.once is not None:
        yield "once" if rule.once.per is None else f"once in {say_period(rule.once.per)}"
    if rule.per is not None:
        yield f"one journey for each {rule.per}"
    if rule.audience is not None:
        yield f"for {rule.audience}"
    if rule.until is not None:
        yield f"until {say_turning(rule.until)}"
    if rule.goal is not None:
        yield f"goal: {say_turning(rule.goal.condition)} within {say_period(rule.goal.within)}"
    if rule.rollout is not None:
        yield f"rolled out to {say_share(rule.rollout)}"
    if rule.holdout is not None:
        yield f"{say_share(rule.holdout)} held out"
    if rule.active is not None:
        last = f" to {rule.active.last.iso}" if rule.active.last is not None else ""
        yield f"from {rule.active.first.iso}{last}"


def _block(steps: Sequence[m.Step], numbers: Iterator[int]) -> tuple[Item, ...]:
    """The steps of a block. ``numbers`` gives the program's numbers in the order of the text: a program has one step
    for each written one (and for each condition of an `if`), beside its jumps."""
    return tuple(_step(step, numbers) for step in steps)


def _step(step: m.Step, numbers: Iterator[int]) -> Item:
    if isinstance(step, m.If):
        return _if(step, numbers)
    number = next(numbers)
    match step:
        case m.Wait(period=period, unless=unless):
            return Box("wait", f"Wait {say_period(period)}", _unless(unless), number)
        case m.WaitUntil(moment=moment, unless=unless):
            return Box("wait", f"Wait until {say_moment(moment)}", _unless(unless), number)
        case m.WaitFor(condition=condition, up_to=up_to, unless=unless):
            longest = f"{say_period(up_to)} at the longest"
            return Box(
                "wait",
                f"Wait until {say_turning(condition)}",
                "; ".join(filter(None, (longest, _unless(unless)))),
                number,
            )
        case m.Send(together=together):
            channels = listed(listed((say_channel(one.channel) for one in group), "or") for group in together)
            messages = dict.fromkeys(one.message for group in together for one in group)
            channel = together[0][0].channel or "preferred"
            return Box("send", f"Send by {channels}", listed(messages), number, channel)
        case m.Split(arms=arms, towards=towards):
            grows = f"grows towards: {say_turning(towards)}" if towards is not None else ""
            ways = tuple(Way(f"{say_share(arm.percent)} {arm.name}", _block(arm.steps, numbers)) for arm in arms)
            return Fork(Box("split", "Divide by chance", grows, number), ways)
        case m.Repeat(times=times, steps=steps, until=until):
            ends = f"until {say_turning(until)}" if until is not None else ""
            return Turns(Box("repeat", f"Up to {times} times", ends, number), _block(steps, numbers))
        case m.Set(trait=trait, value=value):
            return Box("note", f"Note: {trait} is {say_value(value)}", step=number)
        case m.Emit(event=event):
            return Box("note", f"Let {event} happen", step=number)
        case m.Stop():
            return Box("end", "Stop", step=number)
        case _:
            assert_never(step)


def _if(step: m.If, numbers: Iterator[int]) -> Fork:
    """An `else if` is a fork in the other way of the one before it."""
    first, *rest = step.branches
    asked = say(first.condition)
    box = Box("ask", f"{asked[:1].upper()}{asked[1:]}?", step=next(numbers))
    yes = Way("yes", _block(first.steps, numbers))
    if rest:
        return Fork(box, (yes, Way("no", (_if(m.If(tuple(rest), step.otherwise), numbers),))))
    return Fork(box, (yes, Way("no", _block(step.otherwise, numbers))))


def _unless(unless: m.Expression | None) -> str:
    return f"ends if {say_turning(unless)}" if unless is not None else ""
