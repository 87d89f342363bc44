"""All customers on one virtual clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from segue.api import Event
from segue.language import model as m
from tests.engine.reference.beginnings import calendar_of, next_date, turning_points
from tests.engine.reference.clock import EPOCH, moment_of, shift
from tests.engine.reference.conditions import Scene, names, value_of
from tests.engine.reference.journeys import Exit, Journey
from tests.engine.reference.people import Line, Message, Past, Person

_CHAIN = 8
STALE = timedelta(hours=24)
WATCHED = timedelta(days=3)
"""How long after the last event time may lead customers into segments and out of them."""


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
        edit: tuple[datetime, Sequence[m.Rule]] | None = None,
    ) -> None:
        self.edit = edit
        self.segments = segments
        self.rules = sorted(rules, key=lambda rule: rule.name)
        self.zone = ZoneInfo(zone)
        self.addresses = addresses
        self.answers = answers
        self.people: dict[str, Person] = {}
        self.seen: set[str] = set()
        self.arrived = 0
        self.cause = -1
        """The order of the event that everything follows from; -1: it follows from time, or from an answer."""
        self.now = EPOCH
        self.lines: list[Line] = []
        self.outbox: list[Message] = []
        self.in_flight: list[tuple[datetime, int, Message, str]] = []
        self.flights = 0
        self.zones: dict[int, ZoneInfo] = {}
        self.last_arrival = EPOCH
        self.calendar: list[tuple[datetime, str, str]] = []
        self.begun: list[Journey] = []

    def zone_at_entry(self, journey: Journey) -> ZoneInfo:
        return self.zones.setdefault(id(journey), journey.person.zone)

    def names(self, node: m.Expression) -> set[str]:
        return names(node, self.segments)

    def run(self, arrivals: Sequence[tuple[datetime, Event]]) -> list[Line]:
        waiting = list(arrivals)
        self.last_arrival = waiting[-1][0]
        published = waiting[0][0] - timedelta(microseconds=1)
        self.calendar = calendar_of(self.rules, self.zone, published, self.last_arrival)
        while True:
            moments = [received for received, _ in waiting[:1]]
            moments += [journey.due for journey in self.journeys() if journey.due is not None]
            moments += [answered for answered, *_ in self.in_flight]
            moments += self.moments_to_come()
            moments += [self.edit[0]] if self.edit is not None else []
            if not moments:
                return self.lines
            self.now = min(moments)
            if self.edit is not None and self.edit[0] <= self.now:
                self.publish(self.edit[1])
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

    def publish(self, rules: Sequence[m.Rule]) -> None:
        """Other texts with the same steps: customers inside go on in them, where they say so."""
        self.edit = None
        self.rules = sorted(rules, key=lambda rule: rule.name)
        for journey in list(self.begun):
            new = next(rule for rule in self.rules if rule.name == journey.rule.name)
            if journey.state == "inside" and new.on_edit == "follow" and new != journey.rule:
                journey.follow(new)
                self.resume(journey, "edited", 0)

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
        order = self.cause = self.arrived
        at = min(moment_of(event.timestamp), self.now)
        before = dict(person.traits)
        for name, value in event.traits.items():
            self.set_trait(person, name, value, (at, False, event.message_id))
        changed = [name for name in event.traits if person.traits.get(name) != before.get(name)]
        old = {name: before.get(name) for name in changed}
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
        self.cause = -1

    def take(self, person: Person, event: Event, name: str, at: datetime, order: int) -> None:
        if name == "unsubscribed":
            for kind in ("promotional", "informational"):
                person.withdrawn.add((event.properties["channel"], kind))
            for journey in list(person.journeys):
                self.tell(journey, "reach", 0)
        self.happen(person, Past(name, at, order, {**event.properties, "source": event.source}), 0)

    def set_trait(self, person: Person, name: str, value: Any, place: tuple[datetime, bool, str]) -> None:
        """The newest counts: by its moment, then a rule's before an event's, then by the message id."""
        if name in person.said and person.said[name] > place:
            return
        person.said[name] = place
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
        moment = next_date(rule.trigger, person, self.now, self.last_arrival)
        if moment is not None:
            person.dates[rule.name] = moment

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
            if happening in (None, "edited"):
                next(journey.walk)
            else:
                journey.walk.send(happening or "")
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
                self.change(journey.person, trait, old, self.now, self.cause, depth + 1)
                self.touch(journey.person, {f"trait:{trait}"}, self.now, self.cause, depth + 1)
            else:
                name, fields = detail
                fields = {key: float(v) if isinstance(v, Decimal) else v for key, v in fields.items()}
                self.arrived += 1
                before, self.cause = self.cause, self.arrived
                self.happen(journey.person, Past(name, self.now, self.arrived, fields), depth + 1)
                self.cause = before

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
