"""When time alone may change a condition: never too late, and where it can be exact, exact."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.api import Instant, Period, to_rfc3339
from segue.api.values import DAY, SECOND
from segue.language import model as m
from segue.program.calendar import find_zone
from segue.program.facts import Customer, Past, Scene
from segue.program.horizon import next_change
from segue.program.steps import compile_condition, compile_segments
from tests.engine.stage import DAY as ONE_DAY
from tests.engine.stage import EVER, at, happened, hours, last
from tests.program.scenes import past

EXAMPLES = int(os.environ.get("SEGUE_EXAMPLES", "300"))
pytestmark = pytest.mark.timeout(0 if "SEGUE_EXAMPLES" in os.environ else 120)
SEGMENTS = {
    "buyers": m.Segment("buyers", None, happened("ordered", EVER)),
    "recent": m.Segment("recent", None, happened("ordered", last(Period(days=90)))),
    "lapsed": m.Segment("lapsed", None, m.All((m.InSegment("buyers"), m.Not(m.InSegment("recent"))))),
}


def customer(
    *,
    zone: str = "UTC",
    traits: Mapping[str, Any] | None = None,
    history: Mapping[str, Sequence[Past]] | None = None,
) -> Customer:
    place = find_zone(zone)
    assert place is not None
    judges = {name: condition.judge for name, condition in compile_segments(SEGMENTS).items()}
    return Customer("ann", traits or {}, place, "EUR", history or {}, lambda channel, kind: None, judges)


def change(expression: m.Expression, now: str, **facts: Any) -> str | None:
    found = next_change(expression, customer(**facts), at(now), SEGMENTS)
    return to_rfc3339(found) if found is not None else None


ORDERED = {"ordered": [past("2026-01-01T10:00Z", 1), past("2026-02-01T10:00Z", 2)]}


def test_the_next_customer_lapses_in_the_instant_at_which_the_window_is_over() -> None:
    assert change(m.InSegment("lapsed"), "2026-03-01T00:00Z", history=ORDERED) == "2026-05-02T10:00:00Z"


def test_so_many_events_are_too_few_once_the_last_of_the_newest_so_many_has_left() -> None:
    twice = happened("ordered", last(Period(days=90)), times=2)
    assert change(twice, "2026-03-01T00:00Z", history=ORDERED) == "2026-04-01T10:00:00Z"


def test_what_has_left_its_window_does_not_come_back() -> None:
    assert change(happened("ordered", last(ONE_DAY)), "2026-03-01T00:00Z", history=ORDERED) is None


def test_history_without_a_window_and_traits_never_change_by_time() -> None:
    steady = m.All((happened("ordered", EVER), m.Present(m.Trait("vip", "boolean")), m.InRule("welcome")))
    assert change(steady, "2026-03-01T00:00Z", history=ORDERED) is None


def test_a_part_that_no_time_can_change_decides_for_the_rest() -> None:
    never = m.All((m.Present(m.Trait("vip", "boolean")), m.Compare("=", m.Weekday(), m.Literal_(4))))
    assert change(never, "2026-03-01T00:00Z") is None
    assert change(never, "2026-03-01T00:00Z", traits={"vip": True}) == "2026-03-02T00:00:00Z"


def test_all_parts_that_decide_must_change_first() -> None:
    both = m.Any_((happened("ordered", last(Period(days=90))), happened("ordered", last(Period(days=60)))))
    assert change(both, "2026-03-01T00:00Z", history=ORDERED) == "2026-05-02T10:00:00Z"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-27T12:00Z", "2026-03-27T23:00:00Z"),
        ("2026-03-28T22:59:59.999999Z", "2026-03-28T23:00:00Z"),
        ("2026-03-28T23:00Z", "2026-03-29T01:00:00Z"),  # the clock is put forward: what is then, is asked then
        ("2026-03-29T01:00Z", "2026-03-29T22:00:00Z"),
    ],
)
def test_a_weekday_begins_at_the_customers_midnight(now: str, expected: str) -> None:
    assert change(m.Compare("=", m.Weekday(), m.Literal_(0)), now, zone="Europe/Paris") == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-01-05T08:59Z", "2026-01-05T09:00:00Z"),
        ("2026-01-05T09:00Z", "2026-01-05T20:00:00Z"),
        ("2026-01-05T20:00Z", "2026-01-06T09:00:00Z"),
    ],
)
def test_a_window_of_the_day_changes_at_its_ends(now: str, expected: str) -> None:
    assert change(m.TimeBetween(m.Clock(540), m.Clock(1200)), now) == expected


def test_the_second_half_past_two_of_a_night_is_not_missed() -> None:
    window = m.TimeBetween(m.Clock(150), m.Clock(240))
    seen = []
    now: str | None = "2026-10-25T00:00Z"
    for _ in range(4):
        now = change(window, now or "", zone="Europe/Paris")
        seen.append(now)
    assert seen == ["2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z", "2026-10-25T03:00:00Z"]


def test_a_plain_comparison_with_now_changes_at_that_very_instant() -> None:
    later = m.Compare(">", m.Now(), m.Trait("renewal", "date"))
    traits = {"renewal": "2026-04-01T10:00:00Z"}
    assert change(later, "2026-03-01T00:00Z", traits=traits) == "2026-04-01T10:00:00.000001Z"
    assert change(later, "2026-04-02T00:00Z", traits=traits) is None
    elapsed = m.Compare(">", m.Arithmetic("-", m.Now(), m.Trait("renewal", "date")), m.Literal_(hours(5)))
    assert change(elapsed, "2026-04-01T11:00Z", traits=traits) == "2026-04-01T15:00:00.000001Z"
    within = m.Compare("<", m.Trait("renewal", "date"), m.Arithmetic("+", m.Now(), m.Literal_(hours(5))))
    assert change(within, "2026-04-01T00:00Z", traits=traits) == "2026-04-01T05:00:00.000001Z"


def test_an_instant_that_equals_now_is_hit_and_left() -> None:
    same = m.Compare("=", m.Now(), m.Trait("renewal", "date"))
    traits = {"renewal": "2026-04-01T10:00:00Z"}
    assert change(same, "2026-03-01T00:00Z", traits=traits) == "2026-04-01T10:00:00Z"
    assert change(same, "2026-04-01T10:00Z", traits=traits) == "2026-04-01T10:00:00.000001Z"


def test_a_segment_that_names_itself_ends() -> None:
    loop = {"a": m.Segment("a", None, m.All((m.InSegment("a"), happened("ordered", last(ONE_DAY)))))}
    now = at("2026-02-01T11:00Z")
    found = next_change(m.InSegment("a"), customer(history=ORDERED), now, loop)
    assert found is None or found > now


# Any condition


PERIODS = st.sampled_from(
    [
        Period(micros=3600 * SECOND),
        Period(days=1),
        Period(days=7),
        Period(days=30),
        Period(months=1),
        Period(months=3),
        Period(months=1, days=1),
        Period(days=2, micros=1800 * SECOND),
    ]
)
CLOCKS = st.sampled_from([m.Clock(0), m.Clock(30), m.Clock(90), m.Clock(150), m.Clock(180), m.Clock(1200)])
ZONES = st.sampled_from(["UTC", "Europe/Paris", "Australia/Lord_Howe", "America/Havana", "Asia/Kathmandu"])
FIRST = at("2026-03-20T00:00Z")
DATES = st.sampled_from(
    ["2026-03-29", "2026-04-05T02:00:00", "2026-04-30", "2026-03-31T10:15:00Z", "2026-05-31", "2026-02-28T12:00:00"]
)


class Drawn:
    """Conditions drawn by plain functions: strategies nested this deep take longer to build than to draw from."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw

    def one(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def window(self) -> m.Window:
        return m.Window("last", self.draw(PERIODS)) if self.one(True, True, True, False) else EVER

    def moved(self, value: m.Expression) -> m.Expression:
        if self.one(True, False):
            return value
        return m.Arithmetic(self.one("+", "-"), value, m.Literal_(self.draw(PERIODS)))

    def date(self) -> m.Expression:
        field = m.Aggregate(self.one("first", "last", "max"), "ordered", "timestamp", "date", self.window())
        return self.one(m.Trait("due", "date"), m.Literal_(m.Day("2026-03-29")), field)  # type: ignore[no-any-return]

    def where(self) -> m.Expression | None:
        match self.one("none", "none", "total", "weekday", "age"):
            case "total":
                return m.Compare(">", m.EventField("total", "number"), m.Literal_(1))
            case "weekday":
                return m.Compare("=", m.Weekday(), m.Literal_(self.one(0, 5, 6)))
            case "age":
                age = m.Arithmetic("-", m.Now(), m.EventField("timestamp", "date"))
                return m.Compare(self.one("<", ">="), age, m.Literal_(self.draw(PERIODS)))
            case _:
                return None

    def test(self) -> m.Expression:
        order = self.one("=", "!=", "<", "<=", ">", ">=")
        match self.one(*range(10)):
            case 0 | 1:
                return m.Happened("ordered", self.window(), self.where(), self.one(1, 1, 2, 3))
            case 2:
                function = self.one("count", "sum", "average", "min", "max", "last")
                field = None if function == "count" else "total"
                figure = m.Aggregate(function, "ordered", field, "number", self.window(), self.where())
                return m.Compare(order, figure, m.Literal_(self.one(0, 1, 2, 3)))
            case 3:
                return m.TimeBetween(self.draw(CLOCKS), self.draw(CLOCKS), self.one(None, None, "Europe/Paris"))
            case 4:
                return m.OneOf(m.Weekday(), (m.Literal_(self.one(0, 5)), m.Literal_(6)))
            case 5 | 6:
                left, right = self.moved(m.Now()), self.moved(self.date())
                return m.Compare(order, *self.one((left, right), (right, left)))
            case 7:
                elapsed = m.Arithmetic("-", self.moved(m.Now()), self.date())
                return m.Compare(order, elapsed, m.Literal_(self.draw(PERIODS)))
            case 8:
                return m.Between(m.Now(), self.moved(self.date()), self.moved(self.date()))
            case _:
                return self.one(m.InSegment("lapsed"), m.Present(m.Trait("vip", "boolean")))  # type: ignore[no-any-return]

    def condition(self, depth: int = 2) -> m.Expression:
        match self.one("test", "test", "not", "and", "or", "is") if depth else "test":
            case "not":
                return m.Not(self.condition(depth - 1))
            case "and":
                return m.All((self.condition(depth - 1), self.condition(depth - 1)))
            case "or":
                return m.Any_((self.condition(depth - 1), self.condition(depth - 1)))
            case "is":
                return m.Compare(self.one("=", "!="), self.condition(depth - 1), m.Literal_(True))
            case _:
                return self.test()


@st.composite
def worlds(draw: st.DrawFn) -> tuple[m.Expression, Customer, Instant]:
    orders = []
    for number in range(draw(st.integers(0, 4))):
        moment = FIRST - draw(st.integers(0, 24 * 60)) * 3600 * SECOND
        orders.append(past(Instant(moment), number + 1, total=draw(st.integers(0, 3))))
    traits: dict[str, Any] = {"vip": draw(st.booleans())}
    if draw(st.booleans()):
        traits["due"] = draw(DATES)
    ann = customer(zone=draw(ZONES), traits=traits, history={"ordered": orders})
    now = Instant(FIRST + draw(st.integers(0, 60 * 48)) * 1800 * SECOND + draw(st.integers(0, 1)))
    return Drawn(draw).condition(), ann, now


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), st.data())
def test_until_the_next_change_nothing_changes(world: tuple[m.Expression, Customer, Instant], data: Any) -> None:
    condition, ann, now = world
    judge = compile_condition(condition, SEGMENTS).judge
    here = bool(judge(Scene(ann, now)))
    found = next_change(condition, ann, now, SEGMENTS)
    assert found is None or found > now
    until = found if found is not None else Instant(now + 400 * DAY)
    span = until - now
    moments = {now + span * part // 97 for part in range(97)} | {until - 1}
    moments |= {now + step * 900 * SECOND for step in range(400)} | {now + 1, now + 3600 * SECOND - 1}
    moments |= {now + data.draw(st.integers(0, max(span - 1, 0))) for _ in range(5)}
    for moment in sorted(moment for moment in moments if now <= moment < until):
        assert bool(judge(Scene(ann, Instant(moment)))) == here, to_rfc3339(Instant(moment))


@settings(max_examples=EXAMPLES // 10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
def test_who_asks_again_each_time_misses_no_crossing(world: tuple[m.Expression, Customer, Instant]) -> None:
    condition, ann, now = world
    judge = compile_condition(condition, SEGMENTS).judge
    crossings = []
    moment = now
    last_truth = bool(judge(Scene(ann, now)))
    end = now + 10 * DAY
    for _ in range(3000):
        found = next_change(condition, ann, moment, SEGMENTS)
        if found is None or found > end:
            break
        moment = found
        truth = bool(judge(Scene(ann, moment)))
        if truth != last_truth:
            crossings.append((moment, truth))
        last_truth = truth
    else:
        raise AssertionError("it asks again for ever")
    seen = bool(judge(Scene(ann, now)))
    for step in range(10 * DAY // (900 * SECOND)):
        sample = Instant(now + step * 900 * SECOND)
        known = [truth for at_, truth in crossings if at_ <= sample]
        expected = known[-1] if known else seen
        assert bool(judge(Scene(ann, sample))) == expected, to_rfc3339(sample)
