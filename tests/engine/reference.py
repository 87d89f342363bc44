"""A second reading of language.md: slow, small and meant to be obviously right.

It shares nothing with the engine but the model of rules. A journey is a Python generator that walks the tree of its
rule, and stands still where the journey waits; every condition walks its tree over the whole list of the customer's
events. Nothing is compiled, numbered, indexed or remembered.

Where the language is silent these choices are made:

- at one instant arrivals come first, then answers, then waits that end, then sends; waits in the order in which their
  journeys began;
- what a journey emits, or sets for others to see, reaches them once the journey has gone as far as it can, and before
  the event behind it goes on to other journeys and rules;
- what a journey sets itself does not meet its own goal;
- ``wait until`` a clock time or a window looks for the next one from the moment at which it is really reached, also
  after a late event;
- of two journeys of a rule that began at one instant, the later begun is the latest;
- a share, and an arm, hang on a hash of the customer, the rule and the use (`at_share`);
- who is in no share of a rollout is told so last, before anything changes for those inside;
- `preferred` and the channels after it never try one channel twice.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from hashlib import blake2b
from typing import Any, assert_never
from zoneinfo import ZoneInfo

import msgspec

from segue.api import Event, Period
from segue.language import model as m

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CHAIN = 8
STALE = timedelta(hours=24)
PREFERENCE = ("push", "sms", "email")
"""The channels with content, in the order in which customers prefer them."""
WATCHED = timedelta(days=3)
"""How long after the last event time may lead customers into segments and out of them."""

ZONES = ("UTC", "Europe/Paris", "Australia/Lord_Howe", "America/New_York")
"""Where customers live who say so."""

BEST_MINUTE = 600
"""When customers answer most: from ten to eleven."""


def at_share(*use: str) -> Fraction:
    """Where a customer stands among all, from 0 to 1, for a use."""
    text = "".join(f"{len(part)}:{part}" for part in use)
    return Fraction(int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big"), 2**64)


# Time


def moment_of(instant: int) -> datetime:
    return _EPOCH + timedelta(microseconds=instant)


def shift(moment: datetime, period: Period, zone: ZoneInfo, sign: int = 1, *, calendar: bool = True) -> datetime:
    """``moment`` and a period: months and days by the wall clock. Without ``calendar`` a day is 24 hours."""
    days = period.days if calendar else 0
    elapsed = timedelta(microseconds=period.micros, days=0 if calendar else period.days)
    if period.months or days:
        wall = moment.astimezone(zone)
        year, month, day = wall.year, wall.month, wall.day
        for _ in range(period.months):
            month += sign
            if month in (0, 13):
                year, month = year + (1 if month == 13 else -1), 1 if month == 13 else 12
        day = min(day, monthrange(year, month)[1])
        moment = on_wall(date(year, month, day) + sign * timedelta(days=days), wall.time(), zone)
    return moment + sign * elapsed


def on_wall(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The first instant at which the wall clock shows this; where it never does, moved forward by the gap."""
    moment = datetime.combine(day, clock, tzinfo=UTC)
    found = []
    for offset in {(moment + timedelta(hours=hour)).astimezone(zone).utcoffset() for hour in range(-30, 31)}:
        assert offset is not None
        candidate = moment - offset
        if candidate.astimezone(zone).replace(tzinfo=None) == moment.replace(tzinfo=None):
            found.append(candidate)
    if found:
        return min(found)
    before = (moment - timedelta(hours=30)).astimezone(zone).utcoffset()
    assert before is not None
    return moment - before


