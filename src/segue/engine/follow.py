"""``on edit follow``: a journey inside goes on in the new text of its rule.

It finds the step that it was at, with what it waits for counted from when it was reached, or else the next one that is
still there; where nothing is, it finishes. Guards over the new place are judged at once.
"""

from __future__ import annotations

from typing import assert_never

import msgspec

from segue.api import Instant
from segue.engine.alignment import Alignment, align, next_place
from segue.engine.journey import Choice, Effect, Journey, Sending, Trace
from segue.engine.sending import under_way
from segue.engine.step import Walk
from segue.engine.watching import judge_guards
from segue.language import model as m
from segue.program import program as p
from segue.program.calendar import add, add_elapsed
from segue.program.facts import Customer
from segue.program.sentences import word_step

REMOVED = "removed by an edit"


def follow(
    old: p.Program, new: p.Program, journey: Journey, customer: Customer, now: Instant
) -> tuple[Journey, list[Effect]]:
    """The journey under the new version, and what follows at once. Messages under way go on, arms that were taken and
    turns of a `repeat` are kept. One that has ended stays with the version it ended in."""
    if journey.state != "inside" or old.hash == new.hash:
        return journey, []
    walk = Walk(new, journey, customer, now)
    moved, alignment = walk.journey, align(old, new)
    left, place = old.steps[journey.step], alignment.places[journey.step]
    moved.program = new.hash
    moved.trace = _trace(alignment, old, new, journey)
    moved.sends = tuple(_sending(alignment, old, new, sending) for sending in journey.sends)
    moved.choices = _choices(alignment, new, journey)
    moved.goal_until = add_elapsed(journey.entered, new.goal.within, customer.zone) if new.goal is not None else None
    if place is not None:
        moved.step = place
    else:
        moved.step = next_place(alignment, old, new, journey.step)
        moved.trace = (*moved.trace, Trace(now, -1, REMOVED, word_step(left)))
        moved.since, moved.due = now, None
        moved.visit += 1
    moved.turns = _turns(alignment, new, journey, moved.step)
    if judge_guards(walk):
        return moved, walk.effects
    if place is None or not _stays(walk, left, new.steps[place]):
        walk.run()
    return moved, walk.effects


def _stays(walk: Walk, left: p.AnyStep, here: p.AnyStep) -> bool:
    """Whether the journey still waits where it was; what was shortened to a moment in the past is over now, when the
    edit is published."""
    journey, zone = walk.journey, walk.customer.zone
    match here:
        case p.Wait(period=period):
            return _waits(walk, add(journey.since, period, zone), "")
        case p.WaitUntil(moment=moment):
            if isinstance(left, p.WaitUntil) and left.moment == moment:
                return True
            reached = walk.now if isinstance(moment, m.InWindow) else walk.reached
            until = walk.find_moment(here, reached)
            if isinstance(until, str):
                walk.leave(until)
                return True
            return _waits(walk, until, "")
        case p.WaitFor(condition=condition, up_to=up_to, next=forward):
            if condition.judge(walk.scene(forward=forward)):
                walk.move_on(walk.now, "true")
                return False
            return _waits(walk, add(journey.since, up_to, zone), "limit")
        case p.Send():
            return under_way(walk)
        case p.Branch() | p.Split() | p.Loop() | p.Jump() | p.Set() | p.Emit() | p.Stop():
            return False
        case _:
            assert_never(here)


def _waits(walk: Walk, until: Instant, outcome: str) -> bool:
    if until > walk.now:
        walk.journey.due = until
        return True
    walk.move_on(walk.now, outcome)
    return False


def _trace(alignment: Alignment, old: p.Program, new: p.Program, journey: Journey) -> tuple[Trace, ...]:
    """The steps taken, by their numbers in the new text; one that is not there any more, or reads otherwise, keeps its
    words."""
    kept = []
    for trace in journey.trace:
        if trace.step < 0:
            kept.append(trace)
            continue
        before, place = old.steps[trace.step], alignment.places[trace.step]
        if isinstance(before, p.Jump):
            continue
        same = place is not None and new.steps[place].content == before.content
        was = trace.was or ("" if same else word_step(before))
        kept.append(Trace(trace.at, place if place is not None else -1, trace.outcome, was))
    return tuple(kept)


def _sending(alignment: Alignment, old: p.Program, new: p.Program, sending: Sending) -> Sending:
    """A message under way keeps its alternatives where the send still has the same channels."""
    before = old.steps[sending.step] if sending.step >= 0 else None
    place = alignment.places[sending.step] if sending.step >= 0 else None
    after = new.steps[place] if place is not None else None
    same = isinstance(before, p.Send) and isinstance(after, p.Send) and _channels(before) == _channels(after)
    return msgspec.structs.replace(sending, step=place if same and place is not None else -1)


def _channels(send: p.Send) -> list[list[tuple[str | None, str]]]:
    return [[(one.channel, one.message) for one in group] for group in send.together]


def _choices(alignment: Alignment, new: p.Program, journey: Journey) -> tuple[Choice, ...]:
    """Arms taken, by the new names of their splits; a name that another split has now is no longer theirs."""
    names = {step.name for step in new.steps if isinstance(step, p.Split)}
    kept = []
    for choice in journey.choices:
        name = alignment.splits.get(choice.split)
        if name is not None:
            kept.append(msgspec.structs.replace(choice, split=name))
        elif choice.split not in names:
            kept.append(choice)
    return tuple(kept)


def _turns(alignment: Alignment, new: p.Program, journey: Journey, at: int) -> tuple[tuple[int, int], ...]:
    """The turns begun of each `repeat` that the journey is in now."""
    begun = {place: turns for number, turns in journey.turns if (place := alignment.places[number]) is not None}
    kept = []
    for number, step in enumerate(new.steps[: at + 1]):
        if isinstance(step, p.Loop) and at < step.done and (number < at or number in begun):
            kept.append((number, begun.get(number, 1)))
    return tuple(kept)
