"""The laws of the engine.

1. What affects a journey lives here and in `segue.engine.admit`. This room knows no clock, no randomness, no I/O: the
   same journey, input and facts give the same outcome, on any machine, at any time.
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
7. Steps only jump forward: a call ends after at most as many steps as the program has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

import msgspec

from segue.api import Instant
from segue.api.values import DAY
from segue.engine.journey import (
    Arrived,
    Changed,
    Claimed,
    Decide,
    Effect,
    Emitted,
    Input,
    Journey,
    Merged,
    Note,
    Pass,
    Reported,
    Sending,
    Settled,
    SetTrait,
    State,
    Trace,
    Withdraw,
    Woken,
    mint,
)
from segue.engine.moments import find_moment
from segue.language import model as m
from segue.program import program as p
from segue.program.calendar import (
    add,
    add_elapsed,
    read_date,
)
from segue.program.facts import Customer, Reaction, Scene
from segue.program.values import to_json

_MOST_REACTIONS = 200
"""Reactions kept per journey: a link scanner's thousand clicks are one fact, not a thousand rows to carry."""


def step(
    program: p.Program, journey: Journey, happening: Input, customer: Customer, now: Instant, *, goals: bool = True
) -> tuple[Journey, list[Effect]]:
    """What one input does to one journey: the journey afterwards, and the effects in order.

    ``goals`` is False where another, later journey of the rule is the one this event may convert.
    """
    after = _Passage(program, journey, customer, now)
    match happening:
        case Arrived(name=name, at=at, fields=fields):
            if goals:
                after.meet_goal(name in program.watched and _named(program, name), at, fields)
            if after.inside and name in program.watched:
                after.notice(lambda condition: name in condition.events)
        case Changed(traits=traits):
            if goals and program.goal is not None:
                after.meet_goal(bool(program.goal.condition.traits & traits), now, {})
            if after.inside and program.watched_traits & traits:
                after.notice(lambda condition: bool(condition.traits & traits), traits)
        case Woken():
            after.wake()
        case Settled(key=key, how=how, reason=reason):
            after.settle(key, how, reason)
        case Reported():
            after.report(happening, goals)
        case Claimed():
            if after.inside:
                after.judge_guards(volatile_only=True)
        case Merged():
            if after.inside:
                after.notice(lambda _: True, program.watched_traits)
        case _:
            assert_never(happening)
    return after.journey, after.effects


def begin(program: p.Program, journey: Journey, customer: Customer, now: Instant) -> tuple[Journey, list[Effect]]:
    """The first steps of a journey that `segue.engine.admit` let in."""
    after = _Passage(program, journey, customer, now)
    after.effects.append(Note("entered", journey.entered))
    if program.rule.until is not None:
        after.judge_guards(only=(0,))
    after.run()
    return after.journey, after.effects


def end(journey: Journey, state: State, reason: str, now: Instant) -> tuple[Journey, list[Effect]]:
    """The journey ended from outside: restarted, its rule removed, merged, or failed by an error in a step."""
    ended = msgspec.structs.replace(journey, state=state, reason=reason, ended=now, due=closing(journey, now))
    decision: Effect = Note("failed" if state == "failed" else "exited", now, reason)
    return ended, [decision, Withdraw(reason)]


def closing(journey: Journey, now: Instant) -> Instant | None:
    """When a journey that ends now is done with for good: a day after its goal's window, so that a late event still
    converts; None at once. One that converted stays as well: it is still the latest of its rule, so that a second event
    does not fall to an older one."""
    if journey.goal_until is None or journey.goal_until + DAY <= now:
        return None
    return Instant(journey.goal_until + DAY)


def _named(program: p.Program, event: str) -> bool:
    return program.goal is not None and event in program.goal.condition.events


