"""Expressions and periods back to the words of the language, for reasons, logs and explanations."""

from __future__ import annotations

from decimal import Decimal
from typing import assert_never

from segue.api import Money, Period
from segue.language import model as m

_UNITS = (("h", 3_600_000_000), ("min", 60_000_000), ("s", 1_000_000))


def word_period(period: Period) -> str:
    """``1mo 3d 6h``, longest unit first; ``0s`` for nothing."""
    parts = [f"{period.months}mo"] if period.months else []
    weeks, days = divmod(period.days, 7)
    if weeks and not days:
        parts.append(f"{weeks}w")
    elif period.days:
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
    """The expression as a marketer would write it."""
    match expression:
        case m.Literal_(value=value):
            return _word_value(value)
        case m.Now():
            return "now"
        case m.Weekday():
            return "weekday"
        case m.TriggerField(name=name) | m.EventField(name=name):
            return name
        case m.Trait(name=name):
            return f"customer.{name}"
        case m.Happened(event=event, window=window, where=where, times=times):
            body = event + (f" where ({word(where)})" if where is not None else "")
            return body + (f" at least {times} times" if times != 1 else "") + word_window(window)
        case m.Aggregate(function=function, event=event, field=field, window=window, where=where):
            body = (f"{event}.{field}" if field else event) + (f" where ({word(where)})" if where is not None else "")
            return f"{function}({body}{word_window(window)})"
        case m.Reacted(reaction=reaction, channel=channel, message=message):
            return reaction + (f' "{message}"' if message else "") + (f" {channel}" if channel else "")
        case m.CanGet(channel=channel):
            return f"can get {channel}"
        case m.Compare(op=op, left=left, right=right) | m.Arithmetic(op=op, left=left, right=right):
            return f"{_inner(left)} {op} {_inner(right)}"
        case m.Between(value=value, low=low, high=high):
            return f"{_inner(value)} between {_inner(low)} and {_inner(high)}"
        case m.OneOf(value=value, among=among):
            return f"{_inner(value)} in [{', '.join(word(choice) for choice in among)}]"
        case m.Contains(value=value, list=items):
            return f"{_inner(value)} in {word(items)}"
        case m.TimeBetween(start=start, end=end, zone=zone):
            return f"time between {word_clock(start)} and {word_clock(end)} {zone or 'local'}"
        case m.Present(value=value):
            return word(value)
        case m.Not(value=value):
            return f"not {_inner(value)}"
        case m.All(parts=parts):
            return " and ".join(_inner(part) for part in parts)
        case m.Any_(parts=parts):
            return " or ".join(_inner(part) for part in parts)
        case _:
            assert_never(expression)


def word_clock(clock: m.Clock) -> str:
    """``09:30``."""
    return f"{clock.minute // 60:02}:{clock.minute % 60:02}"


def _inner(expression: m.Expression) -> str:
    text = word(expression)
    return f"({text})" if isinstance(expression, (m.All, m.Any_, m.Arithmetic)) else text


def _word_value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Money(amount=amount, currency=currency):
            return f"{amount} {currency}"
        case Period():
            return word_period(value)
        case m.Clock():
            return word_clock(value)
        case m.Day(iso=iso):
            return iso
        case int() | Decimal():
            return str(value)
        case _:
            return f'"{value}"'
