"""Conditions on one figure over past events, compared with constants: counts, sums, extremes, the first and the last.

A figure of numbers is held exactly, in millionths. Between two constants that it is compared with the truth is the
same for every value, so the condition itself is judged once for each such stretch, by the function that judges a single
customer.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

import numpy as np

from segue.api import Instant, Money
from segue.customers.bulk.alone import OfFields, nobody, truth_of
from segue.customers.bulk.crowd import Crowd, Longs, Mask
from segue.customers.bulk.history import Selected, Window
from segue.customers.bulk.outcomes import Outcome
from segue.customers.bulk.reading import constant, fields_of, nodes, value_of, zoned
from segue.language import model as m
from segue.program.calendar import find_zone
from segue.program.conditions import compile_expression
from segue.program.facts import Scene
from segue.program.values import past_field

_SCALE: Final = 1_000_000
_MOST: Final = 10**15
_MANY: Final = 8_000
"""Sums of so many amounts, each of so many millionths, are exact in 64 bits."""
_EXACT: Final = 2**53
"""Sums of whose averages no rounding to 28 digits, as Decimal does it, hides on which side of a constant they are."""
_MISSING: Final = -(2**62)
_ODD: Final = _MISSING - 1
"""In the place of an amount: there is none; arrays don't hold it exactly."""


def figure_in(expression: m.Expression) -> m.Aggregate | None:
    """The one figure that an expression compares with constants; None where it is of another form."""
    match expression:
        case (
            m.Compare(left=m.Aggregate() as figure, right=other) | m.Compare(left=other, right=m.Aggregate() as figure)
        ):
            return figure if constant(other) else None
        case m.Between(value=m.Aggregate() as figure, low=low, high=high):
            return figure if constant(low) and constant(high) else None
        case m.OneOf(value=m.Aggregate() as figure, among=among):
            return figure if all(map(constant, among)) else None
        case m.Present(value=m.Aggregate() as figure):
            return figure
        case _:
            return None


def _with(expression: m.Expression, value: m.Expression) -> m.Expression:
    """The expression with another value in the figure's place."""
    match expression:
        case m.Compare(op=op, left=m.Aggregate(), right=other):
            return m.Compare(op, value, other)
        case m.Compare(op=op, left=other):
            return m.Compare(op, other, value)
        case m.Between(low=low, high=high):
            return m.Between(value, low, high)
        case m.OneOf(among=among):
            return m.OneOf(value, among)
        case _:
            return m.Present(value)