class _Passage:
    """One call: a copy of the journey under way, and the effects so far."""

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

    # Scenes

    def scene(self, now: Instant | None = None, *, forward: bool = False) -> Scene:
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

    # Guards, waits and goals, watched

    def notice(self, concerned: Any, traits: frozenset[str] = frozenset()) -> None:
        """Something changed: judge the guards it concerns, then the wait the journey is at."""
        current = self.current()
        if current is None:
            return
        for index in current.guards:
            if concerned(self.program.guards[index].condition) and self.exit_if(index):
                return
        if isinstance(current, p.WaitFor) and concerned(current.condition):
            if current.condition.judge(self.scene(forward=current.next)):
                self.move_on(self.now, "true")
                self.run()
        elif isinstance(current, p.WaitUntil) and current.traits & traits:
            self.journey.since = self.now  # the wait begins anew with the new date, and may be over at once
            self.run()

    def judge_guards(self, *, volatile_only: bool = False, only: tuple[int, ...] | None = None) -> bool:
        """Whether a guard over the current step ended the journey."""
        current = self.current()
        indices = only if only is not None else (current.guards if current is not None else ())
        guards = self.program.guards
        for index in indices:  # noqa: SIM110 - a generator costs as much as the whole check
            if (not volatile_only or guards[index].condition.volatile) and self.exit_if(index):
                return True
        return False

    def exit_if(self, index: int) -> bool:
        guard = self.program.guards[index]
        if not guard.condition.judge(self.scene()):
            return False
        self.leave(guard.reason)
        return True

    def meet_goal(self, concerned: bool, at: Instant, fields: Mapping[str, Any]) -> None:
        journey, goal = self.journey, self.program.goal
        if not concerned or goal is None or journey.converted is not None or journey.goal_until is None:
            return
        if at > journey.goal_until or at < journey.entered:
            return
        if not goal.condition.judge(self.scene(min(self.now, journey.goal_until))):
            return
        journey.converted = at
        if goal.worth is not None and (value := fields.get(goal.worth)) is not None:
            currency = fields.get("currency") or self.customer.currency
            journey.worth = f"{value} {currency}" if isinstance(value, (int, float, str)) else None
        self.effects.append(Note("converted", at, goal.condition.text))

    # Inputs

    def wake(self) -> None:
        journey = self.journey
        if journey.due is None or journey.due > self.now:
            return  # an early wake changes nothing
        if not self.inside:
            journey.due = None  # the goal's window is over
            return
        current = self.current()
        if current is None or self.judge_guards(volatile_only=True):
            return
        self.move_on(journey.due, "limit" if isinstance(current, p.WaitFor) else "")
        self.run()

    def settle(self, key: str, how: str, reason: str) -> None:
        sending = self.find(key)
        if sending is None or sending.settled or not self.inside:
            return
        if how in ("skipped", "failed") and self.fall_back(sending, settled=True):
            return
        self.replace(sending, settled=True)
        journey = self.journey
        if sending.step != journey.step or sending.visit != journey.visit or self.under_way():
            return
        self.move_on(self.now)
        self.run()

    def report(self, reported: Reported, goals: bool) -> None:
        journey = self.journey
        sending = self.find(reported.key)
        if reported.what == "undelivered" and sending is not None and self.inside and self.now <= sending.until:
            if sending.settled:
                self.fall_back(sending, settled=True)
            else:
                self.settle(reported.key, "failed", "undelivered")
        reaction = Reaction(reported.what, reported.channel, reported.message, reported.at, reported.key)
        if len(journey.reactions) >= _MOST_REACTIONS or reaction in journey.reactions:
            return
        journey.reactions = (*journey.reactions, reaction)
        goal = self.program.goal
        if goals and goal is not None:
            self.meet_goal(goal.condition.reactions, reported.at, {})
        if self.inside:
            self.notice(lambda condition: condition.reactions)

    # Sends

    def find(self, key: str) -> Sending | None:
        return next((sending for sending in self.journey.sends if sending.key == key), None)

    def replace(self, sending: Sending, *, settled: bool) -> None:
        changed = msgspec.structs.replace(sending, settled=settled)
        self.journey.sends = tuple(changed if one.key == sending.key else one for one in self.journey.sends)

    def under_way(self) -> bool:
        visit = self.journey.visit
        for sending in self.journey.sends:  # noqa: SIM110 - as above
            if sending.visit == visit and not sending.settled:
                return True
        return False

    def fall_back(self, sending: Sending, *, settled: bool) -> bool:
        """Decide the next alternative of a message that failed for good; False where there is none.
        Each is tried once."""
        if any(
            one.visit == sending.visit and one.group == sending.group and one.alternative > sending.alternative
            for one in self.journey.sends
        ):
            return False
        target = self.program.steps[sending.step]
        if not isinstance(target, p.Send):
            return False
        group = target.together[sending.group]
        for number in range(sending.alternative + 1, len(group)):
            if self.customer.refusal(group[number].channel, group[number].kind) is None:
                self.replace(sending, settled=settled)
                self.decide(sending.step, sending.visit, sending.group, number, group[number])
                return True
        return False

    def decide(self, number: int, visit: int, group: int, place: int, alternative: p.Alternative) -> None:
        expires = add_elapsed(self.now, alternative.within, self.customer.zone)
        key = self.message_key(visit, group, place, alternative.channel)
        values = {}
        if alternative.values:
            scene = self.scene()
            values = {name: to_json(value(scene)) for name, value in alternative.values}
        self.journey.sends = (*self.journey.sends, Sending(key, number, visit, group, place, expires))
        self.effects.append(Decide(key, alternative.channel, alternative.message, alternative.kind, expires, values))

    def message_key(self, visit: int, group: int, place: int, channel: str) -> str:
        return mint("message", self.journey.key, visit, group, place, channel)

    # Moving through the program

    def current(self) -> p.AnyStep | None:
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

    def run(self) -> None:
        """Take steps until one blocks or the journey ends."""
        steps, journey = self.program.steps, self.journey
        while journey.state == "inside":
            if journey.step >= len(steps):
                self.finish("")
                return
            current = steps[journey.step]
            if current.guards and self.judge_reached(current):
                return
            if not self.take(current):
                return

    def judge_reached(self, current: p.AnyStep) -> bool:
        guards = self.program.guards
        for index in current.guards:
            if (index == current.reached or guards[index].condition.volatile) and self.exit_if(index):
                return True
        return False

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
                return self.send(current)
            case p.Branch(condition=condition, otherwise=otherwise):
                holds = condition.judge(self.scene())
                self.move_on(journey.since, "yes" if holds else "no", None if holds else otherwise)
                return True
            case p.Jump(target=target):
                self.move_on(journey.since, "", target)
                return True
            case p.Set(trait=trait, value=value):
                return self.set_trait(current, trait, to_json(value(self.scene())))
            case p.Emit(event=event, values=values):
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

    def newest(self, condition: p.Condition) -> int:
        """The last arrival known of the events a ``wait for next`` names: of those at the very instant it is reached,
        only later ones count."""
        newest: int = self.journey.order
        for event in condition.events:
            for past in self.customer.history.get(event, ()):
                newest = max(newest, past.order)
        return newest

    def wait(self, until: Instant, outcome: str = "") -> bool:
        if until <= self.now:
            self.move_on(max(until, self.journey.since), outcome)  # a date long past is no moment to count from
            return True
        self.journey.due = until
        return False

    def wait_until(self, current: p.WaitUntil) -> bool:
        moment = find_moment(current.moment, self.date_of(current), self.customer.zone, self.now)
        if isinstance(moment, str):
            self.leave(moment)
            return False
        return self.wait(moment)

    def date_of(self, current: p.WaitUntil) -> Instant | None:
        value = current.date(self.scene()) if current.date is not None else None
        if isinstance(value, m.Day):
            return read_date(value.iso, self.customer.zone)
        return Instant(value) if isinstance(value, int) and not isinstance(value, bool) else None

    def send(self, current: p.Send) -> bool:
        journey = self.journey
        for number, group in enumerate(current.together):
            refusals = []
            for place, alternative in enumerate(group):
                refusal = self.customer.refusal(alternative.channel, alternative.kind)
                if refusal is None:
                    self.decide(journey.step, journey.visit, number, place, alternative)
                    break
                refusals.append(refusal)
            else:
                first = group[0]
                key = self.message_key(journey.visit, number, 0, first.channel)
                reason = "; ".join(dict.fromkeys(refusals))
                self.effects.append(Pass(key, first.channel, first.message, first.kind, reason))
        if self.under_way():
            journey.due = None
            return False
        self.move_on(self.now)
        return True

    def set_trait(self, current: p.Set, trait: str, value: Any) -> bool:
        self.customer = self.customer.with_trait(trait, value)
        self.effects.append(SetTrait(trait, value))
        for index in current.guards:
            if trait in self.program.guards[index].condition.traits and self.exit_if(index):
                return False
        self.move_on(self.journey.since)
        return True

    # Endings

    def finish(self, reason: str) -> None:
        journey = self.journey
        journey.state, journey.reason, journey.ended, journey.due = (
            "finished",
            reason,
            self.now,
            closing(journey, self.now),
        )
        self.effects.append(Note("finished", self.now, reason))

    def leave(self, reason: str) -> None:
        journey = self.journey
        journey.state, journey.reason, journey.ended, journey.due = (
            "exited",
            reason,
            self.now,
            closing(journey, self.now),
        )
        self.effects.append(Note("exited", self.now, reason))
        self.effects.append(Withdraw(reason))
