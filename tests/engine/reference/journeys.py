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
Place = tuple[Any, ...]
"""Where a journey stands: the number of a step, which block of it, the number of a step in that …"""


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
        self.path: list[Any] = []
        self.start: tuple[datetime, int] = (trigger.at, trigger.order)
        self.under_way: list[Message] = []
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

    def passage(self, place: Place = ()) -> Walk:
        if not place:
            self.record("entered", self.trigger.at)
        try:
            if self.rule.until is not None:
                self.over = (("until", self.rule.until),)
            if not place:
                self.judge()
            yield from self.block(self.rule.steps, None, place)
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

    def block(self, steps: Sequence[m.Step], key: object = None, place: Place = ()) -> Walk:
        """The steps of a block, from a place in it on. ``path`` says meanwhile where the journey stands: the number of
        the step in each block, and between them which block of that step it is in."""
        outside, depth = self.over, len(self.path)
        self.path += [key, 0]
        first = place[0] if place else 0
        for number, step in enumerate(steps):
            unless = getattr(step, "unless", None)
            if unless is not None:
                self.over = (*self.over, ("unless", unless))
            if number < first:
                continue
            self.path[-1] = number
            if not place:
                self.judge()
                yield from self.take(step)
            elif len(place) == 1:
                self.judge()
                yield from self.go_on(step)
            else:
                yield from self.enter(step, place[1], place[2:])
            place = ()
        self.over = outside
        del self.path[depth:]

    def follow(self, rule: m.Rule) -> None:
        """Go on in another text of the rule, with the same steps, at the very place."""
        place = tuple(self.path[1:])
        self.walk.close()
        self.rule, self.path, self.over = rule, [], ()
        self.walk = self.passage(place)

    def take(self, step: m.Step) -> Walk:
        zone = self.person.zone
        match step:
            case m.Wait(period=period):
                yield from self.sleep(shift(self.since, period, zone))
            case m.WaitUntil(moment=moment):
                yield from self.wait_until(moment, self.moment_of(moment))
            case m.WaitFor():
                self.start = (self.since, self.world.arrived) if step.next else (self.trigger.at, self.trigger.order)
                if self.holds(step):
                    self.since = self.world.now
                else:
                    yield from self.wait_for(step, shift(self.since, step.up_to, self.person.zone))
            case m.Send():
                yield from self.send(step)
            case m.If(branches=branches):
                ways = (number for number, one in enumerate(branches) if value_of(one.condition, self.scene()))
                yield from self.enter(step, next(ways, len(branches)))
            case m.Split():
                yield from self.enter(step, self.person.arm(self.rule.name, step).name)
            case m.Repeat():
                yield from self.turns(step, 0)
            case m.Set() | m.Emit() if self.holdout:
                pass
            case m.Set(trait=trait, value=node):
                if not any(what == "set" and detail[0] == trait for what, detail in self.later):
                    self.later.append(("set", (trait, self.person.traits.get(trait))))
                self.world.set_trait(self.person, trait, value_of(node, self.scene()), (self.world.now, True, ""))
                self.judge(f"trait:{trait}")
            case m.Emit(event=event, values=values):
                fields = {name: value_of(node, self.scene()) for name, node in values}
                self.later.append(("emit", (event, {k: v for k, v in fields.items() if v is not None})))
            case m.Stop():
                raise Stop
            case _:
                assert_never(step)

    def enter(self, step: m.Step, key: Any, place: Place = ()) -> Walk:
        """One block of a step, from a place in it on."""
        match step:
            case m.If(branches=branches, otherwise=otherwise):
                inside = branches[key].steps if key < len(branches) else otherwise
                yield from self.block(inside, key, place)
            case m.Split(arms=arms):
                yield from self.block(next(arm.steps for arm in arms if arm.name == key), key, place)
            case m.Repeat(steps=steps):
                yield from self.block(steps, key, place)
                yield from self.turns(step, key + 1)
            case _:
                raise AssertionError(step)

    def turns(self, step: m.Repeat, begun: int) -> Walk:
        for turn in range(begun, step.times):
            self.judge()
            if step.until is not None and value_of(step.until, self.scene()):
                return
            yield from self.block(step.steps, turn)

    def go_on(self, step: m.Step) -> Walk:
        """Stand on at a step that another text may have given another duration."""
        now, zone = self.world.now, self.person.zone
        match step:
            case m.Wait(period=period):
                until = shift(self.since, period, zone)
                if until <= now:
                    self.since, self.due = now, None
                else:
                    yield from self.sleep(until)
            case m.WaitUntil(moment=moment):
                assert self.due is not None
                yield from self.wait_until(moment, self.due)
            case m.WaitFor(up_to=up_to):
                limit = shift(self.since, up_to, zone)
                if limit <= now or self.holds(step):
                    self.since, self.due = now, None
                else:
                    yield from self.wait_for(step, limit)
            case m.Send():
                yield from self.settle(step)
            case _:
                raise AssertionError("no journey stands there")

    def sleep(self, until: datetime) -> Walk:
        """Stand still until an instant; the next step is then reached at that instant."""
        if until > self.world.now:
            self.due = until
            while (happening := (yield)) != "wake":
                self.judge(happening)
            self.judge()
        self.due = None
        self.since = max(self.since, until)

    def wait_until(self, moment: m.Moment, until: datetime) -> Walk:
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

    def holds(self, step: m.WaitFor) -> bool:
        return bool(value_of(step.condition, msgspec.structs.replace(self.scene(), start=self.start)))

    def wait_for(self, step: m.WaitFor, limit: datetime) -> Walk:
        if limit > self.world.now:
            self.due = limit
            while (happening := (yield)) != "wake":
                self.judge(happening)
                if happening in self.world.names(step.condition) and self.holds(step):
                    self.due, self.since = None, self.world.now
                    return
            self.judge()
        self.due = None
        self.since = max(self.since, limit)

    def send(self, step: m.Send) -> Walk:
        self.under_way = []
        for number, group in enumerate(step.together):
            for place, delivery in enumerate(group):
                if channel := self.channel_for(delivery, ()):
                    message = Message(self, delivery, channel, number, place)
                    if self.holdout:
                        self.world.record_message(message, "skipped", "holdout")
                    else:
                        self.under_way.append(self.decide(message))
                    break
            else:
                unreachable = Message(self, group[0], group[0].channel or "preferred", number, 0, "settled")
                self.world.record_message(unreachable, "skipped", "no channel reaches")
        yield from self.settle(step)

    def settle(self, step: m.Send) -> Walk:
        """Stand still until every hand-over of the send is settled."""
        under_way = self.under_way
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
