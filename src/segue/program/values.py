"""The values that conditions compute with: reading JSON as a declared type, comparing, calculating.

The laws: None is the missing value. It equals nothing: ``=`` and every order are false, ``!=`` is true; in arithmetic
it stays missing. Values of different types, and money in two currencies, do not compare:
the outcome is that of a missing value.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, Final, assert_never

from segue.api import FieldType, Instant, Money, Period, to_rfc3339
from segue.language import model as m
from segue.program.calendar import add, elapsed, find_zone, local, read_clock, read_date
from segue.program.facts import Past, Scene
from segue.program.wording import word_clock

_MOST_DIGITS: Final = 30
"""Digits before the point, or noughts behind it, beyond which a number that came with an event is taken for missing."""
_FINEST: Final = 60
"""Digits behind the point beyond which it is: sums are exact, and no measurement is."""


class Elapsed(int):
    """A length of time in microseconds: what a date minus a date gives."""


def zone_of(name: str | None, scene: Scene) -> tzinfo:
    """A zone written in the rule, else the customer's."""
    return (find_zone(name) if name else None) or scene.customer.zone


def read_value(raw: Any, kind: FieldType, scene: Scene, beside: Any) -> Any:
    """A JSON value as the declared type, None where it is not one. ``beside`` is the object it lies in: money takes its
    currency from the field ``currency`` there, else from the project."""
    if raw is None:
        return None
    match kind:
        case "text":
            return raw if isinstance(raw, str) else _text(raw)
        case "number":
            return _number(raw)
        case "money":
            return read_money(raw, beside, scene.customer.currency)
        case "boolean":
            return raw if isinstance(raw, bool) else None
        case "date":
            return read_date(raw, scene.customer.zone)
        case "time":
            minute = read_clock(raw)
            return m.Clock(minute) if minute is not None else None
        case "list":
            return raw if isinstance(raw, (list, tuple)) else None
        case _:
            assert_never(kind)


def _text(raw: Any) -> str | None:
    # ids often come as numbers; as text they are what the number is written as
    return str(raw) if isinstance(raw, (int, float)) and not isinstance(raw, bool) else None


def _number(raw: Any) -> Decimal | None:
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str, Decimal)):
        return None
    if isinstance(raw, int) and abs(raw) >= 10**_MOST_DIGITS:
        return None
    text = str(raw).strip()
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if len(text) > _MOST_DIGITS and number.is_finite() and _places(number) > _FINEST:
        return None
    # "1e2000000" is no amount of anything, and as a whole number takes minutes to write down
    return number if number.is_finite() and abs(number.adjusted()) < _MOST_DIGITS else None