class OfFigure:
    """A comparison of one figure with constants."""

    def __init__(self, expression: m.Expression, figure: m.Aggregate, currency: str) -> None:
        self._expression = expression
        self._figure = figure
        self._currency = currency
        self._window = Window(figure, currency)
        self._field = value_of(figure)
        self._counts: dict[int, bool] = {}
        self._without = self._judge(m.EventField("", "text"))
        if self._field is not None:
            fields, by_zone = fields_of(self._field), zoned(self._field) or zoned(expression)
            kind = self._field
            self._present = OfFields(fields, currency, lambda scene: int(_read(kind, scene) is not None), zoned=by_zone)
            verdict = truth_of(compile_expression(_with(expression, kind)))
            self._verdicts = OfFields(fields, currency, verdict, zoned=by_zone)
            self._amounts = Amounts(kind, currency)
            self._stretches = Stretches(expression, kind.type == "money")

    def look(self, crowd: Crowd, now: Instant, *, dues: bool) -> Outcome:
        selected = self._window.select(crowd, now)
        opened = selected.open(crowd.size)
        function = self._figure.function
        if self._field is None:
            truth = self._of_counts(crowd, selected)
        elif function in ("first", "last"):
            truth = self._of_edges(crowd, selected, opened, last=function == "last")
        else:
            truth = self._of_amounts(crowd, selected, opened)
        return Outcome(truth & ~opened, ~truth & ~opened, self._window.due(crowd, now) if dues else None)

    def _judge(self, value: m.Expression) -> bool:
        zone = find_zone("UTC")
        assert zone is not None
        judge = compile_expression(_with(self._expression, value))
        return bool(judge(Scene(nobody(zone, self._currency), Instant(0))))

    def _of_counts(self, crowd: Crowd, selected: Selected) -> Mask:
        counts = np.bincount(selected.happenings.who[selected.sure], minlength=crowd.size)
        table = np.zeros(int(counts.max(initial=0)) + 1, dtype=np.bool_)
        for count in np.flatnonzero(np.bincount(counts)).tolist():
            if count not in self._counts:
                self._counts[count] = self._judge(m.Literal_(count))
            table[count] = self._counts[count]
        return table[counts]

    def _of_edges(self, crowd: Crowd, selected: Selected, opened: Mask, *, last: bool) -> Mask:
        happenings, field = selected.happenings, self._field
        truth = np.full(crowd.size, self._without)
        rows = np.flatnonzero(selected.sure)
        if field is not None and field.name == "timestamp":
            opened[happenings.who[rows]] = True
            return truth
        codes = [happenings.fields[name] for name in self._present.fields]
        zones = crowd.zones[happenings.who[rows]]
        rows = rows[self._present.of(crowd, [column[rows] for column in codes], zones) > 0]
        who = happenings.who[rows]
        if not len(rows):
            return truth
        edge = np.flatnonzero(np.append(who[1:] != who[:-1], True) if last else np.append(True, who[1:] != who[:-1]))
        chosen = rows[edge]
        verdicts = self._verdicts.of(crowd, [column[chosen] for column in codes], crowd.zones[who[edge]])
        truth[who[edge]] = verdicts > 0
        return truth

    def _of_amounts(self, crowd: Crowd, selected: Selected, opened: Mask) -> Mask:
        happenings, function = selected.happenings, self._figure.function
        rows = np.flatnonzero(selected.sure)
        truth = np.full(crowd.size, self._without)
        if not self._amounts.held or not self._stretches.held:
            opened[happenings.who[rows]] = True
            return truth
        amounts, currencies = self._amounts.of(crowd, selected, rows)
        who = happenings.who[rows]
        opened[who[amounts == _ODD]] = True
        there = amounts > _MISSING
        who, amounts, currencies = who[there], amounts[there], currencies[there]
        count = np.bincount(who, minlength=crowd.size)
        opened |= count > _MANY
        people = np.flatnonzero(count)
        if function == "sum":
            nothing = np.zeros(1, dtype=np.int64)
            own = np.full(1, self._amounts.currency(self._currency))
            truth[:] = self._stretches.truth(nothing, nothing + 1, own, self)[0]
        if not len(people):
            return truth
        many = count[people]
        starts = np.cumsum(many) - many
        match function:
            case "min":
                value = np.minimum.reduceat(amounts, starts)
            case "max":
                value = np.maximum.reduceat(amounts, starts)
            case _:
                value = np.add.reduceat(amounts, starts)
        if function == "average":
            opened[people[np.abs(value) >= _EXACT]] = True
            opened |= not self._stretches.whole
        else:
            many = np.ones_like(many)
        mixed = np.minimum.reduceat(currencies, starts) != np.maximum.reduceat(currencies, starts)
        found = self._stretches.truth(value, many, currencies[starts], self)
        found[mixed] = self._without  # amounts of two currencies have no figure
        truth[people] = found
        return truth

    def verdict(self, amount: Decimal, currency: str | None) -> bool:
        """The truth where this is the figure."""
        return self._judge(m.Literal_(amount if currency is None else Money(amount, currency)))

    @property
    def currencies(self) -> Sequence[str]:
        """The currencies seen so far, by code."""
        return self._amounts.currencies


def _read(field: m.EventField, scene: Scene) -> object:
    assert scene.subject is not None
    return past_field(scene.subject, field.name, field.type, scene)


