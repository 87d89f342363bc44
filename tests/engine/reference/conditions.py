"""Conditions, as trees that are walked over the whole list of a customer's events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, assert_never
from zoneinfo import ZoneInfo

import msgspec

from segue.api import Period
from segue.language import model as m
from tests.engine.reference.clock import inside_window, on_wall, shift
from tests.engine.reference.people import Past

if TYPE_CHECKING:
    from tests.engine.reference.people import Person


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
