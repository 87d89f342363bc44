"""Lark's tree to the typed tree, and the reading of numbers, durations, dates and names on the way.

A value that does not exist (31 February, 25:00) is reported and replaced, so that the rest is still looked at.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, Final, cast

from lark import Token, Tree

from segue.api import Period
from segue.diagnostics import Diagnostic, Lines
from segue.language import tree as t
from segue.language.keywords import BUILT_IN, KEYWORDS, WEEKDAYS
from segue.language.pieces import last_word
from segue.language.slip import Place, earlier, later
from segue.language.slips_of_words import slip_of_reserved

Node = Tree[Token]

_UNIT: Final = re.compile(r"(\d+)(mo|min|w|d|h|s)")
_AMOUNT: Final = re.compile(r"\d+(\.\d+)?")
_RANK: Final = {"mo": 5, "w": 4, "d": 3, "h": 2, "min": 1, "s": 0}
_MICROS: Final = {"h": 3_600_000_000, "min": 60_000_000, "s": 1_000_000}
_LONGEST_DAYS: Final = 36525
_LONGEST_NUMBER: Final = 18
_LONGEST_CHAIN: Final = 100


_MEANING: Final = frozenset(
    (
        *(
            "NAME",
            "STRING",
            "INT",
            "DECIMAL",
            "MONEY",
            "CLOCK",
            "DATE",
            "PERCENT",
            "DURATION",
            "WEEKDAY",
            "ZONE",
            "LOCAL",
        ),
        *("NEXT", "PREFERRED", "EQUAL", "COMPARISON", "SIGN", "FACTOR", "TRUE", "FALSE"),
        *("ELSE_IF", "IN_LAST", "CAN_GET", "TIME_BETWEEN", "BEST_TIME"),
    )
)
"""The tokens that carry a meaning of their own. All others only say where a node begins and ends; Lark keeps them
because its own `propagate_positions` takes longer than the parse itself."""


class ValueTransformer:
    """The words, numbers, values and conditions of one piece; ``problems`` collects what could be parsed but not
    read."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self.problems: list[Diagnostic] = []
        self._readers: dict[str, Callable[[Node], Any]] = {}

    # How the walk works: every rule of the grammar has a method of its name; `_read` calls it.

    def _read(self, node: Node) -> Any:
        children = node.children
        node.place = (_first(children[0]), _last(children[-1]))  # type: ignore[attr-defined]
        node.children = [child for child in children if isinstance(child, Tree) or child.type in _MEANING]
        name = node.data
        reader = self._readers.get(name)
        if reader is None:
            reader = self._readers[name] = getattr(self, f"_{name}")
        return reader(node)

    def _all(self, node: Node) -> list[Any]:
        """The children, each read; tokens stay tokens."""
        return [child if isinstance(child, Token) else self._read(child) for child in node.children]

    def _problem(self, code: str, start: int, end: int, message: str, label: str = "", hint: str = "") -> None:
        span = self._lines.span(start, end)
        self.problems.append(
            Diagnostic(severity="error", code=code, message=message, primary=span, label=label, hint=hint)
        )

    # Words and numbers

    def _name(self, token: Token) -> t.Name:
        start, end = ends(token)
        text = str(token)
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)
        if text in KEYWORDS:
            self._reserved(text, start, end)
        return t.Name(start, end, text)

    def _reserved(self, word: str, start: int, end: int) -> None:
        around = earlier(self._lines.text, 0, start), later(self._lines.text, end, len(self._lines.text))
        before = last_word(around[0], 0, len(around[0]))
        slip = slip_of_reserved(Place(word, start, end, before, *around, frozenset()))
        if slip is not None:
            self.problems.append(slip.diagnostic(self._lines))
            return
        self._problem(
            "E0202",
            start,
            end,
            f"`{word}` is a word of the language and cannot be a name",
            "a name belongs here",
            f"choose another name, for instance `{word}_1` or `my_{word}`",
        )

    def _new_name(self, token: Token) -> t.Name:
        """A name being given, which the language must not use itself."""
        name = self._name(token)
        if name.text in BUILT_IN:
            self._problem(
                "E0202",
                name.start,
                name.end,
                f"`{name.text}` has a meaning in the language already and cannot be declared",
                "already means something",
                "choose another name",
            )
        return name

    def _string(self, token: Token) -> t.Text:
        return t.Text(*ends(token), str(token)[1:-1])

    def _int(self, token: Token) -> int:
        if len(token) > _LONGEST_NUMBER:
            self._problem(
                "E0208", *ends(token), "this number is too long", "too many digits", "write at most 18 digits"
            )
            return 0
        return int(token)

    def _decimal(self, token: Token, text: str) -> Decimal:
        if len(text) > 2 * _LONGEST_NUMBER:
            self._problem(
                "E0208", *ends(token), "this number is too long", "too many digits", "write at most 18 digits"
            )
            return Decimal(0)
        return Decimal(text)

    def _percent(self, token: Token) -> Decimal:
        percent = self._decimal(token, str(token)[:-1])
        if percent > 100:
            self._problem("E0208", *ends(token), f"{percent}% is more than everyone", "", "a share is at most 100%")
        return percent

    def _clock_token(self, token: Token) -> t.ClockTime:
        hour, minute = (int(part) for part in str(token).split(":"))
        if hour > 23 or minute > 59:
            self._problem(
                "E0208",
                *ends(token),
                f"there is no clock time {token}",
                "no such time",
                "hours run from 00 to 23 and minutes from 00 to 59; midnight is 00:00",
            )
            hour = minute = 0
        return t.ClockTime(*ends(token), hour * 60 + minute)

    def _date_token(self, token: Token) -> t.Date:
        try:
            date.fromisoformat(str(token))
        except ValueError:
            self._problem(
                "E0208",
                *ends(token),
                f"there is no day {token}",
                "no such day",
                "a day is written year-month-day, such as 2026-11-27",
            )
            return t.Date(*ends(token), "2000-01-01")
        return t.Date(*ends(token), str(token))

    def _weekday_token(self, token: Token) -> t.DayOfWeek:
        return t.DayOfWeek(*ends(token), WEEKDAYS.index(str(token)))

    def _duration(self, node: Node) -> t.Duration:
        start, end = places(node)
        parts = [(int(n[:9]), unit, len(n)) for token in node.children for n, unit in _UNIT.findall(str(token))]
        months = days = micros = 0
        rank = 6
        for amount, unit, digits in parts:
            if _RANK[unit] >= rank:
                self._problem(
                    "E0207",
                    start,
                    end,
                    "the parts of a duration go from the longest unit to the shortest, each once",
                    "",
                    "the order is mo, w, d, h, min, s: for instance `1w 3d` or `1h30min`",
                )
                break
            rank = _RANK[unit]
            if digits > 6 or amount > 500_000:
                self._problem("E0207", start, end, "this is longer than any journey can last", "over a hundred years")
                break
            if unit == "mo":
                months += amount
            elif unit in "wd":
                days += amount * (7 if unit == "w" else 1)
            else:
                micros += amount * _MICROS[unit]
        if months * 30 + days > _LONGEST_DAYS:
            self._problem("E0207", start, end, "this is longer than any journey can last", "over a hundred years")
            months = days = 0
        return t.Duration(start, end, Period(months, days, micros))

    def _zone(self, node: Node) -> t.Zone:
        token = cast(Token, node.children[0])
        return t.Zone(*ends(token), None if token == "local" else str(token))

    # Values and conditions

    def _number(self, node: Node) -> t.Number:
        token = cast(Token, node.children[0])
        value = self._int(token) if token.type == "INT" else self._decimal(token, str(token))
        return t.Number(*ends(token), value)

    def _money(self, node: Node) -> t.Amount:
        token = cast(Token, node.children[0])
        amount = _AMOUNT.match(token)
        assert amount is not None
        return t.Amount(*ends(token), self._decimal(token, amount.group()), str(token)[-3:])

    def _text(self, node: Node) -> t.Text:
        return self._string(cast(Token, node.children[0]))

    def _boolean(self, node: Node) -> t.Truth:
        return t.Truth(*places(node), node.children[0] == "true")

    def _weekday_name(self, node: Node) -> t.DayOfWeek:
        return self._weekday_token(cast(Token, node.children[0]))

    def _date(self, node: Node) -> t.Date:
        return self._date_token(cast(Token, node.children[0]))

    def _clock(self, node: Node) -> t.ClockTime:
        return self._clock_token(cast(Token, node.children[0]))

    def _now(self, node: Node) -> t.Now:
        return t.Now(*places(node))

    def _path(self, node: Node) -> t.Path:
        return t.Path(*places(node), tuple(self._name(cast(Token, child)) for child in node.children))

    def _trait(self, node: Node) -> t.TraitPath:
        return t.TraitPath(*places(node), self._name(cast(Token, node.children[0])))

    def _call(self, node: Node) -> t.Call:
        name, *arguments = self._all(node)
        return t.Call(*places(node), self._name(name), tuple(arguments))

    def _signed(self, node: Node) -> t.Signed:
        sign, value = self._all(node)
        return t.Signed(*places(node), cast(Any, str(sign)), value)

    def _group(self, node: Node) -> t.Group:
        return t.Group(*places(node), self._all(node)[0])

    def _sum(self, node: Node) -> t.Calculation:
        first, *rest = self._all(node)
        if len(rest) > 2 * _LONGEST_CHAIN:
            self._problem(
                "E0209", *places(node), f"more than {_LONGEST_CHAIN} operations in one row", "", "make it shorter"
            )
            rest = rest[:2]
        pairs = tuple((cast(Any, str(op)), value) for op, value in zip(rest[::2], rest[1::2], strict=True))
        return t.Calculation(*places(node), first, pairs)

    _product = _sum

    def _compare(self, node: Node) -> t.Comparison:
        left, op, right = self._all(node)
        return t.Comparison(*places(node), cast(Any, str(op)), left, right)

    def _between(self, node: Node) -> t.BetweenTest:
        return t.BetweenTest(*places(node), *self._all(node))

    def _one_of(self, node: Node) -> t.OneOfTest:
        value, *among = self._all(node)
        return t.OneOfTest(*places(node), value, tuple(among))

    def _contains(self, node: Node) -> t.ContainsTest:
        return t.ContainsTest(*places(node), *self._all(node))

    def _history(self, node: Node) -> t.History:
        path, *rest = self._all(node)
        where: t.Expression | None = None
        times: int | None = None
        window: t.InLast | t.Ever | None = None
        for part in rest:
            match part:
                case t.InLast() | t.Ever():
                    window = part
                case int():
                    times = part
                case _:
                    where = part
        return t.History(*places(node), path, where, times, window)

    def _filter(self, node: Node) -> t.Expression:
        return cast(t.Expression, self._all(node)[0])

    def _at_least(self, node: Node) -> int:
        token = cast(Token, node.children[0])
        times = self._int(token)
        if times < 1:
            self._problem("E0208", *ends(token), "`at least 0 times` is always true", "", "count from 1")
            return 1
        return times

    def _in_last(self, node: Node) -> t.InLast:
        children = self._all(node)
        return t.InLast(*places(node), children[-1])

    def _ever(self, node: Node) -> t.Ever:
        return t.Ever(*places(node))

    def _reaction_to_message(self, node: Node) -> t.Reaction:
        name, message = node.children
        return t.Reaction(*places(node), self._name(cast(Token, name)), None, self._string(cast(Token, message)))

    def _reaction_by_channel(self, node: Node) -> t.Reaction:
        name, channel = node.children
        return t.Reaction(*places(node), self._name(cast(Token, name)), self._name(cast(Token, channel)), None)

    def _time_between(self, node: Node) -> t.TimeOfDayTest:
        _, first, last, *zone = self._all(node)
        return t.TimeOfDayTest(
            *places(node), self._clock_token(first), self._clock_token(last), zone[0] if zone else None
        )

    def _inside(self, node: Node) -> t.InsideTest:
        return t.InsideTest(*places(node), self._name(cast(Token, node.children[0])))

    def _can_get(self, node: Node) -> t.CanGetTest:
        return t.CanGetTest(*places(node), self._name(cast(Token, node.children[1])))

    def _not_(self, node: Node) -> t.Not:
        return t.Not(*places(node), self._all(node)[0])

    def _and_(self, node: Node) -> t.And:
        return t.And(*places(node), tuple(self._all(node)))

    def _or_(self, node: Node) -> t.Or:
        return t.Or(*places(node), tuple(self._all(node)))


def ends(token: Token) -> tuple[int, int]:
    return cast(int, token.start_pos), cast(int, token.end_pos)


def places(node: Node) -> tuple[int, int]:
    """Where a node that is being read begins and ends."""
    return node.place  # type: ignore[attr-defined,no-any-return]


def _first(child: Token | Node) -> int:
    while isinstance(child, Tree):
        child = child.children[0]
    return cast(int, child.start_pos)


def _last(child: Token | Node) -> int:
    while isinstance(child, Tree):
        child = child.children[-1]
    return cast(int, child.end_pos)