class Amounts:
    """Reads numbers and money of events as whole millionths, and currencies as codes."""

    def __init__(self, field: m.EventField, currency: str) -> None:
        self.held = field.type in ("number", "money") and field.name != "timestamp"
        self.currencies: list[str] = []
        self._field = field
        fields = fields_of(field)
        self._amounts = OfFields(fields, currency, self._amount, zoned=False)
        self._currencies = OfFields(fields, currency, self._code, zoned=False)

    def of(self, crowd: Crowd, selected: Selected, rows: Longs) -> tuple[Longs, Longs]:
        """The amounts and the codes of their currencies (0 for plain numbers)."""
        happenings = selected.happenings
        codes = [happenings.fields[name][rows] for name in self._amounts.fields]
        zones = crowd.zones[happenings.who[rows]]
        amounts = self._amounts.of(crowd, codes, zones)
        if self._field.type == "number":
            return amounts, np.zeros_like(amounts)
        return amounts, self._currencies.of(crowd, codes, zones)

    def currency(self, name: str) -> int:
        """The code of a currency."""
        if self._field.type == "number":
            return 0
        if name not in self.currencies:
            self.currencies.append(name)
        return self.currencies.index(name)

    def _amount(self, scene: Scene) -> int:
        value = _read(self._field, scene)
        if value is None:
            return _MISSING
        number = value.amount if isinstance(value, Money) else value
        assert isinstance(number, Decimal)
        scaled = Fraction(number) * _SCALE
        return int(scaled) if scaled.denominator == 1 and abs(scaled) <= _MOST else _ODD

    def _code(self, scene: Scene) -> int:
        value = _read(self._field, scene)
        return self.currency(value.currency) if isinstance(value, Money) else 0


class Stretches:
    """The constants that a figure is compared with, and the truth at each and between them."""

    def __init__(self, expression: m.Expression, money: bool) -> None:
        found: set[Fraction] = set()
        self.held = True
        self._money = money
        for node in nodes(_with(expression, m.Now())):
            if isinstance(node, m.Literal_):
                value = node.value.amount if isinstance(node.value, Money) else node.value
                if isinstance(value, bool) or not isinstance(value, int | Decimal):
                    self.held = False
                    return
                found.add(Fraction(value) * _SCALE)
        self._marks = sorted(found)
        self.held = all(abs(mark) <= _MOST for mark in self._marks)
        self.whole = all(mark.denominator == 1 for mark in self._marks)
        self._known: dict[tuple[int, int], bool] = {}

    def truth(self, values: Longs, parts: Longs, currencies: Longs, figure: OfFigure) -> Mask:
        """The truth for figures of so many millionths, each divided by its part."""
        stretch = np.zeros(len(values), dtype=np.int64)
        for mark in self._marks:
            floor = mark.numerator // mark.denominator
            stretch += 2 * (values > floor * parts)
            if mark.denominator == 1:
                stretch += values == floor * parts
        width = 2 * len(self._marks) + 1
        kinds, kind = np.unique(currencies * width + stretch, return_inverse=True)
        table = np.zeros(len(kinds), dtype=np.bool_)
        for number, key in enumerate(kinds.tolist()):
            code, place = divmod(key, width)
            if (code, place) not in self._known:
                name = figure.currencies[code] if self._money else None
                self._known[code, place] = figure.verdict(self._sample(place), name)
            table[number] = self._known[code, place]
        truth: Mask = table[kind.reshape(-1)]
        return truth

    def _sample(self, stretch: int) -> Decimal:
        """An amount in a stretch."""
        marks = self._marks
        if not marks:
            return Decimal(0)
        at = stretch // 2
        if stretch % 2:
            found = marks[at]
        elif at == 0:
            found = marks[0] - _SCALE
        elif at == len(marks):
            found = marks[-1] + _SCALE
        else:
            found = (marks[at - 1] + marks[at]) / 2
        return Decimal(found.numerator) / (Decimal(found.denominator) * _SCALE)
