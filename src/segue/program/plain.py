"""Conditions, periods and moments in plain words, for people who have never seen the language.

`segue.program.wording` gives rule text; this gives sentences: ``ordered at least 2 times in last 90d`` is there, and
"ordered has happened at least 2 times in the last 90 days" here.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, assert_never

from segue.api import Money, Period
from segue.language import model as m
from segue.language.keywords import WEEKDAYS
from segue.program.wording import word, word_clock

_UNITS: Final = (("hour", 3_600_000_000), ("minute", 60_000_000), ("second", 1_000_000))

_ORDERS: Final = {
    "=": "is",
    "!=": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
}

_FIGURES: Final = {
    "count": "the number of",
    "sum": "the sum of",
    "average": "the average",
    "min": "the smallest",
    "max": "the largest",
    "first": "the first",
    "last": "the latest",
}


def listed(words: Iterable[str], between: str = "and") -> str:
    """``a, b and c``."""
    *most, last = [*words] or [""]
    return f"{', '.join(most)} {between} {last}" if most else last


def say_count(count: int, what: str, many: str | None = None) -> str:
    """``1 day``, ``3 days``."""
    return f"{count} {what if count == 1 else many or what + 's'}"


def say_period(period: Period) -> str:
    """``1 day``, ``2 months and 3 days``; ``no time`` for nothing."""
    parts = [say_count(period.months, "month")] if period.months else []
    weeks, days = divmod(period.days, 7)
    if weeks and not days:
        parts.append(say_count(weeks, "week"))
    elif period.days:
        parts.append(say_count(period.days, "day"))
    rest = period.micros
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(say_count(count, unit))
    return listed(parts) if parts else "no time"


def say_each(period: Period) -> str:
    """A period after "in": ``a day``, ``any 2 weeks``."""
    said = say_period(period)
    return f"{'an' if said == '1 hour' else 'a'} {said[2:]}" if said.startswith("1 ") else f"any {said}"


def say_share(percent: Decimal) -> str:
    """``12.5 %`` without needless zeros."""
    return f"{percent.normalize():f} %"


def say_zone(zone: str | None) -> str:
    """Whose clock it is."""
    return f"by the clock of {zone}" if zone else "by the customer's own clock"


def say_moment(moment: m.Moment) -> str:
    """When a ``wait until`` goes on."""
    match moment:
        case m.AtClock(clock=clock, day=None, date=None, zone=zone):
            return f"the next {word_clock(clock)}, {say_zone(zone)}"
        case m.AtClock(clock=clock, day="tomorrow", zone=zone):
            return f"tomorrow at {word_clock(clock)}, {say_zone(zone)}"
        case m.AtClock(clock=clock, day=int() as day, zone=zone):
            return f"the next {WEEKDAYS[day].title()} at {word_clock(clock)}, {say_zone(zone)}"
        case m.AtClock(clock=clock, date=date, zone=zone):
            return f"{date.iso if date else ''} at {word_clock(clock)}, {say_zone(zone)}"
        case m.InWindow(start=start, end=end, zone=zone):
            return f"it is between {word_clock(start)} and {word_clock(end)}, {say_zone(zone)}"
        case m.AtDate(date=date):
            return say_value(date)
        case m.Offset(period=period, direction=direction, date=date, clock=clock, zone=zone):
            at = f", at {word_clock(clock)} {say_zone(zone)}" if clock is not None else ""
            return f"{say_period(period)} {direction} {say_value(date)}{at}"
        case m.BestTime():
            return "the hour at which this customer answers most"
        case _:
            assert_never(moment)


def say_value(expression: m.Expression) -> str:
    """A value: ``the customer's first_name``, ``the event's total``, ``40 EUR``."""
    match expression:
        case m.Literal_(value=Money(amount=amount, currency=currency)):
            return f"{amount:f} {currency}"
        case m.Literal_(value=Period() as period):
            return say_period(period)
        case m.Literal_():
            return word(expression)
        case m.Now():
            return "now"
        case m.Weekday():
            return "the day of the week"
        case m.TriggerField(name="timestamp"):
            return "the moment it began"
        case m.TriggerField(name=name):
            return name
        case m.EventField(name=name):
            return f"its {name}"
        case m.Trait(name=name):
            return f"the customer's {name}"
        case m.Aggregate(function="count", event=event, window=window, where=where):
            return f"how often {event} happened{_say_where(where)}{_say_window(window)}"
        case m.Aggregate(function=function, event=event, field=field, window=window, where=where):
            return f"{_FIGURES[function]} {field} of {event}{_say_where(where)}{_say_window(window)}"
        case m.Coupon(pool=pool):
            return f'a code of the pool "{pool}"'
        case m.Arithmetic(op=op, left=left, right=right):
            return f"{say_value(left)} {op} {say_value(right)}"
        case _:
            return say(expression)


def say_turning(expression: m.Expression) -> str:
    """A condition that is watched, as a clause that may follow "as soon as": ``ordered happens``."""
    return say(expression).replace(" has happened", " happens")


def say(expression: m.Expression) -> str:
    """A condition as a clause that may follow "if": ``ordered has happened``, ``the event's total is at least 40``."""
    match expression:
        case m.Happened(event=event, window=window, where=where, times=times):
            often = f" at least {times} times" if times != 1 else ""
            return f"{event} has happened{often}{_say_where(where)}{_say_window(window)}"
        case m.Reacted(reaction=reaction, channel=channel, message=message):
            what = (
                f'the message "{message}"' if message else f"the {channel}" if channel else "a message of this journey"
            )
            return f"{what} was {_REACTIONS.get(reaction, reaction)}"
        case m.CanGet(channel=channel):
            return f"{channel} can reach the customer"
        case m.InSegment(name=name):
            return f"the customer is in the segment {name}"
        case m.InRule(name=name):
            return f"the customer is inside the rule {name}"
        case m.Compare(op=op, left=m.Weekday(), right=m.Literal_(value=int() as day)) if 0 <= day <= 6:
            return f"the day {_ORDERS[op]} {WEEKDAYS[day].title()}"
        case m.Compare(op=op, left=left, right=right):
            return f"{say_value(left)} {_ORDERS[op]} {say_value(right)}"
        case m.Between(value=value, low=low, high=high):
            return f"{say_value(value)} is between {say_value(low)} and {say_value(high)}"
        case m.OneOf(value=m.Weekday(), among=among):
            days = [
                WEEKDAYS[one.value].title()
                for one in among
                if isinstance(one, m.Literal_) and isinstance(one.value, int)
            ]
            return f"the day is {listed(days, 'or')}"
        case m.OneOf(value=value, among=among):
            return f"{say_value(value)} is {listed((say_value(one) for one in among), 'or')}"
        case m.Contains(value=value, list=items):
            return f"{say_value(value)} is among {say_value(items)}"
        case m.TimeBetween(start=start, end=end, zone=zone):
            return f"it is between {word_clock(start)} and {word_clock(end)}, {say_zone(zone)}"
        case m.Present(value=value):
            return f"{say_value(value)} is known" if not _is_truth(value) else f"{say_value(value)} is true"
        case m.Not(value=m.Happened(event=event, window=window, where=where, times=1)):
            return f"{event} has not happened{_say_where(where)}{_say_window(window)}"
        case m.Not(value=m.InSegment(name=name)):
            return f"the customer is not in the segment {name}"
        case m.Not(value=m.CanGet(channel=channel)):
            return f"{channel} cannot reach the customer"
        case m.Not(value=m.Reacted() as reacted):
            return say(reacted).replace(" was ", " was not ", 1)
        case m.Not(value=value):
            return f"it is not so that {say(value)}"
        case m.All(parts=parts):
            return listed(_bracketed(part) for part in parts)
        case m.Any_(parts=parts):
            return listed((_bracketed(part) for part in parts), "or")
        case (
            m.Literal_()
            | m.Now()
            | m.Weekday()
            | m.TriggerField()
            | m.EventField()
            | m.Trait()
            | m.Aggregate()
            | m.Coupon()
            | m.Arithmetic()
        ):
            return say_value(expression)
        case _:
            assert_never(expression)


_REACTIONS: Final = {"replied": "replied to", "delivered": "delivered", "bounced": "returned"}


def _bracketed(part: m.Expression) -> str:
    return f"({say(part)})" if isinstance(part, (m.All, m.Any_)) else say(part)


def _is_truth(value: m.Expression) -> bool:
    return isinstance(value, (m.Trait, m.TriggerField, m.EventField, m.Aggregate)) and value.type == "boolean"


def _say_where(where: m.Expression | None) -> str:
    return f" (one where {say(where)})" if where is not None else ""


def _say_window(window: m.Window) -> str:
    match window.since:
        case "entry":  # what is meant wherever nothing else is said
            return ""
        case "ever":
            return " at any time"
        case "last":
            return f" in the last {say_period(window.period or Period())}"
        case _:
            assert_never(window.since)
