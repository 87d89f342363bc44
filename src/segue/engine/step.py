"""The laws of the engine.

1. What affects a journey lives in this room: here, in `segue.engine.admit` and in `segue.engine.follow`. It knows no
clock,
   no randomness, no I/O: the same journey, input and facts give the same outcome, on any machine, at any time.
2. A step touches one journey of one customer. It never changes its arguments; the journey it returns is a new one.
3. ``now`` is logical: for a wake the instant it was due, however late the call; for an event its arrival; for a
   hand-over its settlement. Inputs come in the order of their ``now``,
   and of several at one instant an event comes before a wake.
4. A wait counts from ``since``, the logical instant at which it was reached;
   after a send that is the settlement of its last hand-over.
5. A guard is judged whole: when it is reached, when something it names changes, at every wake and before every send
   where time alone may have turned it. True ends the journey.
6. A message's key depends on the journey, the visit and the place in the send alone,
   so deciding twice decides the same.
7. Steps lead forward, except for the last of a `repeat`, which leads back to its head; and a head counts its turns and
   leads past the body after the last one. So a call ends: after at most as many steps as the program has, each as
   often as the `repeat`s around it say together.
8. A journey in the holdout goes the same way, and touches nothing outside itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

import msgspec

from segue.api import Instant
from segue.engine.journey import (
    Arrived,
    Changed,
    Claimed,
    Crossed,
    Effect,
    Emitted,
    Input,
    Journey,
    Merged,
    Note,
    Reported,
    Settled,
    SetTrait,
    State,
    Withdraw,
    Woken,
    mint,
)
from segue.engine.moments import find_again, find_moment
from segue.engine.passage import Passage, closing
from segue.engine.sending import begin_send, fall_back, find, settle, under_way
from segue.engine.shares import take_arm
from segue.engine.watching import Concerned, aim, exit_if, judge_guards, judge_reached
from segue.language import model as m
from segue.program import program as p
from segue.program.calendar import add, read_date
from segue.program.facts import Customer, Reaction
from segue.program.values import to_json

_MOST_REACTIONS = 200
"""Reactions kept per journey: a link scanner's thousand clicks are one fact, not a thousand rows to carry."""


def note_reaction(journey: Journey, reported: Reported) -> bool:
    """Keep what a customer did with a message of a journey, in the journey itself; False where that was known."""
    reaction = Reaction(reported.what, reported.channel, reported.message, reported.at, reported.key)
    if len(journey.reactions) >= _MOST_REACTIONS or reaction in journey.reactions:
        return False
    journey.reactions = (*journey.reactions, reaction)
    return True


def step(
    program: p.Program, journey: Journey, happening: Input, customer: Customer, now: Instant, *, goals: bool = True
) -> tuple[Journey, list[Effect]]:
    """What one input does to one journey: the journey afterwards, and the effects in order.

    ``goals`` is False where another, later journey of the rule is the one this event may convert.
    """
    after = Walk(program, journey, customer, now)
    match happening:
        case Arrived(name=name, at=at, fields=fields):
            if name in program.watched:
                after.watch(lambda condition: name in condition.events, at, fields, goals=goals)
        case Changed(traits=traits):
            if program.watched_traits & traits:
                after.watch(lambda condition: bool(condition.traits & traits), now, {}, goals=goals, traits=traits)
        case Crossed(names=names):
            if program.watched_names & names:
                after.watch(lambda condition: bool(condition.names & names), now, {}, goals=goals)
        case Woken():
            after.wake()
        case Settled(key=key, how=how):
            after.settle(key, how)
        case Reported():
            after.report(happening, goals)
        case Claimed():
            if after.inside:
                judge_guards(after, volatile_only=True)
        case Merged():
            if after.inside:
                after.notice(lambda _: True, program.watched_traits)
        case _:
            assert_never(happening)
    return after.journey, after.effects


