"""A survey finds for each of many customers what judging that customer alone finds, or leaves it open."""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.api import Instant, Money, Period, to_rfc3339
from segue.api.values import DAY, HOUR, SECOND
from segue.customers.bulk.crowd import NEVER
from segue.customers.bulk.outcomes import Outcome
from segue.customers.bulk.reading import nodes
from segue.customers.bulk.survey import Survey
from segue.language import model as m
from segue.program.calendar import add_elapsed, find_zone
from segue.program.conditions import Evaluate
from segue.program.facts import Customer, Past, Scene, Standing
from segue.program.horizon import next_change
from segue.program.steps import compile_condition, compile_segments
from tests.customers.bulk.crowds import crowd_of
from tests.engine.stage import EVER, at, happened, last
from tests.program.scenes import past
from tests.program.test_horizon import DATES, FIRST, PERIODS, ZONES, Drawn

EXAMPLES = int(os.environ.get("SEGUE_EXAMPLES", "300"))
pytestmark = pytest.mark.timeout(0 if "SEGUE_EXAMPLES" in os.environ else 120)
SEGMENTS: Final = {
    "buyers": m.Segment("buyers", None, happened("ordered", EVER)),
    "recent": m.Segment("recent", None, happened("ordered", last(Period(days=10)))),
    "lapsed": m.Segment("lapsed", None, m.All((m.InSegment("buyers"), m.Not(m.InSegment("recent"))))),
    "ring": m.Segment("ring", None, m.Not(m.Not(m.InSegment("lapsed")))),
}
TOTALS: Final = (
    0,
    1,
    1.5,
    2,
    3,
    59.9,
    0.1,
    -2,
    "2",
    "x",
    None,
    True,
    1e-9,
    10**22,
    [1],
    {"amount": "2", "currency": "SEK"},
)
CURRENCIES: Final = ("EUR", "SEK", "eur", None, 3)
AMOUNTS: Final = (m.Literal_(2), m.Literal_(0), m.Literal_(Decimal("1.5")), m.Literal_(Decimal("0.33333333")))
SUMS: Final = tuple(m.Literal_(Money(Decimal(amount), "EUR")) for amount in ("0", "1.5", "2", "61.4"))


class Inside(Standing):
    """Somebody who is inside one rule, or none."""

    __slots__ = ("_rule",)

    def __init__(self, rule: str) -> None:
        self._rule = rule

    def inside(self, rule: str) -> bool:
        return rule == self._rule


class Wide(Drawn):
    """More of the language than `Drawn` has: money, texts, lists, consent, rules and segments."""

    def order(self) -> Any:
        return self.one("=", "!=", "<", "<=", ">", ">=")

    def inner(self) -> m.Expression | None:
        match self.one("none", "as", "money", "text", "trait", "weekday", "list", "segment"):
            case "as":
                return m.Compare(self.order(), m.EventField("total", "number"), self.one(*AMOUNTS))
            case "money":
                return m.Compare(self.order(), m.EventField("total", "money"), self.one(*SUMS))
            case "text":
                return m.OneOf(m.EventField("total", "text"), (m.Literal_("2"), m.Literal_("x")))
            case "trait":
                return m.Compare("=", m.EventField("currency", "text"), m.Trait("city", "text"))
            case "weekday":
                return self.where()
            case "list":
                return m.Contains(m.Literal_(1), m.EventField("total", "list"))
            case "segment":
                return self.one(None, None, m.InSegment("lapsed"))  # type: ignore[no-any-return]
            case _:
                return None

    def figure(self) -> m.Expression:
        function = self.one("count", "sum", "average", "min", "max", "first", "last")
        kind = (
            self.one("number", "number", "money", "text")
            if function in ("first", "last")
            else self.one("number", "money")
        )
        name = None if function == "count" else "total"
        if function in ("first", "last", "max") and self.one(False, False, False, True):
            name, kind = "timestamp", "date"
        figure = m.Aggregate(function, "ordered", name, kind, self.window(), self.inner())
        among = {
            "money": SUMS,
            "text": (m.Literal_("2"), m.Literal_("x")),
            "date": (m.Literal_(m.Day("2026-03-29")), m.Now()),
        }
        choices = AMOUNTS if function == "count" else among.get(kind, AMOUNTS)
        match self.one("compare", "compare", "swapped", "between", "one of", "present"):
            case "compare":
                return m.Compare(self.order(), figure, self.one(*choices))
            case "swapped":
                return m.Compare(self.order(), self.one(*choices), figure)
            case "between":
                return m.Between(figure, self.one(*choices), self.one(*choices))
            case "one of":
                return m.OneOf(figure, (self.one(*choices), self.one(*choices)))
            case _:
                return m.Present(figure)

    def test(self) -> m.Expression:
        match self.one("older", "figure", "figure", "happened", "happened", "trait", "reach", "rule", "segment"):
            case "figure":
                return self.figure()
            case "happened":
                return m.Happened(
                    self.one("ordered", "ordered", "visited"), self.window(), self.inner(), self.one(1, 1, 2, 3)
                )
            case "trait":
                return self.one(  # type: ignore[no-any-return]
                    m.Compare("=", m.Trait("city", "text"), m.Literal_("Turku")),
                    m.Compare("!=", m.Trait("city", "text"), m.Literal_("1")),
                    m.Compare(self.order(), m.Trait("level", "number"), m.Literal_(1)),
                    m.Compare("=", m.Trait("level", "boolean"), m.Literal_(True)),
                    m.Compare(">", m.Trait("level", "money"), m.Literal_(Money(Decimal(1), "EUR"))),
                    m.Present(m.Trait("level", "list")),
                )
            case "reach":
                return m.CanGet(self.one("email", "sms"))
            case "rule":
                return m.InRule(self.one("welcome", "cart"))
            case "segment":
                return m.InSegment(self.one("lapsed", "buyers", "ring", "nobody"))
            case _:
                return super().test()


