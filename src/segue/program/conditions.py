"""Expressions to functions, once per program: nothing here is walked while journeys run.

The laws of values:

- None is the missing value. It equals nothing: ``=`` and every order are false, ``!=`` is true; in arithmetic it stays missing.
- Values of different types, and money in two currencies, do not compare: the outcome is that of a missing value.
- A condition is judged at ``scene.now`` and by the events' own timestamps; events after ``now`` have not happened yet.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from datetime import tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, Final, assert_never

from segue.api import FieldType, Instant, Money, Period
from segue.language import model as m
from segue.program.calendar import add, add_elapsed, elapsed, find_zone, local, read_clock, read_date, within_window
from segue.program.facts import Past, Scene

Evaluate = Callable[[Scene], Any]

_MOST_DIGITS: Final = 30
"""Digits before or after the point beyond which a number that came with an event is taken for missing."""


class Elapsed(int):
    """A length of time in microseconds: what a date minus a date gives."""


def compile_expression(expression: m.Expression) -> Evaluate:
    """The function that gives the expression's value in a scene; None is the missing value."""
    match expression:
        case m.Literal_(value=value):
            constant = _constant(value)
            return lambda scene: constant
        case m.Now():
            return lambda scene: scene.now
        case m.Weekday():
            return lambda scene: Decimal(local(scene.now, scene.customer.zone).weekday())
        case m.TriggerField(name="timestamp"):
            return lambda scene: scene.began
        case m.TriggerField(name=name, type=kind):
            return lambda scene: read_value(scene.trigger.get(name), kind, scene, scene.trigger)
        case m.Trait(name=name, type=kind):
            return lambda scene: read_value(scene.customer.traits.get(name), kind, scene, scene.customer.traits)
        case m.EventField(name=name, type=kind):
            return lambda scene: _subject_field(scene, name, kind)
        case m.Happened():
            return _happened(expression)
        case m.Aggregate():
            return _aggregate(expression)
        case m.Reacted(reaction=what, channel=channel, message=message):
            wanted = ("bounced", "undelivered") if what in ("bounced", "undelivered") else (what,)
            return lambda scene: any(
                reaction.what in wanted
                and (channel is None or reaction.channel == channel)
                and (message is None or reaction.message == message)
                for reaction in scene.reactions
            )
        case m.CanGet(channel=channel):
            return lambda scene: scene.customer.refusal(channel, scene.kind) is None
        case m.Compare(op=op, left=left, right=right):
            return _comparison(op, compile_expression(left), compile_expression(right))
        case m.Between(value=value, low=low, high=high):
            middle, bottom, top = compile_expression(value), compile_expression(low), compile_expression(high)

            def between(scene: Scene) -> bool:
                found = middle(scene)
                return ordered(operator.ge, *align(found, bottom(scene), scene)) and ordered(
                    operator.le, *align(found, top(scene), scene)
                )

            return between
        case m.OneOf(value=value, among=among):
            one, choices = compile_expression(value), tuple(compile_expression(choice) for choice in among)

            def one_of(scene: Scene) -> bool:
                found = one(scene)
                return any(equal(*align(found, choice(scene), scene)) for choice in choices)

            return one_of
        case m.Contains(value=value, list=among):
            one, many = compile_expression(value), compile_expression(among)

            def contains(scene: Scene) -> bool:
                found, items = one(scene), many(scene)
                return isinstance(items, (list, tuple)) and any(equal(found, _plain(item)) for item in items)

            return contains
        case m.TimeBetween(start=start, end=end, zone=zone):
            return lambda scene: within_window(scene.now, start.minute, end.minute, zone_of(zone, scene))
        case m.Present(value=value):
            inner = compile_expression(value)

            def present(scene: Scene) -> bool:
                found = inner(scene)
                return found is not None and found is not False

            return present
        case m.Not(value=value):
            negated = compile_expression(value)
            return lambda scene: not negated(scene)
        case m.All(parts=parts):
            needed = tuple(compile_expression(part) for part in parts)
            return lambda scene: all(part(scene) for part in needed)
        case m.Any_(parts=parts):
            enough = tuple(compile_expression(part) for part in parts)
            return lambda scene: any(part(scene) for part in enough)
        case m.Arithmetic(op=op, left=left, right=right):
            first, second = compile_expression(left), compile_expression(right)
            return lambda scene: calculate(op, first(scene), second(scene), scene)
        case _:
            assert_never(expression)


