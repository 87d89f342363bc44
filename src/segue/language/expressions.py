"""Conditions and values: every name resolved, every type known.

A part that is wrong gives None, is told once, and makes what stands around it None without another word.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Literal, assert_never
from zoneinfo import available_timezones

import msgspec

from segue.api import FieldType, Money
from segue.diagnostics import Label
from segue.language import model
from segue.language import tree as t
from segue.language.keywords import AGGREGATES, is_reserved
from segue.language.names import Names, Scope
from segue.language.nearest import listed, nearest
from segue.language.operators import CALLED, ORDERED, Typed, as_type, calculate, currency_of, together
from segue.language.report import Report
from segue.language.vocabulary import Lexicon

_DEEPEST = 150


class TooDeep(Exception):
    """An expression is nested deeper than anything later could follow."""


class Expressions:
    """Reads the expressions of one rule. ``scope`` says what bare names mean there."""

    def __init__(self, lexicon: Lexicon, report: Report, scope: Scope) -> None:
        self._lexicon = lexicon
        self._report = report
        self._scope = scope
        self._names = Names(lexicon, report, scope)
        self._depth = 0

    def condition(self, written: t.Expression) -> model.Expression | None:
        """A condition, None when something is wrong with it."""
        value = self.value(written)
        if value is None:
            return None
        match value.node:
            case model.TriggerField() | model.Trait() | model.EventField():
                return model.Present(value.node)
            case model.Aggregate(function="first" | "last"):
                return model.Present(value.node)
            case _ if value.type == "boolean":
                return value.node
            case _:
                self._not_a_condition(written, value)
                return None

    def value(self, written: t.Expression) -> Typed | None:
        """Anything that has a type, conditions among it."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise TooDeep
        try:
            return self._value(written)
        finally:
            self._depth -= 1

    def fitting(self, written: t.Expression, wanted: FieldType, what: str) -> model.Expression | None:
        """A value for a trait or field of type ``wanted``; ``what`` names it in messages."""
        value = self.value(written)
        if value is None:
            return None
        value = as_type(value, wanted, self._lexicon.currency)
        if value.type != wanted:
            self._report.add(
                "E0405",
                written,
                f"{what} is {CALLED[wanted]}, and `{self._report.text(written)}` is {CALLED[value.type]}",
                label=f"this is {CALLED[value.type]}",
                hint=_writing(wanted),
            )
            return None
        return value.node

    def date(self, written: t.Expression) -> model.Expression | None:
        """A value that must be a date, such as that of `wait until`."""
        value = self.value(written)
        if value is None:
            return None
        if value.type == "date":
            return value.node
        if value.type == "boolean":
            asked = self._report.text(written)
            hint = f"`wait until` takes a date; to wait for something to happen write `wait for {asked} up to 7d`"
        elif value.type == "weekday":
            hint = f"add a clock time: `{self._report.text(written)} 09:00`"
        elif value.type == "period":
            hint = f"to wait that long write `wait {self._report.text(written)}`"
        else:
            hint = "a date is a day such as `2026-11-27`, a date trait such as `customer.birthday`, or `now + 2d`"
        self._report.add(
            "E0403",
            written,
            f"`{self._report.text(written)}` is {CALLED[value.type]}, and a date belongs here",
            label="not a date",
            hint=hint,
        )
        return None

    def zone(self, zone: t.Zone | None) -> str | None:
        """The name of a written zone; None is the customer's."""
        if zone is None or zone.name is None:
            return None
        if zone.name not in _zones():
            near = nearest(zone.name, _zones())
            self._report.unknown(
                "E0208",
                zone,
                f"there is no time zone `{zone.name}`",
                near,
                "zones are named after places, such as `Europe/Helsinki`",
            )
        return zone.name

    def clock(self, clock: t.ClockTime) -> model.Clock:
        return model.Clock(clock.minute)

    def _value(self, written: t.Expression) -> Typed | None:
        match written:
            case t.Number(value=number):
                return Typed(model.Literal_(number), "number")
            case t.Amount(amount=amount, currency=currency):
                return Typed(model.Literal_(Money(amount, currency)), "money")
            case t.Text(value=text):
                return Typed(model.Literal_(text), "text")
            case t.Truth(value=truth):
                return Typed(model.Literal_(truth), "boolean")
            case t.DayOfWeek(day=day):
                return Typed(model.Literal_(day), "weekday")
            case t.Duration(period=period):
                return Typed(model.Literal_(period), "period")
            case t.Date(iso=iso):
                return Typed(model.Literal_(model.Day(iso)), "date")
            case t.ClockTime():
                return Typed(model.Literal_(self.clock(written)), "time")
            case t.Now():
                return Typed(model.Now(), "date")
            case t.Path():
                return self._names.path(written)
            case t.TraitPath():
                return self._names.trait(written)
            case t.Group(value=inner):
                return self.value(inner)
            case t.Signed():
                return self._signed(written)
            case t.Calculation():
                return self._calculation(written)
            case t.Call():
                return self._call(written)
            case t.Comparison():
                return self._comparison(written)
            case t.BetweenTest():
                return self._between(written)
            case t.OneOfTest():
                return self._one_of(written)
            case t.ContainsTest():
                return self._contains(written)
            case t.History():
                return self._history(written)
            case t.Reaction():
                return self._names.reaction(written)
            case t.TimeOfDayTest(first=first, last=last, zone=zone):
                return _test(model.TimeBetween(self.clock(first), self.clock(last), self.zone(zone)))
            case t.InsideTest(name=name):
                self._report.refuse(written, f"`in {name.text}`")
                return None
            case t.CanGetTest(channel=channel):
                return _test(model.CanGet(channel.text)) if self._names.channel(channel) else None
            case t.Not(value=inner):
                negated = self.condition(inner)
                return _test(model.Not(negated)) if negated is not None else None
            case t.And(parts=parts):
                all_ = self._conditions(parts)
                return _test(model.All(all_)) if all_ is not None else None
            case t.Or(parts=parts):
                any_ = self._conditions(parts)
                return _test(model.Any_(any_)) if any_ is not None else None
            case _:
                assert_never(written)

    def _conditions(self, parts: tuple[t.Expression, ...]) -> tuple[model.Expression, ...] | None:
        read = [self.condition(part) for part in parts]
        good = tuple(part for part in read if part is not None)
        return good if len(good) == len(read) else None

    def _not_a_condition(self, written: t.Expression, value: Typed) -> None:
        text = self._report.text(written)
        hint = (
            f"compare it with something, for instance `{text} > 0`"
            if value.type in ("number", "money")
            else "compare it with something"
        )
        if value.type == "weekday":
            hint = f"write `weekday = {text}`"
        elif value.type == "time":
            hint = "write for instance `time between 09:00 and 20:00`"
        elif value.type == "period":
            hint = "to ask whether something happened lately write for instance `ordered in last 30d`"
        self._report.add(
            "E0402",
            written,
            f"`{text}` is {CALLED[value.type]}, not a condition: it is neither true nor false",
            label=f"this is {CALLED[value.type]}",
            hint=hint,
        )

    # Calculating

    def _signed(self, written: t.Signed) -> Typed | None:
        value = self.value(written.value)
        if value is None:
            return None
        if value.type not in ("number", "money"):
            self._report.add(
                "E0404",
                written,
                f"`{written.sign}` before {CALLED[value.type]} has no meaning",
                hint="a sign stands before a number or an amount of money",
            )
            return None
        if written.sign == "+":
            return value
        match value.node:
            case model.Literal_(value=int() | Decimal() as number):
                return Typed(model.Literal_(-number), "number")
            case model.Literal_(value=Money() as money):
                return Typed(model.Literal_(msgspec.structs.replace(money, amount=-money.amount)), "money")
            case _:
                return Typed(model.Arithmetic("*", value.node, model.Literal_(-1)), value.type)

    def _calculation(self, written: t.Calculation) -> Typed | None:
        # The result is nested as deep as the row is long.
        self._depth += len(written.rest)
        try:
            return self._row(written)
        finally:
            self._depth -= len(written.rest)

    def _row(self, written: t.Calculation) -> Typed | None:
        left = self.value(written.first)
        end = written.first.end
        for op, operand in written.rest:
            right = self.value(operand)
            if left is None or right is None:
                left = None
                continue
            result = calculate(op, left, right, self._lexicon.currency)
            if result is None:
                self._no_meaning(op, left, right, written.first.start, end, operand)
            elif op == "/" and isinstance(right.node, model.Literal_) and right.node.value == 0:
                self._report.add("E0404", operand, "nothing can be divided by zero", label="zero")
                result = None
            elif op in "+-":
                self._two_currencies(left, right, operand)
            left, end = result, operand.end
        return left

    def _no_meaning(self, op: str, left: Typed, right: Typed, start: int, end: int, operand: t.Expression) -> None:
        verb = {"+": "added to", "-": "subtracted from", "*": "multiplied with", "/": "divided by"}[op]
        first, second = (right, left) if op in "+-" else (left, right)
        hint = "dates go with durations, money with money, numbers with numbers"
        if left.type == right.type == "period":
            hint = "write durations together, longest unit first: `1d 2h`"
        elif {left.type, right.type} == {"date", "number"}:
            hint = "give the number a unit: `2d`, or `cycle_days * 1d`"
        self._report.add(
            "E0404",
            (start, operand.end),
            f"{CALLED[first.type]} cannot be {verb} {CALLED[second.type]}",
            label=f"this is {CALLED[left.type]} {op} {CALLED[right.type]}",
            hint=hint,
            also=(Label(self._report.span(operand), f"this is {CALLED[right.type]}"),),
        )

    def _two_currencies(self, left: Typed, right: Typed, place: t.Expression) -> None:
        one, other = currency_of(left.node), currency_of(right.node)
        if one and other and one != other:
            self._report.add(
                "W0707",
                place,
                f"{one} and {other} never compare or add: this is always a missing value",
                label=other,
                hint="write both amounts in one currency",
            )

    # Comparing

    def _comparison(self, written: t.Comparison) -> Typed | None:
        left, right = self.value(written.left), self.value(written.right)
        if left is None or right is None:
            return None
        pair = self._comparable(written.left, left, written.right, right)
        if pair is None:
            return None
        left, right = pair
        if written.op not in ("=", "!=") and left.type not in ORDERED:
            self._report.add(
                "E0401",
                written,
                f"{CALLED[left.type]} has no order: `{written.op}` needs numbers, money, dates or times",
                hint="only `=` and `!=` go with it",
            )
            return None
        return _test(model.Compare(written.op, left.node, right.node))

    def _comparable(
        self, left_written: t.Expression, left: Typed, right_written: t.Expression, right: Typed
    ) -> tuple[Typed, Typed] | None:
        pair = together(left, right, self._lexicon.currency)
        if pair is None or pair[0].type == "list":
            self._cannot_compare(left_written, left, right_written, right)
            return None
        self._two_currencies(pair[0], pair[1], right_written)
        return pair

    def _cannot_compare(
        self, left_written: t.Expression, left: Typed, right_written: t.Expression, right: Typed
    ) -> None:
        a, b = self._report.text(left_written), self._report.text(right_written)
        types = {left.type, right.type}
        hint = ""
        if left.type == right.type == "list" or "list" in types:
            hint = f'ask whether one value is in the list: `"X1" in {a if left.type == "list" else b}`'
        elif types == {"period", "number"}:
            hint = "give the number a unit, for instance `30d`"
        elif types == {"date", "period"}:
            hint = "compare two dates, for instance `customer.renewal < now + 30d`"
        elif types == {"date", "text"} and isinstance(right.node, model.Literal_):
            hint = "write a day without quotes: `2026-11-27`"
        elif types in ({"number", "text"}, {"money", "text"}):
            hint = (
                "write the number without quotes"
                if isinstance(right.node, model.Literal_)
                else "one of the two has the wrong type"
            )
        elif types == {"money", "number"}:
            hint = "write an amount, for instance `40 EUR`"
        elif types == {"time", "text"}:
            hint = "write a clock time without quotes: `09:00`"
        elif "boolean" in types:
            hint = "a yes or no is compared with `true` or `false`, or stands by itself"
        self._report.add(
            "E0401",
            right_written,
            f"`{a}` is {CALLED[left.type]} and `{b}` is {CALLED[right.type]}: they cannot be compared",
            label=f"this is {CALLED[right.type]}",
            hint=hint,
            also=(Label(self._report.span(left_written), f"this is {CALLED[left.type]}"),),
        )

    def _between(self, written: t.BetweenTest) -> Typed | None:
        value, low, high = self.value(written.value), self.value(written.low), self.value(written.high)
        if value is None or low is None or high is None:
            return None
        lower = self._comparable(written.value, value, written.low, low)
        upper = self._comparable(written.value, value, written.high, high)
        if lower is None or upper is None:
            return None
        if lower[0].type not in ORDERED:
            self._report.add(
                "E0401", written, f"{CALLED[value.type]} has no order, so nothing lies between two of them"
            )
            return None
        return _test(model.Between(lower[0].node, lower[1].node, upper[1].node))

    def _one_of(self, written: t.OneOfTest) -> Typed | None:
        value = self.value(written.value)
        among: list[model.Expression] = []
        for item in written.among:
            other = self.value(item)
            if value is None or other is None:
                continue
            pair = self._comparable(written.value, value, item, other)
            if pair is not None:
                value = pair[0]
                among.append(pair[1].node)
        if value is None or len(among) < len(written.among):
            return None
        return _test(model.OneOf(value.node, tuple(among)))

    def _contains(self, written: t.ContainsTest) -> Typed | None:
        value, container = self.value(written.value), self.value(written.list)
        if value is None or container is None:
            return None
        if container.type != "list":
            self._report.add(
                "E0401",
                written.list,
                f"`{self._report.text(written.list)}` is {CALLED[container.type]}, not a list",
                label="not a list",
                hint='to compare with several values write them out: `in ["a", "b"]`',
            )
            return None
        if value.type in ("list", "period", "weekday"):
            self._report.add(
                "E0401", written.value, f"{CALLED[value.type]} cannot be in a list", hint="lists hold texts and numbers"
            )
            return None
        return _test(model.Contains(value.node, container.node))

    # Looking back

    def _history(self, written: t.History) -> Typed | None:
        event = self._names.event_with_history(written.path)
        if event is None:
            return None
        where = None
        if written.where is not None:
            where = self._inside_brackets(event).condition(written.where)
            if where is None:
                return None
        return _test(model.Happened(event, self._window(written.window), where, written.times or 1))

    def _inside_brackets(self, event: str) -> Expressions:
        inside = Expressions(self._lexicon, self._report, self._scope.inside(event, self._lexicon.fields(event)))
        inside._depth = self._depth
        return inside

    def _window(self, written: t.InLast | t.Ever | None) -> model.Window:
        match written:
            case None:
                return model.Window(self._scope.since)
            case t.Ever():
                return model.Window("ever")
            case t.InLast(duration=duration):
                return model.Window("last", duration.period)

    def _call(self, written: t.Call) -> Typed | None:
        name = written.name.text
        if name == "coupon":
            self._report.refuse(written, "`coupon(…)`")
            return None
        if name not in AGGREGATES:
            if not is_reserved(name):
                near = nearest(name, AGGREGATES)
                self._report.unknown(
                    "E0312",
                    written.name,
                    f"there is no function `{name}`",
                    near,
                    f"the functions are {listed(AGGREGATES)}",
                )
            return None
        example = "count(ordered in last 90d)" if name == "count" else f"{name}(ordered.total in last 90d)"
        if self._scope.event is not None:
            self._report.add(
                "E0406", written, "inside the brackets only this event's fields can be asked, not other history"
            )
            return None
        what = written.arguments[0] if len(written.arguments) == 1 else None
        asked = (
            what
            if isinstance(what, t.History)
            else t.History(what.start, what.end, what, None, None, None)
            if isinstance(what, t.Path)
            else None
        )
        if asked is None or not isinstance(asked.path, t.Path) or asked.times is not None:
            self._report.add(
                "E0406",
                written,
                f"`{name}` looks at past events, and needs one to look at",
                hint=f"write for instance `{example}`",
            )
            return None
        return self._aggregate(written, name, asked, asked.path, example)

    def _aggregate(self, written: t.Call, name: str, asked: t.History, path: t.Path, example: str) -> Typed | None:
        function: Literal["count", "sum", "average", "min", "max", "first", "last"] = name  # type: ignore[assignment]
        event = self._names.event(path.names[0])
        if event is None:
            return None
        if len(path.names) != (1 if function == "count" else 2):
            message = (
                "`count` counts events, not a field" if function == "count" else f"`{name}` needs a field of the event"
            )
            self._report.add("E0406", path, message, hint=f"write for instance `{example}`")
            return None
        type_: FieldType = "number"
        field: str | None = None
        if function != "count":
            found = self._names.field(event, path.names[1])
            if found is None:
                return None
            field, type_ = path.names[1].text, found
            takes = {"sum": ("number", "money"), "average": ("number", "money"), "min": ORDERED, "max": ORDERED}.get(
                name
            )
            if takes is not None and type_ not in takes:
                self._report.add(
                    "E0404",
                    path,
                    f"`{name}` of {CALLED[type_]} has no meaning",
                    label=f"this is {CALLED[type_]}",
                    hint=f"`{name}` needs numbers or money{'' if name in ('sum', 'average') else ', dates or times'}",
                )
                return None
        where = None
        if asked.where is not None:
            where = self._inside_brackets(event).condition(asked.where)
            if where is None:
                return None
        return Typed(model.Aggregate(function, event, field, type_, self._window(asked.window), where), type_)


def _test(node: model.Expression) -> Typed:
    return Typed(node, "boolean")


def _writing(wanted: FieldType) -> str:
    return {
        "text": 'a text is written in quotes: `"gold"`',
        "number": "a number is written without quotes: `5`",
        "money": "an amount is written `40 EUR`, or `40` in the project's currency",
        "boolean": "write `true`, `false` or a condition in brackets",
        "date": "write a day such as `2026-11-27`, or `now`",
        "time": "write a clock time such as `09:00`",
        "list": "only another list fits",
    }[wanted]


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