@st.composite
def people(draw: st.DrawFn) -> Customer:
    history: dict[str, list[Past]] = {}
    for number in range(draw(st.integers(0, 5))):
        hours_back = draw(st.integers(-24 * 3, 24 * 60))
        fields = {"total": draw(st.sampled_from(TOTALS)), "currency": draw(st.sampled_from(CURRENCIES))}
        for name in draw(st.sampled_from([(), (), ("total",), ("currency",)])):
            del fields[name]
        one = past(Instant(FIRST - hours_back * 3600 * SECOND), number + 1, **fields)
        history.setdefault(draw(st.sampled_from(["ordered", "ordered", "visited"])), []).append(one)
    traits: dict[str, Any] = {"vip": draw(st.booleans()), "level": draw(st.sampled_from(TOTALS))}
    if draw(st.booleans()):
        traits["due"] = draw(DATES)
    if draw(st.booleans()):
        traits["city"] = draw(st.sampled_from(["Turku", "EUR", 1, "1", None]))
    zone = find_zone(draw(ZONES))
    assert zone is not None
    refused = draw(st.sampled_from([(), ("email",), ("email", "sms")]))
    return Customer(
        "ann",
        traits,
        zone,
        "EUR",
        history,
        lambda channel, kind: "no consent" if channel in refused else None,
        {name: condition.judge for name, condition in compile_segments(SEGMENTS).items()},
        Inside(draw(st.sampled_from(["", "welcome"]))),
    )


@st.composite
def worlds(draw: st.DrawFn) -> tuple[m.Expression, list[Customer], Instant]:
    condition, customers = Wide(draw).condition(), draw(st.lists(people(), min_size=1, max_size=6))
    now = Instant(FIRST + draw(st.integers(0, 60 * 48)) * 1800 * SECOND + draw(st.integers(0, 1)))
    known: list[Instant] = [one.at for customer in customers for rows in customer.history.values() for one in rows]
    edges = draw(st.booleans())
    if known and edges:  # the edges of windows, which chance alone hardly meets
        left = add_elapsed(draw(st.sampled_from(known)), draw(PERIODS), customers[0].zone)
        now = Instant(left + draw(st.sampled_from([-3 * DAY, -DAY, -HOUR, -1, 0, 1, HOUR, DAY, 3 * DAY])))
    return condition, customers, now


def _by_months(condition: m.Expression) -> bool:
    return any(
        isinstance(node, m.Happened | m.Aggregate) and node.window.period is not None and node.window.period.months
        for node in nodes(condition)
    )


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(worlds(), min_size=1, max_size=3))
def test_many_at_once_are_judged_as_each_alone(drawn: list[tuple[m.Expression, list[Customer], Instant]]) -> None:
    survey = Survey(SEGMENTS, "EUR")
    for condition, customers, now in drawn:
        judge = compile_condition(condition, SEGMENTS).judge
        crowd = crowd_of(survey, customers, SEGMENTS, condition)
        found = survey.judge(condition, crowd, now)
        assert not (found.yes & found.no).any()
        for place, customer in enumerate(customers):
            alone = bool(judge(Scene(customer, now)))
            assert not found.yes[place] or alone
            assert not found.no[place] or not alone
            if found.open[place] or not (found.yes[place] or found.no[place]):
                continue
            due = next_change(condition, customer, now, SEGMENTS)
            mine = NEVER if found.due is None else int(found.due[place])
            if _by_months(condition):
                _nothing_changes_until(partial(_truth, judge, customer), now, mine, due)
            else:
                assert mine == (NEVER if due is None else due)