def zone_of(name: str | None, scene: Scene) -> tzinfo:
    """A zone written in the rule, else the customer's."""
    return (find_zone(name) if name else None) or scene.customer.zone


def _constant(value: Any) -> Any:
    match value:
        case bool():
            return value
        case int():
            return Decimal(value)
        case _:
            return value


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
            return _money(raw, beside, scene.customer.currency)
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
    try:
        number = Decimal(str(raw).strip())
    except InvalidOperation:
        return None
    # "1e2000000" is no amount of anything, and as a whole number takes minutes to write down
    return number if number.is_finite() and abs(number.adjusted()) < _MOST_DIGITS else None


def _money(raw: Any, beside: Any, currency: str) -> Money | None:
    if isinstance(raw, dict):
        beside, raw = raw, raw.get("amount")
    amount = _number(raw)
    if amount is None:
        return None
    named = beside.get("currency") if hasattr(beside, "get") else None
    return Money(amount, named.upper() if isinstance(named, str) and named else currency)


def _plain(item: Any) -> Any:
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


_ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _comparison(op: str, left: Evaluate, right: Evaluate) -> Evaluate:
    if op in ("=", "!="):
        wanted = op == "="
        return lambda scene: equal(*align(left(scene), right(scene), scene)) is wanted
    compare = _ORDERS[op]
    return lambda scene: ordered(compare, *align(left(scene), right(scene), scene))


def align(left: Any, right: Any, scene: Scene) -> tuple[Any, Any]:
    """Two operands as they compare: beside a calendar day an instant is the customer's day, so that ``DATE = 2026-11-27`` and
    ``DATE <= 2026-11-27`` hold until that day ends."""
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
    """``+ - * /`` on numbers, money, dates and periods; missing where an operand is, or where the two don't go together."""
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


def _subject_field(scene: Scene, name: str, kind: FieldType) -> Any:
    subject = scene.subject
    if subject is None:
        return None
    return past_field(subject, name, kind, scene)


def past_field(past: Past, name: str, kind: FieldType, scene: Scene) -> Any:
    """A field of a past event; ``timestamp`` is when it happened."""
    if name == "timestamp":
        return past.at
    return read_value(past.fields.get(name), kind, scene, past.fields)


def select_past(scene: Scene, event: str, window: m.Window, where: Evaluate | None) -> Iterator[Past]:
    """The past events that a window and a ``where`` leave, in no particular order."""
    rows: Iterable[Past] = scene.customer.history.get(event, ())
    now, without, since = scene.now, scene.without, window.since
    low: tuple[int, int] | None = None
    per: str | None = None
    if since == "entry" and scene.start is not None:
        low, per = scene.start, scene.per
    elif since == "last" and window.period is not None:
        try:
            low = (add_elapsed(now, window.period, scene.customer.zone, -1), -1)
        except (OverflowError, ValueError):
            low = None  # a window longer than the calendar: ever
    for past in rows:
        if past.at > now or past.order == without or (low is not None and (past.at, past.order) <= low):
            continue
        if per is not None and not reaches(past.fields, per, scene.value):
            continue
        if where is not None:
            outer, scene.subject = scene.subject, past
            try:
                if not where(scene):
                    continue
            finally:
                scene.subject = outer
        yield past


def reaches(fields: Any, per: str, value: str | None) -> bool:
    """Whether an event reaches the journey of one ``per`` value: it names that value, or none at all."""
    named = per_value(fields, per)
    return named is None or named == value


def per_value(fields: Any, per: str) -> str | None:
    """The value of the ``per`` field as text, None where the event has none."""
    raw = fields.get(per)
    if raw is None or raw == "":
        return None
    if isinstance(raw, str):
        return raw
    return str(raw) if isinstance(raw, (int, float)) else None


