"""Journeys, as generators that walk the tree of their rule."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, assert_never
from zoneinfo import ZoneInfo

import msgspec

from segue.language import model as m
from tests.engine.reference.clock import clock_time, inside_window, next_clock, on_wall, shift
from tests.engine.reference.conditions import Scene, value_of
from tests.engine.reference.people import BEST_MINUTE, PREFERENCE, Line, Message, Past, Person

if TYPE_CHECKING:
    pass


class Exit(Exception):
    """The journey leaves."""


class Stop(Exception):
    """The journey finishes."""


Walk = Generator[None, str, None]


class Journey:
    """One passage. The walk stands still at a ``yield`` and is sent what happens: ``wake``, ``settled``, ``event:NAME``
    or ``trait:NAME``."""

    def __init__(self, person: Person, rule: m.Rule, trigger: Past, number: int, value: str | None) -> None:
        self.world = person.world
        self.person = person
        self.rule = rule
        self.trigger = trigger
        self.number = number
        self.value = value
        self.state = "inside"
        self.since = trigger.at
        self.due: datetime | None = None
        self.over: tuple[tuple[str, m.Expression], ...] = ()
        self.messages: list[Message] = []
        self.later: list[tuple[str, Any]] = []
        self.converted = False
        self.holdout = person.is_among(rule.holdout, rule.name, "holdout")
        self.walk = self.passage()

    @property
    def goal_until(self) -> datetime | None:
        if self.rule.goal is None:
            return None
        return shift(self.trigger.at, self.rule.goal.within, self.world.zone_at_entry(self), calendar=False)

    def scene(self, now: datetime | None = None) -> Scene:
        start = (self.trigger.at, self.trigger.order)
        return Scene(self.person, now or self.world.now, self.trigger, start, self.rule.per, self.value)

    def record(self, decision: str, at: datetime | None = None, **more: str) -> None:
        line = Line(at or self.world.now, self.person.key, self.rule.name, self.number, decision, **more)
        self.world.lines.append(line)

    def passage(self) -> Walk:
        self.record("entered", self.trigger.at)
        try:
            if self.rule.until is not None:
                self.over = (("until", self.rule.until),)
            self.judge()
            yield from self.block(self.rule.steps)
        except Exit as reason:
            self.end("exited", str(reason))
        except Stop:
            self.end("finished")
        else:
            self.end("finished")

    def end(self, state: str, reason: str = "") -> None:
        self.state, self.due = state, None
        self.record(state, reason=reason)
        if state == "exited":
            for message in self.messages:
                if message.state == "decided":
                    message.state = "settled"
                    self.world.record_message(message, "skipped", "the journey ended")

    def judge(self, about: str | None = None) -> None:
        """Judge the guards over this place: all of them, or those that name what changed."""
        for word, condition in self.over:
            if (about is None or about in self.world.names(condition)) and value_of(condition, self.scene()):
                raise Exit(word)

    def block(self, steps: Sequence[m.Step]) -> Walk:
        outside = self.over
        for step in steps:
            unless = getattr(step, "unless", None)
            if unless is not None:
                self.over = (*self.over, ("unless", unless))
            self.judge()
            yield from self.take(step)
        self.over = outside

    def take(self, step: m.Step) -> Walk:
        zone = self.person.zone
        match step:
            case m.Wait(period=period):
                yield from self.sleep(shift(self.since, period, zone))
            case m.WaitUntil(moment=moment):
                yield from self.wait_until(moment)
            case m.WaitFor():
                yield from self.wait_for(step)
            case m.Send():
                yield from self.send(step)
            case m.If(branches=branches, otherwise=otherwise):
                chosen = next((one.steps for one in branches if value_of(one.condition, self.scene())), otherwise)
                yield from self.block(chosen)
            case m.Split():
                yield from self.block(self.person.arm(self.rule.name, step).steps)
            case m.Repeat(times=times, steps=steps, until=until):
                for _ in range(times):
                    self.judge()
                    if until is not None and value_of(until, self.scene()):
                        break
                    yield from self.block(steps)
            case m.Set() | m.Emit() if self.holdout:
                pass
            case m.Set(trait=trait, value=node):
                if not any(what == "set" and detail[0] == trait for what, detail in self.later):
                    self.later.append(("set", (trait, self.person.traits.get(trait))))
                self.world.set_trait(self.person, trait, value_of(node, self.scene()))
                self.judge(f"trait:{trait}")
            case m.Emit(event=event, values=values):
                fields = {name: value_of(node, self.scene()) for name, node in values}
                self.later.append(("emit", (event, {k: v for k, v in fields.items() if v is not None})))
            case m.Stop():
                raise Stop
            case _:
                assert_never(step)

    def sleep(self, until: datetime) -> Walk:
        """Stand still until an instant; the next step is then reached at that instant."""
        if until > self.world.now:
            self.due = until
            while (happening := (yield)) != "wake":
                self.judge(happening)
            self.judge()
        self.due = None
        self.since = max(self.since, until)

    def wait_until(self, moment: m.Moment) -> Walk:
        until = self.moment_of(moment)
        happening = "" if until > self.world.now else "wake"
        while happening != "wake":
            self.due = until
            happening = yield
            self.judge(None if happening == "wake" else happening)
            if isinstance(moment, (m.AtDate, m.Offset)) and happening in self.world.names(moment.date):
                self.since = self.world.now
                self.judge()
                until = self.moment_of(moment)
                happening = "" if until > self.world.now else "wake"
        self.due = None
        self.since = max(self.since, until)

    def moment_of(self, moment: m.Moment) -> datetime:
        now, zone = self.world.now, self.person.zone
        match moment:
            case m.AtClock(clock=clock, day=day, date=written, zone=named):
                place = ZoneInfo(named) if named else zone
                if written is not None:
                    return on_wall(date.fromisoformat(written.iso), clock_time(clock), place)
                return next_clock(now, clock, day, place)
            case m.InWindow(start=start, end=end, zone=named):
                place = ZoneInfo(named) if named else zone
                return now if inside_window(now, start, end, place) else next_clock(now, start, None, place)
            case m.BestTime():
                start, end = m.Clock(BEST_MINUTE), m.Clock(BEST_MINUTE + 60)
                return now if inside_window(now, start, end, zone) else next_clock(now, start, None, zone)
            case m.AtDate(date=node):
                return self.date_of(node)
            case m.Offset(period=period, direction=direction, date=node, clock=clock_, zone=named):
                place = ZoneInfo(named) if named else zone
                found = shift(self.date_of(node), period, place, -1 if direction == "before" else 1)
                if clock_ is not None:
                    found = on_wall(found.astimezone(place).date(), clock_time(clock_), place)
                if direction == "before" and found < now:
                    raise Exit("before")
                return found
            case _:
                assert_never(moment)

    def date_of(self, node: m.Expression) -> datetime:
        value = value_of(node, self.scene())
        if isinstance(value, m.Day):
            return on_wall(date.fromisoformat(value.iso), time(), self.person.zone)
        if not isinstance(value, datetime):
            raise Exit("missing")
        return value

    def wait_for(self, step: m.WaitFor) -> Walk:
        start = (self.since, self.world.arrived) if step.next else (self.trigger.at, self.trigger.order)

        def holds() -> bool:
            return bool(value_of(step.condition, msgspec.structs.replace(self.scene(), start=start)))

        limit = shift(self.since, step.up_to, self.person.zone)
        if holds():
            self.since = self.world.now
            return
        if limit > self.world.now:
            self.due = limit
            while (happening := (yield)) != "wake":
                self.judge(happening)
                if happening in self.world.names(step.condition) and holds():
                    self.due, self.since = None, self.world.now
                    return
            self.judge()
        self.due = None
        self.since = max(self.since, limit)

    def send(self, step: m.Send) -> Walk:
        under_way = []
        for number, group in enumerate(step.together):
            for place, delivery in enumerate(group):
                if channel := self.channel_for(delivery, ()):
                    message = Message(self, delivery, channel, number, place)
                    if self.holdout:
                        self.world.record_message(message, "skipped", "holdout")
                    else:
                        under_way.append(self.decide(message))
                    break
            else:
                unreachable = Message(self, group[0], group[0].channel or "preferred", number, 0, "settled")
                self.world.record_message(unreachable, "skipped", "no channel reaches")
        while any(message.state != "settled" for message in under_way):
            happening = yield
            self.judge(happening)
            for message in list(under_way):
                if message.state == "failed":
                    message.state = "settled"
                    group = step.together[message.group]
                    tried = [other.channel for other in under_way if other.group == message.group]
                    for place in range(message.place + 1, len(group)):
                        if channel := self.channel_for(group[place], tried):
                            under_way.append(self.decide(Message(self, group[place], channel, message.group, place)))
                            break
        self.since = self.world.now

    def channel_for(self, delivery: m.Delivery, tried: Sequence[str]) -> str:
        """The channel that takes a message, "" where none reaches the customer."""
        wanted = PREFERENCE if delivery.channel is None else (delivery.channel,)
        for channel in wanted:
            if channel not in tried and not self.person.refusal(channel, delivery.kind):
                return channel
        return ""

    def decide(self, message: Message) -> Message:
        self.messages.append(message)
        self.world.outbox.append(message)
        return message