def _truth(judge: Evaluate, customer: Customer, moment: Instant) -> bool:
    return bool(judge(Scene(customer, moment)))


def _nothing_changes_until(truth: Callable[[Instant], bool], now: Instant, mine: int, due: int | None) -> None:
    assert mine > now
    if mine == NEVER:
        assert due is None
        return
    here = truth(now)
    steps = {now + (mine - 1 - now) * step // 59 for step in range(60)} | {now + step * 12 * HOUR for step in range(90)}
    for moment in sorted(Instant(step) for step in steps if step < mine):
        assert truth(moment) == here, to_rfc3339(moment)


HELD: Final[dict[str, m.Expression]] = {
    "so many times": happened("ordered", last(Period(days=30)), times=2),
    "a field": happened("ordered", EVER, where=m.Compare(">", m.EventField("total", "money"), SUMS[1])),
    "a sum of money": m.Compare(">=", m.Aggregate("sum", "ordered", "total", "money", last(Period(days=90))), SUMS[2]),
    "an average": m.Compare("<", m.Aggregate("average", "ordered", "total", "number", EVER), m.Literal_(3)),
    "a count": m.Between(m.Aggregate("count", "ordered", None, "number", EVER), m.Literal_(1), m.Literal_(3)),
    "the last text": m.OneOf(m.Aggregate("last", "ordered", "total", "text", EVER), (m.Literal_("2"),)),
    "consent, rules and segments": m.All((m.CanGet("email"), m.InRule("welcome"), m.InSegment("lapsed"))),
    "a date": m.Compare(">", m.Now(), m.Trait("due", "date")),
    "the clock or a trait": m.Any_(
        (m.TimeBetween(m.Clock(0), m.Clock(90)), m.Compare("=", m.Trait("city", "text"), m.Literal_("Turku")))
    ),
}


@pytest.mark.parametrize("what", HELD)
def test_ordinary_conditions_leave_nobody_open(what: str) -> None:
    condition = HELD[what]
    zone = find_zone("Europe/Paris")
    assert zone is not None
    ordered = [past("2026-02-01T10:00Z", 1, total=59.9, currency="EUR"), past("2026-03-01T10:00Z", 2, total=2)]
    traits = {"due": "2026-03-29", "city": "Turku"}
    ann = Customer("ann", traits, zone, "EUR", {"ordered": ordered}, lambda channel, kind: None)
    survey = Survey(SEGMENTS, "EUR")
    found = survey.judge(condition, crowd_of(survey, [ann], SEGMENTS, condition), FIRST)
    assert not found.open.any()


def _alone_in_a_crowd(condition: m.Expression, moment: str, now: Instant) -> Outcome:
    zone = find_zone("UTC")
    assert zone is not None
    ann = Customer("ann", {}, zone, "EUR", {"ordered": [past(moment, 1)]}, lambda channel, kind: None)
    survey = Survey({}, "EUR")
    return survey.judge(condition, crowd_of(survey, [ann], {}, condition), now)


def test_an_event_leaves_its_window_in_the_very_instant_at_which_it_is_that_old() -> None:
    recently = happened("ordered", last(Period(days=10)))
    instant = at("2026-03-11T10:00Z")
    before = _alone_in_a_crowd(recently, "2026-03-01T10:00Z", Instant(instant - 1))
    assert before.yes[0]
    assert before.due is not None
    assert before.due[0] == instant
    assert _alone_in_a_crowd(recently, "2026-03-01T10:00Z", instant).no[0]


def test_an_event_that_may_come_back_into_a_window_of_months_leaves_its_customer_open() -> None:
    recently = happened("ordered", last(Period(months=1)))
    found = _alone_in_a_crowd(recently, "2026-02-28T12:00Z", at("2026-03-29T18:00Z"))
    assert found.no[0]
    assert found.open[0]  # on the 30th, a month ago is the morning of the 28th