def _happened(node: m.Happened) -> Evaluate:
    event, window, times = node.event, node.window, node.times
    where = compile_expression(node.where) if node.where is not None else None
    if times == 1:

        def happened(scene: Scene) -> bool:
            if not scene.customer.history.get(event):  # most customers have no such event at all
                return False
            return any(True for _ in select_past(scene, event, window, where))

        return happened

    def happened_often(scene: Scene) -> bool:
        found = 0
        for _ in select_past(scene, event, window, where):
            found += 1
            if found >= times:
                return True
        return times <= 0

    return happened_often


def _aggregate(node: m.Aggregate) -> Evaluate:
    event, window, field, kind = node.event, node.window, node.field, node.type
    where = compile_expression(node.where) if node.where is not None else None
    function = node.function
    if function == "count" or field is None:
        return lambda scene: Decimal(sum(1 for _ in select_past(scene, event, window, where)))

    def values(scene: Scene) -> list[tuple[tuple[int, int], Any]]:
        found = (
            ((past.at, past.order), past_field(past, field, kind, scene))
            for past in select_past(scene, event, window, where)
        )
        return [pair for pair in found if pair[1] is not None]

    match function:
        case "first" | "last":
            choose = min if function == "first" else max

            def edge(scene: Scene) -> Any:
                pairs = values(scene)
                return choose(pairs, key=operator.itemgetter(0))[1] if pairs else None

            return edge
        case "min" | "max":
            smallest = function == "min"

            def extreme(scene: Scene) -> Any:
                best: Any = None
                for _, value in values(scene):
                    if best is None or ordered(operator.lt if smallest else operator.gt, value, best):
                        best = value
                return best

            return extreme
        case "sum" | "average":
            mean = function == "average"

            def total(scene: Scene) -> Any:
                pairs = values(scene)
                if not pairs:
                    return None if mean or kind == "money" else Decimal(0)
                outcome = pairs[0][1]
                for _, value in pairs[1:]:
                    outcome = calculate("+", outcome, value, scene)
                return calculate("/", outcome, Decimal(len(pairs)), scene) if mean else outcome

            return total
        case _:
            assert_never(function)


class Reads:
    """The facts an expression reads, named at compile time.

    ``events`` names the history it looks at, ``traits`` the traits, ``reach`` the channels asked for by ``can get``; ``reactions`` whether it
    asks for reactions, ``clock`` whether its value can change by time alone, ``fields`` the fields of the trigger.
    """

    __slots__ = ("clock", "events", "fields", "reach", "reactions", "traits")

    def __init__(self) -> None:
        self.events: set[str] = set()
        self.traits: set[str] = set()
        self.reach: set[str] = set()
        self.fields: set[str] = set()
        self.reactions = False
        self.clock = False


def collect_reads(expression: m.Expression | None, into: Reads) -> Reads:
    """Add what the expression reads to ``into``, and return it."""
    match expression:
        case None | m.Literal_():
            pass
        case m.Now() | m.Weekday() | m.TimeBetween():
            into.clock = True
        case m.TriggerField(name=name):
            into.fields.add(name)
        case m.Trait(name=name):
            into.traits.add(name)
        case m.EventField():
            pass
        case m.Happened(event=event, window=window, where=where):
            into.events.add(event)
            into.clock = into.clock or window.since == "last"
            collect_reads(where, into)
        case m.Aggregate(event=event, window=window, where=where):
            into.events.add(event)
            into.clock = into.clock or window.since == "last"
            collect_reads(where, into)
        case m.Reacted():
            into.reactions = True
        case m.CanGet(channel=channel):
            into.reach.add(channel)
        case m.Compare(left=left, right=right) | m.Arithmetic(left=left, right=right):
            collect_reads(left, into)
            collect_reads(right, into)
        case m.Between(value=value, low=low, high=high):
            for part in (value, low, high):
                collect_reads(part, into)
        case m.OneOf(value=value, among=among):
            for part in (value, *among):
                collect_reads(part, into)
        case m.Contains(value=value, list=among):
            collect_reads(value, into)
            collect_reads(among, into)
        case m.Present(value=value) | m.Not(value=value):
            collect_reads(value, into)
        case m.All(parts=parts) | m.Any_(parts=parts):
            for part in parts:
                collect_reads(part, into)
        case _:
            assert_never(expression)
    return into
