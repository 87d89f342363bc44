"""Reasons in the words of the language: what is said can be written into a rule again, and means the same."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.api import Money, Period
from segue.language import model as m
from segue.language.book import Source, check_book
from segue.program import program as p
from segue.program.program import compile_rule
from segue.program.sentences import word_step
from segue.program.wording import word, word_clock, word_period, word_window
from tests.language.words import WORDS

BESIDE = """
segment lapsed where count(ordered) between 1 and 3 and not ordered in last 90d
rule welcome when signed_up send email
"""


def read_steps(text: str) -> tuple[m.Step, ...]:
    """Steps as the language reads them, in a rule that cart_abandoned begins, beside a segment and another rule."""
    book = check_book([Source("a.rules", f"{BESIDE} rule read when cart_abandoned {text}")], WORDS)
    assert [one.message for one in book.diagnostics if one.is_error] == [], text
    (rule,) = (rule for rule in book.book.rules if rule.name == "read")
    return rule.steps


def read(condition: str) -> m.Expression:
    """A condition as the language reads it."""
    (step,) = read_steps(f"if {condition} send email end")
    assert isinstance(step, m.If)
    return step.branches[0].condition


@pytest.mark.parametrize(
    "condition",
    [
        "ordered",
        "ordered ever",
        "ordered in last 30d",
        "ordered at least 2 times in last 7d",
        "ordered where (total > 50 EUR) in last 90d",
        "ordered where (total > trigger.total)",
        'ordered where ("X1" in items and not order_id = "A") at least 2 times',
        "customer.vip",
        "not customer.vip and not ordered",
        "not (customer.vip or ordered) and total > 40 EUR",
        "(ordered or returned) and (signed_up or customer.vip)",
        "not not ordered",
        "total",
        "ordered.total > 40 EUR",
        "count(ordered where (total > 5 EUR) in last 1mo) >= 3",
        "sum(ordered.total ever) between 1 EUR and 10.50 EUR",
        "first(ordered.order_id in last 2h) = customer.country",
        'customer.country in ["FI", "SE"]',
        "customer.cycle_days in [1, -2, 0.0000001]",
        '"X1" in items',
        '"X1" in ordered.items',
        '"news" in customer.interests',
        "weekday = friday",
        "weekday != sunday",
        "weekday in [saturday, sunday]",
        "monday = weekday",
        "weekday between monday and friday",
        "time between 09:00 and 20:00 local",
        "time between 22:00 and 08:30 Europe/Helsinki",
        "opened",
        "opened email",
        'clicked "cart_reminder"',
        "can get sms",
        "in lapsed",
        "not in lapsed",
        "in welcome and (in lapsed or not in welcome)",
        "(in lapsed) = true",
        "now > customer.renewal",
        "customer.renewal <= 2026-11-27",
        "customer.renewal < now + 1mo 14d",
        "now - customer.renewal > 10d",
        "(now + customer.cycle_days * 1d) < customer.renewal",
        "total * 2 + 1 EUR > 40 EUR",
        "total - (1 EUR - 2 EUR) > -40 EUR",
        "(total + 1 EUR) / (2 * customer.cycle_days) != 0.50 EUR",
        "customer.wakes < 09:30",
        "(total > 5 EUR) = true",
        "(not ordered) = (customer.vip = true)",
        "(ordered in last 1d) != false",
        "true",
    ],
)
def test_what_is_written_is_said_so_that_it_reads_the_same(condition: str) -> None:
    meant = read(condition)
    said = word(meant)
    assert read(said) == meant
    assert word(read(said)) == said


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("ordered", "ordered"),
        ("ordered   in last 30d", "ordered in last 30d"),
        ("total>40", "total > 40 EUR"),
        ("weekday = friday", "weekday = friday"),
        ("weekday in [saturday,sunday]", "weekday in [saturday, sunday]"),
        ("not (ordered or returned)", "not (ordered or returned)"),
        ("ordered.total > 5", "last(ordered.total) > 5 EUR"),
        ("ordered where (total > trigger.total)", "ordered where (total > trigger.total)"),
        ("time between 9:00 and 20:00", "time between 09:00 and 20:00 local"),
        ("customer.renewal < now + 7d", "customer.renewal < (now + 7d)"),
    ],
)
def test_a_reason_reads_as_a_marketer_would_write_it(condition: str, said: str) -> None:
    assert word(read(condition)) == said


@pytest.mark.parametrize(
    ("period", "said"),
    [
        (Period(), "0s"),
        (Period(days=1), "1d"),
        (Period(days=7), "7d"),
        (Period(days=10), "10d"),
        (Period(1, 3, 6 * 3_600_000_000), "1mo 3d 6h"),
        (Period(micros=90 * 60_000_000), "1h 30min"),
        (Period(micros=61_000_000), "1min 1s"),
        (Period(months=14), "14mo"),
    ],
)
def test_a_period_is_said_longest_unit_first(period: Period, said: str) -> None:
    assert word_period(period) == said


def test_windows_and_clock_times_are_said() -> None:
    assert [word_window(m.Window("entry")), word_window(m.Window("ever"))] == ["", " ever"]
    assert word_window(m.Window("last", Period(days=30))) == " in last 30d"
    assert [word_clock(m.Clock(0)), word_clock(m.Clock(1439))] == ["00:00", "23:59"]


def test_a_coupon_is_said_as_it_is_written() -> None:
    (step,) = read_steps('send email with code = coupon("CART10")')
    assert isinstance(step, m.Send)
    ((_, coupon),) = step.together[0][0].values
    assert word(coupon) == 'coupon("CART10")'


@pytest.mark.parametrize(
    "step",
    [
        "wait 1d",
        "wait until 09:00",
        "wait until tomorrow 09:00",
        "wait until friday 09:00 Europe/Helsinki",
        "wait until 2026-11-27 08:00",
        "wait until time between 09:00 and 20:00",
        "wait until time between 22:00 and 08:00 Europe/Helsinki",
        "wait until best time",
        "wait until customer.renewal",
        "wait until now + (customer.cycle_days * 1d)",
        "wait until 2d before customer.renewal",
        "wait until 1mo after customer.renewal at 09:00",
        "wait until 2d before customer.renewal at 09:00 Europe/Helsinki",
        "wait for ordered up to 2d",
        "wait for next in lapsed up to 7d",
        "send email",
        "send preferred or sms and push",
        "emit returned",
        "stop",
    ],
)
def test_a_step_is_said_as_it_is_written(step: str) -> None:
    assert [word_step(one) for one in steps_of(step)] == [step]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("if in lapsed stop else send email end", ["if in lapsed", "stop", "end", "send email"]),
        ('split "offer" 50% "a" stop 50% "b" send sms end', ['split "offer"', "stop", "end", "send sms"]),
        ("split 50% stop 50% send sms end", ["split", "stop", "end", "send sms"]),
        ("repeat 3 times until ordered wait 1d end", ["repeat 3 times until ordered", "wait 1d", "end"]),
        ("repeat 3 times wait 1d end", ["repeat 3 times", "wait 1d", "end"]),
        ("set customer.vip = true", ["set customer.vip"]),
    ],
)
def test_a_step_with_others_inside_is_said_by_its_first_words(written: str, said: list[str]) -> None:
    assert [word_step(one) for one in steps_of(written)] == said


def steps_of(text: str) -> tuple[p.AnyStep, ...]:
    return compile_rule(m.Rule("any", None, ("cart_abandoned",), read_steps(text))).steps


# Any condition that the language can read. Drawn by plain functions:
# strategies nested this deep take longer to build than to draw from.


class Drawn:
    """Draws the parts of one condition; ``inside``: within the brackets of ``where (…)``."""

    def __init__(self, draw: st.DrawFn, *, inside: bool = False) -> None:
        self.draw = draw
        self.inside = inside

    def one(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def number(self, depth: int = 2) -> m.Expression:
        what = self.one("literal", "literal", "trait", "field", "figure", *(["row"] if depth else []))
        match what:
            case "literal":
                return m.Literal_(self.draw(_AMOUNTS))
            case "row":
                return m.Arithmetic(self.one("+", "-", "*"), self.number(depth - 1), self.number(depth - 1))
            case "field" if self.inside:
                return m.EventField("lines", "number")
            case "figure" if not self.inside:
                function = self.one("count", "sum", "average", "min", "max", "first", "last")
                field = None if function == "count" else "lines"
                return m.Aggregate(function, "ordered", field, "number", self.window(), self.where())
            case _:
                return m.Trait("cycle_days", "number")

    def money(self, depth: int = 1) -> m.Expression:
        match self.one("literal", "trigger", "trait", "field", *(["sum", "times"] if depth else [])):
            case "literal":
                return m.Literal_(Money(self.draw(_CENTS), self.one("EUR", "EUR", "USD")))
            case "trigger":
                return m.TriggerField("total", "money")
            case "field":
                latest = m.Aggregate("last", "ordered", "total", "money", m.Window("entry"))
                return m.EventField("total", "money") if self.inside else latest
            case "sum":
                return m.Arithmetic(self.one("+", "-"), self.money(depth - 1), self.money(depth - 1))
            case "times":
                return m.Arithmetic("*", self.money(depth - 1), self.number(1))
            case _:
                return m.Trait("spent", "money")

    def text(self) -> m.Expression:
        return self.one(m.Trait("country", "text"), m.Literal_(self.draw(_TEXTS)))  # type: ignore[no-any-return]

    def window(self) -> m.Window:
        since = self.one("entry", "ever", "last")
        return m.Window(since, self.draw(_PERIODS) if since == "last" else None)

    def where(self) -> m.Expression | None:
        return Drawn(self.draw, inside=True).condition(1) if self.one(False, True) else None

    def clock(self) -> m.Clock:
        return m.Clock(self.draw(st.integers(0, 1439)))

    def weekday(self) -> m.Expression:
        return m.Literal_(self.draw(st.integers(0, 6)))

    def test(self) -> m.Expression:
        order, kinds = self.one("=", "!=", "<", "<=", ">", ">="), list(range(12 if self.inside else 16))
        match self.one(*kinds):
            case 0:
                return m.Compare(order, self.number(), self.number())
            case 1:
                return m.Compare(order, self.money(), self.money())
            case 2:
                return m.Compare(self.one("=", "!="), self.text(), self.text())
            case 3:
                return m.Compare(order, m.Weekday(), self.weekday())
            case 4:
                return m.Compare(order, m.Now(), m.Trait("renewal", "date"))
            case 5:
                return m.Between(self.number(), self.number(), self.number())
            case 6:
                return m.OneOf(
                    self.text(), tuple(m.Literal_(text) for text in self.draw(st.lists(_TEXTS, min_size=1, max_size=3)))
                )
            case 7:
                return m.OneOf(m.Weekday(), (self.weekday(), self.weekday()))
            case 8:
                items = m.EventField("items", "list") if self.inside else m.TriggerField("items", "list")
                return m.Contains(self.text(), self.one(items, m.Trait("interests", "list")))
            case 9:
                return m.TimeBetween(self.clock(), self.clock(), self.one(None, "Europe/Helsinki"))
            case 10:
                return m.Present(m.Trait("vip", "boolean"))
            case 11:
                return m.CanGet("sms")
            case 12:
                return self.one(m.InSegment("lapsed"), m.InRule("welcome"))  # type: ignore[no-any-return]
            case 13:
                return m.Happened("ordered", self.window(), self.where(), self.draw(st.integers(1, 3)))
            case 14:
                return m.Reacted("opened", self.one(None, "email"))
            case _:
                return m.Reacted("clicked", None, "cart_reminder")

    def condition(self, depth: int = 2) -> m.Expression:
        match self.one("test", "test", "not", "and", "or", "is") if depth else "test":
            case "not":
                return m.Not(self.condition(depth - 1))
            case "and":
                return m.All((self.condition(depth - 1), self.condition(depth - 1)))
            case "or":
                return m.Any_((self.condition(depth - 1), self.condition(depth - 1)))
            case "is":
                part = self.condition(depth - 1)  # a trait beside `=` is its value, and not whether it is present
                return m.Compare("=", part, m.Literal_(True)) if not isinstance(part, m.Present) else part
            case _:
                return self.test()


_AMOUNTS = st.integers(-(10**6), 10**6) | st.decimals(-1000, 1000, allow_nan=False, places=3)
_CENTS = st.decimals(-1000, 1000, allow_nan=False, places=2)
_TEXTS = st.text("abcXYZ 09.-_#'{}\\é", max_size=4)
_PERIODS: st.SearchStrategy[Period] = (
    st.tuples(st.integers(0, 30), st.integers(0, 40), st.integers(0, 100_000))
    .map(lambda parts: Period(parts[0], parts[1], parts[2] * 1_000_000))
    .filter(lambda period: period != Period())
)


@st.composite
def conditions(draw: st.DrawFn) -> m.Expression:
    return Drawn(draw).condition()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(conditions())
def test_what_is_said_of_any_condition_reads_the_same(condition: m.Expression) -> None:
    assert read(word(condition)) == condition


@settings(max_examples=40, deadline=None)
@given(_PERIODS)
def test_what_is_said_of_any_period_reads_the_same(period: Period) -> None:
    found = read(f"ordered in last {word_period(period)}")
    assert isinstance(found, m.Happened)
    assert found.window.period == period


@given(
    st.decimals(0, 10**9, allow_nan=False, allow_infinity=False, places=9)
    | st.just(Decimal("1E-7"))
    | st.just(Decimal("1E+3"))
)
def test_a_number_is_never_said_with_an_exponent(number: Decimal) -> None:
    assert "E" not in word(m.Literal_(number))
