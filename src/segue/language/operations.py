"""What stands between values: calculating and comparing.

A part that is wrong gives None: it has been told already.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec

from segue.api import Money
from segue.diagnostics import Label
from segue.language import model
from segue.language import tree as t
from segue.language.operators import CALLED, ORDERED, Typed, boolean, calculate, currency_of, together
from segue.language.report import Report
from segue.language.vocabulary import Lexicon


class Operations:
    """Reads operators. ``value`` reads what stands on their sides."""

    def __init__(self, lexicon: Lexicon, report: Report, value: Callable[[t.Expression], Typed | None]) -> None:
        self._lexicon = lexicon
        self._report = report
        self._value = value

    # Calculating

    def signed(self, written: t.Signed) -> Typed | None:
        value = self._value(written.value)
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

    def calculation(self, written: t.Calculation) -> Typed | None:
        left = self._value(written.first)
        end = written.first.end
        for op, operand in written.rest:
            right = self._value(operand)
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

    def comparison(self, written: t.Comparison) -> Typed | None:
        left, right = self._value(written.left), self._value(written.right)
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
        return boolean(model.Compare(written.op, left.node, right.node))

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

    def between(self, written: t.BetweenTest) -> Typed | None:
        value, low, high = self._value(written.value), self._value(written.low), self._value(written.high)
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
        return boolean(model.Between(lower[0].node, lower[1].node, upper[1].node))

    def one_of(self, written: t.OneOfTest) -> Typed | None:
        value = self._value(written.value)
        among: list[model.Expression] = []
        for item in written.among:
            other = self._value(item)
            if value is None or other is None:
                continue
            pair = self._comparable(written.value, value, item, other)
            if pair is not None:
                value = pair[0]
                among.append(pair[1].node)
        if value is None or len(among) < len(written.among):
            return None
        return boolean(model.OneOf(value.node, tuple(among)))

    def contains(self, written: t.ContainsTest) -> Typed | None:
        value, container = self._value(written.value), self._value(written.list)
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
        return boolean(model.Contains(value.node, container.node))