def begin(program: p.Program, journey: Journey, customer: Customer, now: Instant) -> tuple[Journey, list[Effect]]:
    """The first steps of a journey that `segue.engine.admit` let in."""
    after = Walk(program, journey, customer, now)
    after.effects.append(Note("entered", journey.entered))
    if program.rule.until is not None:
        exit_if(after, 0)
    after.run()
    return after.journey, after.effects


def end(journey: Journey, state: State, reason: str, now: Instant) -> tuple[Journey, list[Effect]]:
    """The journey ended from outside: restarted, its rule removed, merged, or failed by an error in a step."""
    ended = msgspec.structs.replace(journey, state=state, reason=reason, ended=now, due=closing(journey, now))
    decision: Effect = Note("failed" if state == "failed" else "exited", now, reason)
    return ended, [decision, Withdraw(reason)]


class Walk(Passage):
    """A journey going through its program."""

    __slots__ = ()

    # Inputs

    def watch(
        self,
        concerned: Concerned,
        at: Instant,
        fields: Mapping[str, Any],
        *,
        goals: bool,
        traits: frozenset[str] = frozenset(),
    ) -> None:
        """Something happened at ``at`` that the rule names: look at the goal, then at guards and the wait."""
        if goals:
            aim(self, concerned, at, fields)
        if self.inside:
            self.notice(concerned, traits)

    def notice(self, concerned: Concerned, traits: frozenset[str] = frozenset()) -> None:
        """Something changed: judge the guards it concerns, then the wait the journey is at."""
        current = self.current()
        if current is None:
            return
        for index in current.guards:
            if concerned(self.program.guards[index].condition) and exit_if(self, index):
                return
        if isinstance(current, p.WaitFor) and concerned(current.condition):
            if current.condition.judge(self.scene(forward=current.next)):
                self.move_on(self.now, "true")
                self.run()
        elif isinstance(current, p.WaitUntil) and current.traits & traits:
            self.look_again(current)

    def wake(self) -> None:
        journey = self.journey
        if journey.due is None or journey.due > self.now:
            return  # an early wake changes nothing
        if not self.inside:
            journey.due = None  # the goal's window is over
            return
        current = self.current()
        if current is None or judge_guards(self, volatile_only=True):
            return
        self.move_on(journey.due, "limit" if isinstance(current, p.WaitFor) else "")
        self.run()

    def settle(self, key: str, how: str) -> None:
        sending = find(self, key)
        if sending is None or sending.settled or not self.inside:
            return
        if how in ("skipped", "failed") and fall_back(self, sending, skipped=how == "skipped"):
            return
        settle(self, sending)
        if sending.visit == self.journey.visit and not under_way(self):
            self.move_on(self.now)
            self.run()

    def report(self, reported: Reported, goals: bool) -> None:
        journey = self.journey
        known = not note_reaction(journey, reported)  # before the journey goes on, whose next step may ask for it
        sending = find(self, reported.key)
        if reported.what == "undelivered" and sending is not None and self.inside and self.now <= sending.until:
            if sending.settled:
                fall_back(self, sending)
            else:
                self.settle(reported.key, "failed")
        if not known:
            self.watch(lambda condition: condition.reactions, reported.at, {}, goals=goals)

    # Moving through the program

    def run(self) -> None:
        """Take steps until one blocks or the journey ends."""
        steps, journey = self.program.steps, self.journey
        while journey.state == "inside":
            if journey.step >= len(steps):
                self.finish("")
                return
            current = steps[journey.step]
            if current.guards and judge_reached(self, current):
                return
            if not self.take(current):
                return

    def take(self, current: p.AnyStep) -> bool:
        """Take one step; False where it blocks or the journey ended."""
        journey, zone = self.journey, self.customer.zone
        match current:
            case p.Wait(period=period):
                return self.wait(add(journey.since, period, zone))
            case p.WaitUntil():
                return self.wait_until(current)
            case p.WaitFor():
                journey.mark = self.newest(current.condition)
                if current.condition.judge(self.scene(forward=current.next)):
                    self.move_on(self.now, "true")
                    return True
                return self.wait(add(journey.since, current.up_to, zone), "limit")
            case p.Send():
                begin_send(self, current)
                if under_way(self):
                    journey.due = None
                    return False
                self.move_on(self.now)
                return True
            case p.Branch(condition=condition, otherwise=otherwise):
                holds = condition.judge(self.scene())
                self.move_on(journey.since, "yes" if holds else "no", None if holds else otherwise)
                return True
            case p.Split():
                arm, first = take_arm(self, current)
                self.move_on(journey.since, arm, first)
                return True
            case p.Loop():
                self.turn(current)
                return True
            case p.Jump(target=target):
                self.move_on(journey.since, "", target)
                return True
            case p.Set(trait=trait, value=value):
                return self.set_trait(current, trait, to_json(value(self.scene())))
            case p.Emit(event=event, values=values):
                if not journey.holdout:
                    scene = self.scene()
                    fields = {name: to_json(value(scene)) for name, value in values}
                    fields = {name: value for name, value in fields.items() if value is not None}
                    self.effects.append(Emitted(event, fields, mint("emit", journey.key, journey.visit)))
                self.move_on(journey.since)
                return True
            case p.Stop():
                self.finish("stop")
                return False
            case _:
                assert_never(current)

    def turn(self, current: p.Loop) -> None:
        """Begin the next turn of a `repeat`, or go past it."""
        journey = self.journey
        begun = dict(journey.turns)
        turns = begun.pop(journey.step, 0)
        if turns < current.times and not (current.until is not None and current.until.judge(self.scene())):
            journey.turns = (*begun.items(), (journey.step, turns + 1))
            self.move_on(journey.since, f"turn {turns + 1}")
            return
        journey.turns = tuple(begun.items())
        self.move_on(journey.since, "done", current.done)

    def newest(self, condition: p.Condition) -> int:
        """The last arrival known of the events a ``wait for next`` names: of those at the very instant it is reached,
        only later ones count."""
        newest: int = self.journey.order
        for event in condition.events:
            for past in self.customer.past(event, self.journey.since):
                newest = max(newest, past.order)
        return newest

    def wait(self, until: Instant, outcome: str = "") -> bool:
        if until <= self.now:
            self.move_on(max(until, self.journey.since), outcome)  # a date long past is no moment to count from
            return True
        self.journey.due = until
        return False

    def wait_until(self, current: p.WaitUntil) -> bool:
        moment = self.find_moment(current, self.now)
        if isinstance(moment, str):
            self.leave(moment)
            return False
        return self.wait(moment)

    def find_moment(self, current: p.WaitUntil, reached: Instant) -> Instant | str:
        """The moment that a wait which was reached at an instant waits for, or why the journey exits instead."""
        return find_moment(current.moment, self.read_moment(current, reached), self.customer, reached)

    def read_moment(self, current: p.WaitUntil, reached: Instant) -> Instant | None:
        """The date of a wait that has one, with `now` as the instant at which it was reached."""
        value = current.date(self.scene(reached)) if current.date is not None else None
        if isinstance(value, m.Day):
            value = read_date(value.iso, self.customer.zone)
        return Instant(value) if isinstance(value, int) and not isinstance(value, bool) else None

    def look_again(self, current: p.WaitUntil) -> None:
        """A trait changed that the moment of the current wait hangs on."""
        date = self.read_moment(current, self.reached)
        moment = find_again(current.moment, date, self.customer, self.reached, self.now)
        if isinstance(moment, str):
            self.leave(moment)
        elif moment > self.now:
            self.journey.due = moment
        else:
            self.move_on(self.now)
            self.run()

    def set_trait(self, current: p.Set, trait: str, value: Any) -> bool:
        if not self.journey.holdout:
            self.customer = self.customer.with_trait(trait, value)
            self.effects.append(SetTrait(trait, value))
            for index in current.guards:
                if trait in self.program.guards[index].condition.traits and exit_if(self, index):
                    return False
        self.move_on(self.journey.since)
        return True
