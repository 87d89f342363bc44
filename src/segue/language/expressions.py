"""Conditions and values: every name resolved, every type known.

A part that is wrong gives None, is told once, and makes what stands around it None without another word.
"""

from __future__ import annotations

import re
from functools import cache
from typing import assert_never
from zoneinfo import available_timezones

from segue.api import FieldType, Money
from segue.language import model
from segue.language import tree as t
from segue.language.history import History
from segue.language.names import Names, Scope
from segue.language.nearest import nearest
from segue.language.operations import Operations
from segue.language.operators import CALLED, Typed, as_type, boolean
from segue.language.report import Report
from segue.language.vocabulary import Lexicon

_DEEPEST = 150
_HOUR = re.compile(r"([01]?\d|2[0-3])(?:\.([0-5]\d))?")


class TooDeep(Exception):
    """An expression is nested deeper than anything later could follow."""


class Expressions:
    """Reads the expressions of one rule. ``scope`` says what bare names mean there; ``complete`` tells whether all were
    understood so far: what hangs on something broken elsewhere is passed over without a word."""

    def __init__(self, lexicon: Lexicon, report: Report, scope: Scope) -> None:
        self._lexicon = lexicon
        self._report = report
        self._scope = scope
        self._names = Names(lexicon, report, scope)
        self._operations = Operations(lexicon, report, self.value)
        self._history = History(report, scope, self._names, self._condition_on)
        self._depth = 0
        self.complete = True

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
            value = self._value(written)
        finally:
            self._depth -= 1
        self.complete = self.complete and value is not None
        return value

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
        elif found := _HOUR.fullmatch(self._report.text(written)):
            hint = f"a clock time has hours and minutes: `wait until {int(found[1]):02}:{found[2] or '00'}`"
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
                return self._operations.signed(written)
            case t.Calculation():
                return self._calculation(written)
            case t.Call():
                return self._history.call(written)
            case t.Comparison():
                return self._operations.comparison(written)
            case t.BetweenTest():
                return self._operations.between(written)
            case t.OneOfTest():
                return self._operations.one_of(written)
            case t.ContainsTest():
                return self._operations.contains(written)
            case t.History():
                return self._history.happened(written)
            case t.Reaction():
                return self._names.reaction(written)
            case t.TimeOfDayTest(first=first, last=last, zone=zone):
                return boolean(model.TimeBetween(self.clock(first), self.clock(last), self.zone(zone)))
            case t.InsideTest():
                return self._names.inside(written)
            case t.CanGetTest(channel=channel):
                return boolean(model.CanGet(channel.text)) if self._names.channel(channel) else None
            case t.Not(value=inner):
                negated = self.condition(inner)
                return boolean(model.Not(negated)) if negated is not None else None
            case t.And(parts=parts):
                all_ = self._conditions(parts)
                return boolean(model.All(all_)) if all_ is not None else None
            case t.Or(parts=parts):
                any_ = self._conditions(parts)
                return boolean(model.Any_(any_)) if any_ is not None else None
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

    def _calculation(self, written: t.Calculation) -> Typed | None:
        # The result is nested as deep as the row is long.
        self._depth += len(written.rest)
        try:
            return self._operations.calculation(written)
        finally:
            self._depth -= len(written.rest)

    def _condition_on(self, event: str, written: t.Expression) -> model.Expression | None:
        inside = Expressions(self._lexicon, self._report, self._scope.inside(event, self._lexicon.fields(event)))
        inside._depth = self._depth
        return inside.condition(written)


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