def next_clock(moment: datetime, clock: m.Clock, day: int | str | None, zone: ZoneInfo) -> datetime:
    today = moment.astimezone(zone).date()
    shown = time(clock.minute // 60, clock.minute % 60)
    if day == "tomorrow":
        return on_wall(today + timedelta(days=1), shown, zone)
    ahead = 0
    while True:
        there = today + timedelta(days=ahead)
        candidate = on_wall(there, shown, zone)
        if candidate > moment and (day is None or there.weekday() == day):
            return candidate
        ahead += 1


def clock_time(clock: m.Clock) -> time:
    return time(clock.minute // 60, clock.minute % 60)


def comes(recurrence: m.Weekdays | m.Monthly, day: date) -> bool:
    if isinstance(recurrence, m.Weekdays):
        return day.weekday() in recurrence.days
    return day.day == min(recurrence.day, monthrange(day.year, day.month)[1])


def inside_window(moment: datetime, start: m.Clock, end: m.Clock, zone: ZoneInfo) -> bool:
    wall = moment.astimezone(zone)
    minute = wall.hour * 60 + wall.minute
    if start.minute == end.minute:
        return True
    if start.minute < end.minute:
        return start.minute <= minute < end.minute
    return minute >= start.minute or minute < end.minute


# What is known


class Past(msgspec.Struct):
    name: str
    at: datetime
    order: int
    fields: dict[str, Any]


class Line(msgspec.Struct, frozen=True, order=True):
    """A decision. ``journey`` counts the customer's journeys of the rule; 0 for what belongs to none."""

    at: datetime
    customer: str
    rule: str
    journey: int
    decision: str
    channel: str = ""
    message: str = ""
    reason: str = ""


class Message(msgspec.Struct, eq=False):
    journey: Journey
    delivery: m.Delivery
    channel: str
    group: int
    place: int
    state: str = "decided"


class Person:
    def __init__(self, world: World, key: str) -> None:
        self.world = world
        self.key = key
        self.traits: dict[str, Any] = {}
        self.withdrawn: set[tuple[str, str]] = set()
        self.events: list[Past] = []
        self.journeys: list[Journey] = []
        self.members = dict.fromkeys(world.segments, False)
        self.crossings: dict[str, datetime] = {}
        self.dates: dict[str, datetime] = {}

    @property
    def zone(self) -> ZoneInfo:
        named = self.traits.get("timezone")
        return ZoneInfo(named) if named else self.world.zone

    def refusal(self, channel: str, kind: str) -> str:
        address = self.world.addresses[channel]
        if address is not None and not self.traits.get(address):
            return f"no {address}"
        if (channel, kind) in self.withdrawn:
            return "consent withdrawn"
        return ""

    def is_among(self, percent: Decimal | None, rule: str, use: str) -> bool:
        return percent is not None and at_share(self.key, rule, use) < Fraction(percent) / 100

    def arm(self, rule: str, split: m.Split) -> m.Arm:
        mark, reached = at_share(self.key, rule, split.name, "arm"), Fraction(0)
        for arm in split.arms:
            reached += Fraction(arm.percent) / 100
            if mark < reached:
                return arm
        raise AssertionError("the percentages of a split add up to 100")


class Exit(Exception):
    """The journey leaves."""


class Stop(Exception):
    """The journey finishes."""


# Conditions


class Scene(msgspec.Struct):
    """What a condition is judged against. ``start`` is where "since the journey began" begins: an instant and an order
    of arrival."""

    person: Person
    now: datetime
    trigger: Past
    start: tuple[datetime, int] | None
    per: str | None = None
    value: str | None = None
    subject: Past | None = None


def names(node: m.Expression | None, segments: Mapping[str, m.Expression]) -> set[str]:
    """Everything an expression names that can change by an input: ``event:ordered``, ``trait:vip``, ``name:lapsed``."""
    if isinstance(node, (m.Happened, m.Aggregate)):
        return {f"event:{node.event}"} | names(node.where, segments)
    if isinstance(node, m.InSegment):
        return {f"name:{node.name}"} | names(segments[node.name], segments)
    if isinstance(node, m.InRule):
        return {f"name:{node.name}"}
    if isinstance(node, m.Trait):
        return {f"trait:{node.name}"}
    if isinstance(node, m.CanGet):
        return {"reach"}
    found: set[str] = set()
    for part in () if node is None else (getattr(node, field) for field in node.__struct_fields__):
        for child in part if isinstance(part, tuple) else (part,):
            if isinstance(child, m.Node):
                found |= names(child, segments)  # type: ignore[arg-type]
    return found


def past_of(node: m.Happened | m.Aggregate, scene: Scene) -> list[Past]:
    chosen = []
    for past in sorted(scene.person.events, key=lambda one: (one.at, one.order)):
        if past.name != node.event or past.at > scene.now or past.order == scene.trigger.order:
            continue
        if node.window.since == "entry" and scene.start is not None:
            if (past.at, past.order) <= scene.start:
                continue
            if scene.per is not None and past.fields.get(scene.per) not in (None, "", scene.value):
                continue
        if node.window.since == "last":
            assert node.window.period is not None
            if past.at <= shift(scene.now, node.window.period, scene.person.zone, -1, calendar=False):
                continue
        if node.where is not None:
            inner = msgspec.structs.replace(scene, subject=past)
            if not value_of(node.where, inner):
                continue
        chosen.append(past)
    return chosen


def value_of(node: m.Expression, scene: Scene) -> Any:
    """The value of an expression; None is missing."""
    match node:
        case m.Literal_(value=value):
            return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value
        case m.Now():
            return scene.now
        case m.Weekday():
            return Decimal(scene.now.astimezone(scene.person.zone).weekday())
        case m.TriggerField(name=name, type=kind):
            return typed(scene.trigger.fields.get(name), kind, scene)
        case m.Trait(name=name, type=kind):
            return typed(scene.person.traits.get(name), kind, scene)
        case m.EventField(name=name, type=kind):
            assert scene.subject is not None
            return typed(scene.subject.fields.get(name), kind, scene)
        case m.Happened(times=times):
            return len(past_of(node, scene)) >= times
        case m.Aggregate():
            return aggregate(node, scene)
        case m.Compare(op=op, left=left, right=right):
            return compare(op, value_of(left, scene), value_of(right, scene))
        case m.Between(value=middle, low=low, high=high):
            found = value_of(middle, scene)
            return compare(">=", found, value_of(low, scene)) and compare("<=", found, value_of(high, scene))
        case m.OneOf(value=one, among=among):
            return any(compare("=", value_of(one, scene), value_of(choice, scene)) for choice in among)
        case m.TimeBetween(start=start, end=end, zone=zone):
            return inside_window(scene.now, start, end, ZoneInfo(zone) if zone else scene.person.zone)
        case m.Present(value=one):
            present = value_of(one, scene)
            return present is not None and present is not False
        case m.Not(value=one):
            return not value_of(one, scene)
        case m.All(parts=parts):
            return all(value_of(part, scene) for part in parts)
        case m.Any_(parts=parts):
            return any(value_of(part, scene) for part in parts)
        case m.Arithmetic(op=op, left=left, right=right):
            return calculate(op, value_of(left, scene), value_of(right, scene), scene.person.zone)
        case m.CanGet(channel=channel):
            return not scene.person.refusal(channel, "promotional")
        case m.InSegment(name=name):
            person = scene.person
            nobody = Past("", scene.now, -1, {})
            return bool(value_of(person.world.segments[name], Scene(person, scene.now, nobody, None)))
        case m.InRule(name=name):
            return any(one.state == "inside" and one.rule.name == name for one in scene.person.journeys)
        case m.Contains() | m.Reacted() | m.Coupon():
            raise NotImplementedError("not in the random programs")
        case _:
            assert_never(node)


def turning_points(node: m.Expression, person: Person, now: datetime) -> list[datetime]:
    """Instants after now, in order, at which a segment's condition could turn by time."""
    found: set[datetime] = set()
    waiting: list[m.Expression] = [node]
    while waiting:
        part = waiting.pop()
        match part:
            case m.Happened(event=event, window=m.Window(since="last", period=Period() as period)):
                found |= {
                    shift(past.at, period, person.zone, calendar=False) for past in person.events if past.name == event
                }
            case m.Compare(left=m.Now(), right=m.Trait()):
                date_ = value_of(part.right, Scene(person, now, Past("", now, -1, {}), None))
                found |= {date_, date_ + timedelta(microseconds=1)} if date_ is not None else set()
            case m.TimeBetween() | m.Compare(left=m.Weekday()):
                quarter = timedelta(minutes=15)
                begin = now - (now - _EPOCH) % quarter
                found |= {begin + quarter * number for number in range(1, 8 * 96)}
            case m.InSegment(name=name):
                waiting.append(person.world.segments[name])
            case m.Not(value=value):
                waiting.append(value)
            case m.All(parts=parts) | m.Any_(parts=parts):
                waiting += parts
            case _:
                pass
    return sorted(moment for moment in found if moment > now)


def typed(raw: Any, kind: str, scene: Scene) -> Any:
    if raw is None:
        return None
    if kind == "number":
        return Decimal(str(raw))
    if kind == "date":
        return read_date(raw, scene.person.zone)
    return raw


def read_date(raw: str, zone: ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(raw)
    return moment if moment.tzinfo is not None else on_wall(moment.date(), moment.time(), zone)


def aggregate(node: m.Aggregate, scene: Scene) -> Any:
    chosen = past_of(node, scene)
    if node.function == "count" or node.field is None:
        return Decimal(len(chosen))
    values = [typed(past.fields.get(node.field), node.type, scene) for past in chosen]
    values = [value for value in values if value is not None]
    if node.function == "sum":
        return sum(values, Decimal(0))
    if not values:
        return None
    match node.function:
        case "average":
            return sum(values, Decimal(0)) / len(values)
        case "min":
            return min(values)
        case "max":
            return max(values)
        case "first":
            return values[0]
        case "last":
            return values[-1]
        case _:
            assert_never(node.function)


def compare(op: str, left: Any, right: Any) -> bool:
    missing = left is None or right is None
    match op:
        case "=":
            return not missing and bool(left == right)
        case "!=":
            return missing or bool(left != right)
        case _ if missing:
            return False
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
        case ">=":
            return bool(left >= right)
        case _:
            raise AssertionError(op)


def calculate(op: str, left: Any, right: Any, zone: ZoneInfo) -> Any:
    if left is None or right is None:
        return None
    if isinstance(left, datetime) and isinstance(right, Period):
        return shift(left, right, zone, 1 if op == "+" else -1)
    assert isinstance(left, Decimal)
    assert isinstance(right, Decimal)
    return left + right if op == "+" else left - right if op == "-" else left * right


# Journeys

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
                    return on_wall(date.fromisoformat(written.iso), time(clock.minute // 60, clock.minute % 60), place)
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
                    shown = time(clock_.minute // 60, clock_.minute % 60)
                    found = on_wall(found.astimezone(place).date(), shown, place)
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


class World:
    """All customers on one virtual clock. ``addresses`` says which trait each channel needs; ``answers`` what a channel
    says, and how much later, to messages for a customer."""

    def __init__(
        self,
        rules: Sequence[m.Rule],
        zone: str,
        addresses: Mapping[str, str | None],
        answers: Mapping[tuple[str, str], tuple[str, timedelta]],
        segments: Mapping[str, m.Expression],
    ) -> None:
        self.segments = segments
        self.rules = sorted(rules, key=lambda rule: rule.name)
        self.zone = ZoneInfo(zone)
        self.addresses = addresses
        self.answers = answers
        self.people: dict[str, Person] = {}
        self.seen: set[str] = set()
        self.arrived = 0
        self.now = _EPOCH
        self.lines: list[Line] = []
        self.outbox: list[Message] = []
        self.in_flight: list[tuple[datetime, int, Message, str]] = []
        self.flights = 0
        self.zones: dict[int, ZoneInfo] = {}
        self.last_arrival = _EPOCH
        self.calendar: list[tuple[datetime, str, str]] = []
        self.begun: list[Journey] = []

    def zone_at_entry(self, journey: Journey) -> ZoneInfo:
        return self.zones.setdefault(id(journey), journey.person.zone)

    def names(self, node: m.Expression) -> set[str]:
        return names(node, self.segments)

    def run(self, arrivals: Sequence[tuple[datetime, Event]]) -> list[Line]:
        waiting = list(arrivals)
        self.last_arrival = waiting[-1][0]
        self.schedule(waiting[0][0] - timedelta(microseconds=1))
        while True:
            moments = [received for received, _ in waiting[:1]]
            moments += [journey.due for journey in self.journeys() if journey.due is not None]
            moments += [answered for answered, *_ in self.in_flight]
            moments += self.moments_to_come()
            if not moments:
                return self.lines
            self.now = min(moments)
            while waiting and waiting[0][0] <= self.now:
                self.arrive(waiting.pop(0)[1])
            self.answer()
            self.look_out()
            self.fan_out()
            while due := [
                journey for journey in self.journeys() if journey.due is not None and journey.due <= self.now
            ]:
                self.tell(due[0], "wake", 0)
            while self.outbox:
                self.send()

    def journeys(self) -> Iterator[Journey]:
        return iter(self.begun)

    # What comes in

    def arrive(self, event: Event) -> None:
        if event.message_id in self.seen:
            return
        self.seen.add(event.message_id)
        assert event.user_id is not None
        new = event.user_id not in self.people
        person = self.people.setdefault(event.user_id, Person(self, event.user_id))
        self.arrived += 1
        order = self.arrived
        at = min(moment_of(event.timestamp), self.now)
        changed = [name for name, value in event.traits.items() if person.traits.get(name) != value]
        old = {name: person.traits.get(name) for name in changed}
        for name in changed:
            self.set_trait(person, name, event.traits[name])
        about = [f"trait:{name}" for name in sorted(changed)]
        if set(changed) & set(self.addresses.values()):
            about.append("reach")
        latest = self.latest(person.journeys, self.now)
        for journey in list(person.journeys):
            if latest.get(journey.rule.name) is journey:
                self.convert(journey, set(about), self.now)
            for one in about:
                self.tell(journey, one, 0)
        for name in sorted(changed):
            self.change(person, name, old[name], at, order, 0)
        self.touch(person, set(about), at, order, 0)
        if event.name is not None:
            self.take(person, event, event.name, at, order)
        if new:
            self.touch(person, None, at, order, 0)

    def take(self, person: Person, event: Event, name: str, at: datetime, order: int) -> None:
        if name == "unsubscribed":
            for kind in ("promotional", "informational"):
                person.withdrawn.add((event.properties["channel"], kind))
            for journey in list(person.journeys):
                self.tell(journey, "reach", 0)
        self.happen(person, Past(name, at, order, {**event.properties, "source": event.source}), 0)

    def set_trait(self, person: Person, name: str, value: Any) -> None:
        if isinstance(value, Decimal):
            value = int(value) if value == value.to_integral_value() else float(value)
        if value is None:
            person.traits.pop(name, None)
        else:
            person.traits[name] = value

    def happen(self, person: Person, event: Past, depth: int) -> None:
        """An event first reaches the journeys inside, then may begin new ones."""
        person.events.append(event)
        reached = [
            journey
            for journey in person.journeys
            if journey.rule.per is None or event.fields.get(journey.rule.per) in (None, "", journey.value)
        ]
        latest = self.latest(reached, event.at)
        for journey in reached:
            if latest.get(journey.rule.name) is journey:
                self.convert(journey, {f"event:{event.name}"}, event.at)
            self.tell(journey, f"event:{event.name}", depth)
        for rule in self.rules:
            if event.name in rule.events:
                self.admit(person, rule, event, depth)
        self.touch(person, {f"event:{event.name}"}, event.at, event.order, depth)

    # What begins journeys without an event

    def change(self, person: Person, trait: str, old: Any, at: datetime, order: int, depth: int) -> None:
        for rule in self.rules:
            if isinstance(rule.trigger, m.OnChange) and rule.trigger.trait == trait:
                fields = {"old": old, "new": person.traits.get(trait)}
                self.admit(person, rule, Past("", at, order, fields), depth)

    def touch(self, person: Person, about: set[str] | None, at: datetime, order: int, depth: int) -> None:
        """Something happened: see whether it led the customer into segments or out of them; None: look at all."""
        for name, condition in sorted(self.segments.items()):
            if about is None or about & self.names(condition):
                self.look(person, name, at, order, depth + 1)
        if about is None or about & {"trait:due", "trait:timezone"}:
            for rule in self.rules:
                if isinstance(rule.trigger, m.OnOffset | m.OnSchedule):
                    self.set_date(person, rule)

    def look(self, person: Person, name: str, at: datetime, order: int, depth: int, *, by_time: bool = False) -> None:
        member = self.is_member(person, name, self.now)
        self.set_crossing(person, name)
        if member == person.members[name]:
            return
        person.members[name] = member
        if by_time:
            self.cross(person, name, None, depth)
        for rule in self.rules:
            if rule.trigger == m.OnMembership("enters" if member else "leaves", name):
                self.admit(person, rule, Past("", at, order, {}), depth)

    def is_member(self, person: Person, name: str, now: datetime) -> bool:
        return bool(value_of(self.segments[name], Scene(person, now, Past("", now, -1, {}), None)))

    def cross(self, person: Person, name: str, by: Journey | None, depth: int) -> None:
        latest = self.latest(person.journeys, self.now)
        for journey in list(person.journeys):
            if journey is not by:
                if latest.get(journey.rule.name) is journey:
                    self.convert(journey, {f"name:{name}"}, self.now)
                self.tell(journey, f"name:{name}", depth)

    def set_crossing(self, person: Person, name: str) -> None:
        """When time alone leads the customer into a segment or out of it: tried at each instant that could matter."""
        person.crossings.pop(name, None)
        here = self.is_member(person, name, self.now)
        for moment in turning_points(self.segments[name], person, self.now):
            if moment > self.last_arrival + WATCHED:
                return
            if self.is_member(person, name, moment) != here:
                person.crossings[name] = moment
                return

    def set_date(self, person: Person, rule: m.Rule) -> None:
        """When the customer's date begins the rule next."""
        person.dates.pop(rule.name, None)
        raw = person.traits.get("due")
        if raw is None:
            return
        day, trigger = read_date(raw, person.zone), rule.trigger
        match trigger:
            case m.OnOffset(period=period, direction=direction, clock=clock, zone=named):
                place = ZoneInfo(named) if named else person.zone
                moment = shift(day, period, place, -1 if direction == "before" else 1)
                if clock is not None:
                    moment = on_wall(moment.astimezone(place).date(), clock_time(clock), place)
                if moment > self.now:
                    person.dates[rule.name] = moment
            case m.OnSchedule(recurrence=m.Yearly() as yearly, clock=clock_, zone=named):
                place = ZoneInfo(named) if named else person.zone
                born = day.astimezone(person.zone).date()
                for year in range(2024, 2032):
                    noon = datetime.combine(born.replace(year=year), time(12), tzinfo=UTC)
                    sign = -1 if yearly.direction == "before" else 1
                    found = shift(noon, yearly.period or Period(), ZoneInfo("UTC"), sign).date()
                    moment = on_wall(found, clock_time(clock_), place)
                    if moment > self.now:
                        if moment <= self.last_arrival:
                            person.dates[rule.name] = moment
                        return
            case _:
                pass

    def schedule(self, published: datetime) -> None:
        """The moments of the calendar, by rule and zone ("": the project's)."""
        for rule in self.rules:
            match rule.trigger:
                case m.OnDate(day=day, clock=clock, zone=named):
                    for zone in [named] if named else ["", *ZONES]:
                        moment = on_wall(date.fromisoformat(day.iso), clock_time(clock), self.place(zone))
                        if moment > published:
                            self.calendar.append((moment, rule.name, zone))
                case m.OnSchedule(recurrence=m.Weekdays() | m.Monthly() as recurrence, clock=clock, zone=named):
                    for zone in [named] if named else ["", *ZONES]:
                        day_ = published.date() - timedelta(days=1)
                        while day_ <= self.last_arrival.date() + timedelta(days=1):
                            moment = on_wall(day_, clock_time(clock), self.place(zone))
                            if comes(recurrence, day_) and published < moment <= self.last_arrival:
                                self.calendar.append((moment, rule.name, zone))
                            day_ += timedelta(days=1)
                case _:
                    pass

    def place(self, zone: str) -> ZoneInfo:
        return ZoneInfo(zone) if zone else self.zone

    def moments_to_come(self) -> list[datetime]:
        found = [moment for moment, *_ in self.calendar]
        for person in self.people.values():
            found += [*person.crossings.values(), *person.dates.values()]
        return found

    def look_out(self) -> None:
        while due := [
            (moment, name, person)
            for person in self.people.values()
            for name, moment in (*person.crossings.items(), *person.dates.items())
            if moment <= self.now
        ]:
            moment, name, person = min(due, key=lambda one: one[:2])
            if name in self.segments:
                self.look(person, name, moment, -1, 0, by_time=True)
            else:
                rule = next(rule for rule in self.rules if rule.name == name)
                self.set_date(person, rule)
                self.admit(person, rule, Past("", moment, -1, {}), 0)

    def fan_out(self) -> None:
        while due := [one for one in self.calendar if one[0] <= self.now]:
            moment, name, zone = min(due)
            self.calendar.remove((moment, name, zone))
            rule = next(rule for rule in self.rules if rule.name == name)
            assert isinstance(rule.trigger, m.OnDate | m.OnSchedule)
            for person in self.people.values():
                if rule.trigger.zone or zone == person.traits.get("timezone", ""):
                    self.admit(person, rule, Past("", moment, -1, {}), 0)

    def latest(self, journeys: Sequence[Journey], at: datetime) -> dict[str, Journey]:
        """The journey of each rule that something which happened then may convert: the latest that had begun."""
        found: dict[str, Journey] = {}
        for journey in sorted(journeys, key=lambda one: one.trigger.at):  # of two at one instant, the later begun
            if journey.trigger.at <= at:
                found[journey.rule.name] = journey
        return found

    def convert(self, journey: Journey, about: set[str], at: datetime) -> None:
        goal, until = journey.rule.goal, journey.goal_until
        if goal is None or until is None or journey.converted or not about & self.names(goal.condition):
            return
        forgotten = journey.state != "inside" and self.now > until + timedelta(days=1)
        if forgotten or not journey.trigger.at <= at <= until:
            return
        if value_of(goal.condition, journey.scene(min(self.now, until))):
            journey.converted = True
            journey.record("converted", at)

    def admit(self, person: Person, rule: m.Rule, event: Past, depth: int) -> None:
        def ignore(reason: str) -> None:
            self.lines.append(Line(self.now, person.key, rule.name, 0, "ignored", reason=reason))

        day = event.at.astimezone(person.zone).date()
        if rule.active is not None and not (
            date.fromisoformat(rule.active.first.iso) <= day
            and (rule.active.last is None or day <= date.fromisoformat(rule.active.last.iso))
        ):
            return ignore("dates")
        if rule.where is not None and not value_of(rule.where, Scene(person, self.now, event, None)):
            return
        if rule.audience is not None and not self.is_member(person, rule.audience, self.now):
            return
        wanted = rule.trigger.to if isinstance(rule.trigger, m.OnChange) else None
        if isinstance(wanted, m.Literal_) and event.fields["new"] != wanted.value:
            return
        value = event.fields.get(rule.per) if rule.per is not None else None
        if rule.per is not None and not value:
            return ignore("per")
        if self.now - event.at > STALE:
            return ignore("late")
        before = [one for one in person.journeys if one.rule.name == rule.name and one.value == value]
        inside = [one for one in before if one.state == "inside"]
        if inside and rule.on_repeat == "ignore":
            return ignore("inside")
        if not inside and rule.once is not None and before:
            newest = max(one.trigger.at for one in before)
            if rule.once.per is None or event.at < shift(newest, rule.once.per, person.zone, calendar=False):
                return ignore("once")
        if rule.rollout is not None and not person.is_among(rule.rollout, rule.name, "rollout"):
            return ignore("rollout")
        if inside:
            inside[0].walk.close()
            inside[0].end("exited", "restarted")
            self.cross(person, rule.name, inside[0], depth + 1)
        number = 1 + sum(one.rule.name == rule.name for one in person.journeys)
        journey = Journey(person, rule, event, number, value)
        self.zone_at_entry(journey)
        person.journeys.append(journey)
        self.begun.append(journey)
        self.resume(journey, None, depth)

    # What follows

    def tell(self, journey: Journey, happening: str, depth: int) -> None:
        if journey.state == "inside":
            self.resume(journey, happening, depth)

    def resume(self, journey: Journey, happening: str | None, depth: int) -> None:
        try:
            if happening is None:
                next(journey.walk)
            else:
                journey.walk.send(happening)
        except StopIteration:
            pass
        later, journey.later = journey.later, []
        if (happening is None or journey.state != "inside") and depth < _CHAIN:
            self.cross(journey.person, journey.rule.name, journey, depth + 1)
        for what, detail in later:
            if depth + 1 > _CHAIN:
                continue
            if what == "set":
                trait, old = detail
                if journey.person.traits.get(trait) == old:
                    continue
                latest = self.latest(journey.person.journeys, self.now)
                for other in list(journey.person.journeys):
                    if other is not journey:
                        if latest.get(other.rule.name) is other:
                            self.convert(other, {f"trait:{trait}"}, self.now)
                        self.tell(other, f"trait:{trait}", depth + 1)
                self.change(journey.person, trait, old, self.now, self.arrived, depth + 1)
                self.touch(journey.person, {f"trait:{trait}"}, self.now, self.arrived, depth + 1)
            else:
                name, fields = detail
                fields = {key: float(v) if isinstance(v, Decimal) else v for key, v in fields.items()}
                self.arrived += 1
                self.happen(journey.person, Past(name, self.now, self.arrived, fields), depth + 1)

    # Messages

    def record_message(self, message: Message, decision: str, reason: str = "") -> None:
        delivery = message.delivery
        message.journey.record(decision, channel=message.channel, message=delivery.message, reason=reason)

    def send(self) -> None:
        """Claim everything on one channel, then note what the channel answers at once."""
        self.outbox = [message for message in self.outbox if message.state == "decided"]
        if not self.outbox:
            return
        channel = min(message.channel for message in self.outbox)
        ready = [message for message in self.outbox if message.channel == channel]
        self.outbox = [message for message in self.outbox if message.channel != channel]
        for message in ready:
            journey = message.journey
            if message.state != "decided":
                continue
            try:
                journey.judge()  # the moment of sending
            except Exit as reason:
                journey.walk.close()
                journey.end("exited", str(reason))
                self.cross(journey.person, journey.rule.name, journey, 1)
                continue
            if journey.person.refusal(message.channel, message.delivery.kind):
                self.record_message(message, "skipped", "no channel reaches")
                self.settle(message, "failed")
                continue
            message.state = "claimed"
            how, delay = self.answers.get((journey.person.key, channel), ("sent", timedelta()))
            self.flights += 1
            self.in_flight.append((self.now + delay, self.flights, message, how))
        self.answer()

    def answer(self) -> None:
        landed = sorted(flight for flight in self.in_flight if flight[0] <= self.now)
        self.in_flight = [flight for flight in self.in_flight if flight[0] > self.now]
        for _, _, message, how in landed:
            self.record_message(message, "sent" if how == "sent" else "undelivered")
            self.settle(message, "failed" if how == "rejected" else "settled")

    def settle(self, message: Message, state: str) -> None:
        message.state = state
        if message.journey.state == "inside":
            self.resume(message.journey, "settled", 0)
        elif state == "failed":
            message.state = "settled"
