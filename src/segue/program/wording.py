"""Expressions and periods back to the words of the language, for reasons, logs and explanations."""

from __future__ import annotations

from decimal import Decimal
from typing import assert_never

from segue.api import Money, Period
from segue.language import model as m
from segue.language.keywords import WEEKDAYS

_UNITS = (("h", 3_600_000_000), ("min", 60_000_000), ("s", 1_000_000))


def word_period(period: Period) -> str:
    """``1mo 3d 6h``, longest unit first; ``0s`` for nothing. A week is seven days, as most people write it."""
    parts = [f"{period.months}mo"] if period.months else []
    if period.days:
        parts.append(f"{period.days}d")
    rest = period.micros
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"


def word_window(window: m.Window) -> str:
    """What stands behind an event for its window; nothing for "since the journey began"."""
    match window.since:
        case "entry":
            return ""
        case "ever":
            return " ever"
        case "last":
            return f" in last {word_period(window.period or Period())}"
        case _:
            assert_never(window.since)


def word(expression: m.Expression) -> str:
    """The expression as a marketer would write it: read as rule text again, it gives the same expression."""
    return _word(expression, inside=False)


def _word(expression: m.Expression, *, inside: bool) -> str:
    """``inside``: within the brackets of ``where (…)``, where bare names are the event's fields."""

    def whole(part: m.Expression) -> str:
        return _word(part, inside=inside)

    def operand(part: m.Expression) -> str:
        return whole(part) if isinstance(part, _ATOMS) else f"({whole(part)})"

    def member(part: m.Expression) -> str:
        return f"({whole(part)})" if isinstance(part, (m.All, m.Any_)) else whole(part)

    match expression:
        case m.Literal_(value=value):
            return _word_value(value)
        case m.Now():
            return "now"
        case m.Weekday():
            return "weekday"
        case m.TriggerField(name=name):
            return f"trigger.{name}" if inside else name
        case m.EventField(name=name):
            return name
        case m.Trait(name=name):
            return f"customer.{name}"
        case m.Happened(event=event, window=window, where=where, times=times):
            often = f" at least {times} times" if times != 1 else ""
            return event + _word_where(where) + often + word_window(window)
        case m.Aggregate(function=function, event=event, field=field, window=window, where=where):
            what = f"{event}.{field}" if field else event
            return f"{function}({what}{_word_where(where)}{word_window(window)})"
        case m.Reacted(reaction=reaction, channel=channel, message=message):
            return reaction + (f' "{message}"' if message else "") + (f" {channel}" if channel else "")
        case m.CanGet(channel=channel):
            return f"can get {channel}"
        case m.InSegment(name=name) | m.InRule(name=name):
            return f"in {name}"
        case m.Coupon(pool=pool):
            return f'coupon("{pool}")'
        case m.Compare(op=op, left=m.Weekday(), right=right):
            return f"weekday {op} {_word_weekday(right)}"
        case m.Compare(op=op, left=left, right=m.Weekday()):
            return f"{_word_weekday(left)} {op} weekday"
        case m.Compare(op=op, left=left, right=right) | m.Arithmetic(op=op, left=left, right=right):
            return f"{operand(left)} {op} {operand(right)}"
        case m.Between(value=m.Weekday(), low=low, high=high):
            return f"weekday between {_word_weekday(low)} and {_word_weekday(high)}"
        case m.Between(value=value, low=low, high=high):
            return f"{operand(value)} between {operand(low)} and {operand(high)}"
        case m.OneOf(value=m.Weekday(), among=among):
            return f"weekday in [{', '.join(_word_weekday(choice) for choice in among)}]"
        case m.OneOf(value=value, among=among):
            return f"{operand(value)} in [{', '.join(whole(choice) for choice in among)}]"
        case m.Contains(value=value, list=m.Aggregate(function="last", event=event, field=str() as field)):
            return f"{operand(value)} in {event}.{field}"  # a list is a name: no function may stand there
        case m.Contains(value=value, list=items):
            return f"{operand(value)} in {whole(items)}"
        case m.TimeBetween(start=start, end=end, zone=zone):
            return f"time between {word_clock(start)} and {word_clock(end)} {zone or 'local'}"
        case m.Present(value=value):
            return whole(value)
        case m.Not(value=value):
            return f"not {member(value)}"
        case m.All(parts=parts):
            return " and ".join(member(part) for part in parts)
        case m.Any_(parts=parts):
            return " or ".join(member(part) for part in parts)
        case _:
            assert_never(expression)


_ATOMS = (m.Literal_, m.Now, m.Weekday, m.TriggerField, m.Trait, m.EventField, m.Aggregate)
"""What stands beside an operator without brackets."""


def _word_where(where: m.Expression | None) -> str:
    return f" where ({_word(where, inside=True)})" if where is not None else ""


def _word_weekday(expression: m.Expression) -> str:
    """A weekday beside ``weekday``: a literal is its number there."""
    match expression:
        case m.Literal_(value=int() as day) if 0 <= day < len(WEEKDAYS):
            return WEEKDAYS[day]
        case _:
            return _word(expression, inside=False)


def word_clock(clock: m.Clock) -> str:
    """``09:30``."""
    return f"{clock.minute // 60:02}:{clock.minute % 60:02}"


def _word_value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Money(amount=amount, currency=currency):
            return f"{amount:f} {currency}"
        case Period():
            return word_period(value)
        case m.Clock():
            return word_clock(value)
        case m.Day(iso=iso):
            return iso
        case int():
            return str(value)
        case Decimal():
            return f"{value:f}"  # never 1E-7, which no rule can say
        case _:
            return f'"{value}"'
