"""Periods and what they are compared with."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from segue.api import Instant, from_datetime
from segue.api.values import DAY, HOUR
from segue.measure.period import Period

HELSINKI = ZoneInfo("Europe/Helsinki")


def at(text: str) -> Instant:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=HELSINKI))


def test_the_stretch_before_has_the_same_days_and_times_across_a_change_of_the_clock() -> None:
    period = Period(at("2026-03-27T00:00"), at("2026-04-02T08:30"))
    assert period.before(HELSINKI) == Period(at("2026-03-20T00:00"), at("2026-03-26T08:30"))


def test_a_few_hours_are_compared_with_the_hours_before() -> None:
    assert Period(Instant(5 * HOUR), Instant(8 * HOUR)).before(HELSINKI) == Period(Instant(2 * HOUR), Instant(5 * HOUR))


def test_a_day_that_has_begun_is_compared_with_the_same_hours_of_the_day_before() -> None:
    today = Period(at("2026-03-29T00:00"), at("2026-03-29T08:30"))
    assert today.before(HELSINKI) == Period(at("2026-03-28T00:00"), at("2026-03-28T08:30"))


def test_a_day_that_is_begun_is_one_of_the_days_and_the_end_is_not() -> None:
    assert Period(at("2026-03-01T12:00"), at("2026-03-03T00:00")).days(HELSINKI) == [date(2026, 3, 1), date(2026, 3, 2)]
    assert Period(at("2026-03-01T12:00"), at("2026-03-01T12:00")).days(HELSINKI) == []


@settings(max_examples=50)
@given(st.integers(0, 2_000 * DAY), st.integers(1, 40 * DAY))
def test_the_days_of_a_period_follow_each_other_without_gap(since: int, length: int) -> None:
    period = Period(Instant(since), Instant(since + length))
    splits = period.splits(HELSINKI)
    assert splits[0].since == period.since
    assert splits[-1].until == period.until
    assert all(one.until == after.since for one, after in pairwise(splits))
    assert all(one.since < one.until for one in splits)