def _places(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def read_money(raw: Any, beside: Any, currency: str) -> Money | None:
    """A JSON value as money, None where it is not: its currency is that of the object it is, else the field
    ``currency`` of the one it lies in, else the one given."""
    if isinstance(raw, dict):
        beside, raw = raw, raw.get("amount")
    amount = _number(raw)
    if amount is None:
        return None
    named = beside.get("currency") if hasattr(beside, "get") else None
    return Money(amount, named.upper() if isinstance(named, str) and named else currency)


def write_worth(raw: Any, beside: Any, currency: str) -> str | None:
    """A JSON value as what a goal was worth, ``12.50 EUR``; None where it is no money. The currency is found as by
    `read_money`, so that one order is worth the same to a goal as to whatever else counts money."""
    found = read_money(raw, beside, currency)
    return f"{found.amount} {found.currency}" if found is not None and is_currency(found.currency) else None


def is_currency(name: str) -> bool:
    """Whether a name can be that of a currency: three letters. It comes from outside, and may be anything."""
    return len(name) == 3 and name.isascii() and name.isalpha()


def plain(item: Any) -> Any:
    """An item of a list as an operand: numbers as Decimal, objects by their id."""
    if isinstance(item, dict):
        item = next((item[key] for key in ("product_id", "sku", "id") if key in item), None)
    if isinstance(item, (int, float)) and not isinstance(item, bool):
        return _number(item)
    return item


def equal(left: Any, right: Any) -> bool:
    """Equality of two values of a rule; missing equals nothing, not even missing."""
    if left is None or right is None:
        return False
    if isinstance(left, bool) is not isinstance(right, bool):
        return False
    if isinstance(left, Period) or isinstance(right, Period):
        return _length(left) is not None and _length(left) == _length(right)
    if isinstance(left, str) and isinstance(right, Decimal):
        return left == str(right)
    if isinstance(right, str) and isinstance(left, Decimal):
        return right == str(left)
    return bool(left == right)


def ordered(compare: Callable[[Any, Any], Any], left: Any, right: Any) -> bool:
    """An order between two values; false where one is missing or they have no order."""
    if left is None or right is None:
        return False
    if isinstance(left, Money) and isinstance(right, Money):
        return left.currency == right.currency and bool(compare(left.amount, right.amount))
    if isinstance(left, (Period, Elapsed)) or isinstance(right, (Period, Elapsed)):
        left, right = _length(left), _length(right)
        return left is not None and right is not None and bool(compare(left, right))
    if isinstance(left, m.Clock) and isinstance(right, m.Clock):
        return bool(compare(left.minute, right.minute))
    try:
        return bool(compare(left, right))
    except TypeError:
        return False


def _length(value: Any) -> int | None:
    if isinstance(value, Period):
        return elapsed(value)
    return int(value) if isinstance(value, Elapsed) else None


def align(left: Any, right: Any, scene: Scene) -> tuple[Any, Any]:
    """Two operands as they compare: beside a calendar day an instant is the customer's day, so that
    ``DATE = 2026-11-27`` and ``DATE <= 2026-11-27`` hold until that day ends."""
    if isinstance(left, m.Day) or isinstance(right, m.Day):
        return _day_of(left, scene), _day_of(right, scene)
    return left, right


def _day_of(value: Any, scene: Scene) -> str | None:
    if isinstance(value, m.Day):
        return value.iso
    if isinstance(value, int) and not isinstance(value, bool):
        return local(Instant(value), scene.customer.zone).date().isoformat()
    return None


def calculate(op: str, left: Any, right: Any, scene: Scene) -> Any:
    """``+ - * /`` on numbers, money, dates and periods; missing where an operand is,
    or where the two don't go together."""
    zone = scene.customer.zone
    if isinstance(left, m.Day):
        left = read_date(left.iso, zone)
    if isinstance(right, m.Day):
        right = read_date(right.iso, zone)
    try:
        match op, left, right:
            case _, None, _:
                return None
            case _, _, None:
                return None
            case "+" | "-", Money(), Money():
                if left.currency != right.currency:
                    return None
                amount = left.amount + right.amount if op == "+" else left.amount - right.amount
                return Money(amount, left.currency)
            case "*" | "/", Money(), Decimal():
                return Money(left.amount * right if op == "*" else left.amount / right, left.currency)
            case "*", Decimal(), Money():
                return Money(left * right.amount, right.currency)
            case "/", Money(), Money():
                return left.amount / right.amount if left.currency == right.currency else None
            case "*", Decimal(), Period():
                return _scale(right, left)
            case "*", Period(), Decimal():
                return _scale(left, right)
            case "+" | "-", Period(), Period():
                sign = 1 if op == "+" else -1
                return Period(
                    left.months + sign * right.months, left.days + sign * right.days, left.micros + sign * right.micros
                )
            case "+" | "-", Decimal(), Decimal():
                return left + right if op == "+" else left - right
            case "*" | "/", Decimal(), Decimal():
                return left * right if op == "*" else left / right
            case "+" | "-", int(), Period():
                return add(Instant(left), right, zone, 1 if op == "+" else -1)
            case "+", Period(), int():
                return add(Instant(right), left, zone)
            case "-", int(), int():
                return Elapsed(left - right)
            case _:
                return None
    except (ArithmeticError, ValueError):  # division by zero, overflow, or a date beyond the calendar
        return None


def _scale(period: Period, factor: Decimal) -> Period:
    """A multiple of a period; a fraction of a month or of a day carries down as elapsed time."""
    months, days = period.months * factor, period.days * factor
    whole_months, whole_days = int(months), int(days)
    rest = ((months - whole_months) * 30 + (days - whole_days)) * 86_400_000_000 + period.micros * factor
    return Period(whole_months, whole_days, int(rest))


def past_field(past: Past, name: str, kind: FieldType, scene: Scene) -> Any:
    """A field of a past event; ``timestamp`` is when it happened."""
    if name == "timestamp":
        return past.at
    return read_value(past.fields.get(name), kind, scene, past.fields)


def to_json(value: Any) -> Any:
    """A rule's value as JSON: numbers as numbers, money as ``{"amount": "60.00", "currency": "EUR"}``, instants in RFC
    3339, a length of time in seconds."""
    match value:
        case None | bool() | str() | list() | dict():
            return value
        case Money(amount=amount, currency=currency):
            return {"amount": str(amount), "currency": currency}
        case Decimal():
            return int(value) if value.adjusted() < 18 and value == value.to_integral_value() else float(value)
        case Period():
            return elapsed(value) // 1_000_000
        case m.Day(iso=iso):
            return iso
        case m.Clock():
            return word_clock(value)
        case Elapsed():
            return int(value) // 1_000_000
        case int():
            return to_rfc3339(Instant(value))
        case tuple():
            return list(value)
        case _:
            raise TypeError(f"a rule has no value of type {type(value).__name__}")
