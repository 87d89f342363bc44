"""When time alone begins journeys: the calendar, dates of customers, and what leads them into segments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from segue.api import Period
from segue.language import model as m
from tests.engine.reference.clock import EPOCH, clock_time, comes, on_wall, shift
from tests.engine.reference.conditions import Scene, read_date, value_of
from tests.engine.reference.people import ZONES, Past, Person


def calendar_of(
    rules: Sequence[m.Rule], project: ZoneInfo, published: datetime, last: datetime
) -> list[tuple[datetime, str, str]]:
    """The moments of the calendar, by rule and zone ("": the project's); what recurs ends with the last event."""
    found = []
    for rule in rules:
        match rule.trigger:
            case m.OnDate(day=day, clock=clock, zone=named):
                for zone in [named] if named else ["", *ZONES]:
                    place = ZoneInfo(zone) if zone else project
                    moment = on_wall(date.fromisoformat(day.iso), clock_time(clock), place)
                    if moment > published:
                        found.append((moment, rule.name, zone))
            case m.OnSchedule(recurrence=m.Weekdays() | m.Monthly() as recurrence, clock=clock, zone=named):
                for zone in [named] if named else ["", *ZONES]:
                    day_ = published.date() - timedelta(days=1)
                    while day_ <= last.date() + timedelta(days=1):
                        moment = on_wall(day_, clock_time(clock), ZoneInfo(zone) if zone else project)
                        if comes(recurrence, day_) and published < moment <= last:
                            found.append((moment, rule.name, zone))
                        day_ += timedelta(days=1)
            case _:
                pass
    return found


def next_date(trigger: m.Trigger | None, person: Person, now: datetime, last: datetime) -> datetime | None:
    """When the customer's date begins a rule after now; what recurs ends with the last event."""
    raw = person.traits.get("due")
    if raw is None:
        return None
    day = read_date(raw, person.zone)
    match trigger:
        case m.OnOffset(period=period, direction=direction, clock=clock, zone=named):
            place = ZoneInfo(named) if named else person.zone
            moment = shift(day, period, place, -1 if direction == "before" else 1)
            if clock is not None:
                moment = on_wall(moment.astimezone(place).date(), clock_time(clock), place)
            return moment if moment > now else None
        case m.OnSchedule(recurrence=m.Yearly() as yearly, clock=clock_, zone=named):
            place = ZoneInfo(named) if named else person.zone
            born = day.astimezone(person.zone).date()
            for year in range(2024, 2032):
                noon = datetime.combine(born.replace(year=year), time(12), tzinfo=UTC)
                sign = -1 if yearly.direction == "before" else 1
                found = shift(noon, yearly.period or Period(), ZoneInfo("UTC"), sign).date()
                moment = on_wall(found, clock_time(clock_), place)
                if moment > now:
                    return moment if moment <= last else None
            return None
        case _:
            return None


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
                begin = now - (now - EPOCH) % quarter
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
