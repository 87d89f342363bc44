"""One call of the engine: a copy of the journey under way, and the effects so far."""

from __future__ import annotations

from typing import Literal

import msgspec

from segue.api import Instant
from segue.api.values import DAY
from segue.engine.journey import Effect, Journey, Note, Trace, Withdraw
from segue.program import program as p
from segue.program.facts import Customer, Scene


class Passage:
    """What the parts of the engine work on. ``journey`` is a copy of its own, and ``now`` is logical."""

    __slots__ = ("customer", "effects", "journey", "now", "program")

    def __init__(self, program: p.Program, journey: Journey, customer: Customer, now: Instant) -> None:
        self.program = program
        self.journey = msgspec.structs.replace(journey)  # a copy, in C
        self.customer = customer
        self.now = now
        self.effects: list[Effect] = []

    @property
    def inside(self) -> bool:
        return bool(self.journey.state == "inside")

    @property
    def reached(self) -> Instant:
        """When the current step was really reached, also by a journey that a late event began."""
        journey = self.journey
        return max(journey.since, journey.trace[-1].at) if journey.trace else journey.since

    def scene(self, now: Instant | None = None, *, forward: bool = False) -> Scene:
        """What a condition of the journey is judged against; ``forward``: looking only from this step on."""
        journey = self.journey
        start = (journey.since, journey.mark) if forward else (journey.entered, journey.order)
        reactions = journey.reactions
        if forward and reactions:
            reactions = tuple(reaction for reaction in reactions if reaction.at >= journey.since)
        return Scene(
            self.customer,
            self.now if now is None else now,
            start,
            journey.trigger,
            journey.entered,
            journey.order,
            reactions,
            self.program.rule.kind,
            self.program.rule.per,
            journey.value,
        )

    def current(self) -> p.AnyStep | None:
        """The step that the journey is at, None at the end."""
        steps = self.program.steps
        return steps[self.journey.step] if self.journey.step < len(steps) else None

    def move_on(self, since: Instant, outcome: str = "", to: int | None = None) -> None:
        """Leave the current step; the next one is reached at ``since``."""
        journey = self.journey
        journey.trace = (*journey.trace, Trace(self.now, journey.step, outcome))
        journey.step = journey.step + 1 if to is None else to
        journey.since = since
        journey.due = None
        journey.visit += 1

    def finish(self, reason: str) -> None:
        """The journey came to its end."""
        self._close("finished", reason)

    def leave(self, reason: str) -> None:
        """The journey exits: what it has not handed over is taken back."""
        self._close("exited", reason)
        self.effects.append(Withdraw(reason))

    def _close(self, state: Literal["finished", "exited"], reason: str) -> None:
        journey = self.journey
        journey.state, journey.reason, journey.ended = state, reason, self.now
        journey.due = closing(journey, self.now)
        self.effects.append(Note(state, self.now, reason))


def closing(journey: Journey, now: Instant) -> Instant | None:
    """When a journey that ends now is done with for good: a day after the window of its goal, and of what its arms
    grow towards, so that a late event still counts; None at once. One that converted stays as well: it is still the
    latest of its rule, so that a second event does not fall to an older one."""
    until = journey.goal_until
    for choice in journey.choices:
        if choice.until is not None and (until is None or choice.until > until):
            until = choice.until
    if until is None or until + DAY <= now:
        return None
    return Instant(until + DAY)
