"""Recurring and dated triggers: each occasion once, in order, and at the clock time that the customer reads."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.api import Instant, Period, to_rfc3339
from segue.api.values import DAY, SECOND
from segue.engine.occasions import next_date, next_occasion
from segue.language import model as m
from segue.program.calendar import find_zone
from segue.program.facts import Customer
from tests.engine.reference import moment_of, on_wall
from tests.engine.stage import at

EVERY_DAY = m.Weekdays((0, 1, 2, 3, 4, 5, 6))
ZONES = (
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Africa/Cairo",
)


def occasions(trigger: m.OnSchedule | m.OnDate, zone: str, after: str, count: int) -> list[str]:
    place = find_zone(zone)
    assert place is not None
    found: list[str] = []
    moment: Instant | None = at(after)
    while moment is not None and len(found) < count:
        moment = next_occasion(trigger, place, moment)
        if moment is not None:
            found.append(to_rfc3339(moment))
    return found


def dates(trigger: m.OnOffset | m.OnSchedule, value: Any, after: str, count: int, zone: str = "UTC") -> list[str]:
    place = find_zone(zone)
    assert place is not None
    ann = Customer("ann", {"day": value}, place, "EUR", {}, lambda channel, kind: None)
    found: list[str] = []
    moment: Instant | None = at(after)
    while moment is not None and len(found) < count:
        moment = next_date(trigger, ann, moment)
        if moment is not None:
            found.append(to_rfc3339(moment))
    return found


def test_every_monday_and_thursday_at_nine_in_the_customers_morning() -> None:
    twice_a_week = m.OnSchedule(m.Weekdays((0, 3)), m.Clock(540))
    assert occasions(twice_a_week, "Europe/Helsinki", "2026-01-05T06:59:59Z", 3) == [
        "2026-01-05T07:00:00Z",
        "2026-01-08T07:00:00Z",
        "2026-01-12T07:00:00Z",
    ]


def test_a_zone_that_is_written_holds_for_everybody() -> None:
    fixed = m.OnSchedule(EVERY_DAY, m.Clock(540), "Asia/Tokyo")
    assert occasions(fixed, "America/New_York", "2026-01-05T00:00:00Z", 2) == [
        "2026-01-06T00:00:00Z",
        "2026-01-07T00:00:00Z",
    ]


def test_an_occasion_is_strictly_after_the_one_before() -> None:
    daily = m.OnSchedule(EVERY_DAY, m.Clock(540))
    assert occasions(daily, "UTC", "2026-01-05T09:00:00Z", 1) == ["2026-01-06T09:00:00Z"]


def test_the_31st_of_a_month_that_lacks_it_is_its_last_day() -> None:
    monthly = m.OnSchedule(m.Monthly(31), m.Clock(480))
    assert occasions(monthly, "UTC", "2024-01-30T00:00Z", 4) == [
        "2024-01-31T08:00:00Z",
        "2024-02-29T08:00:00Z",
        "2024-03-31T08:00:00Z",
        "2024-04-30T08:00:00Z",
    ]


def test_half_past_two_comes_once_on_the_days_that_lack_it_or_have_it_twice() -> None:
    nightly = m.OnSchedule(EVERY_DAY, m.Clock(150))
    assert occasions(nightly, "Europe/Paris", "2026-03-28T12:00Z", 2) == [
        "2026-03-29T01:30:00Z",
        "2026-03-30T00:30:00Z",
    ]
    assert occasions(nightly, "Europe/Paris", "2026-10-24T12:00Z", 2) == [
        "2026-10-25T00:30:00Z",
        "2026-10-26T01:30:00Z",
    ]


def test_an_island_that_moves_its_clock_by_half_an_hour() -> None:
    nightly = m.OnSchedule(EVERY_DAY, m.Clock(135))
    # 2026-10-04: from 02:00 to 02:30, so 02:15 is 02:45; 2026-04-05: 02:00 is 01:30 again
    assert occasions(nightly, "Australia/Lord_Howe", "2026-10-03T12:00Z", 2) == [
        "2026-10-03T15:45:00Z",
        "2026-10-04T15:15:00Z",
    ]
    early = m.OnSchedule(EVERY_DAY, m.Clock(105))
    assert occasions(early, "Australia/Lord_Howe", "2026-04-04T12:00Z", 2) == [
        "2026-04-04T14:45:00Z",
        "2026-04-05T15:15:00Z",
    ]


def test_a_day_that_an_island_skipped_is_no_second_occasion() -> None:
    daily = m.OnSchedule(EVERY_DAY, m.Clock(540))
    assert occasions(daily, "Pacific/Apia", "2011-12-29T12:00Z", 3) == [
        "2011-12-29T19:00:00Z",  # the 29th, and the 30th does not exist
        "2011-12-30T19:00:00Z",
        "2011-12-31T19:00:00Z",
    ]


def test_a_broadcast_comes_once() -> None:
    broadcast = m.OnDate(m.Day("2026-11-27"), m.Clock(480), "Europe/Helsinki")
    assert occasions(broadcast, "UTC", "2026-11-01T00:00Z", 2) == ["2026-11-27T06:00:00Z"]
    assert occasions(broadcast, "UTC", "2026-11-27T06:00Z", 2) == []
    everyone = m.OnDate(m.Day("2026-11-27"), m.Clock(480))
    assert occasions(everyone, "Asia/Tokyo", "2026-11-01T00:00Z", 2) == ["2026-11-26T23:00:00Z"]


# Dates of customers


def test_a_birthday_comes_each_year_on_its_day() -> None:
    yearly = m.OnSchedule(m.Yearly("day"), m.Clock(540))
    assert dates(yearly, "1990-05-17", "2026-05-17T08:59Z", 3) == [
        "2026-05-17T09:00:00Z",
        "2027-05-17T09:00:00Z",
        "2028-05-17T09:00:00Z",
    ]


def test_who_was_born_on_a_leap_day_has_a_birthday_every_year() -> None:
    yearly = m.OnSchedule(m.Yearly("day"), m.Clock(0))
    assert dates(yearly, "2000-02-29", "2026-12-31T00:00Z", 3) == [
        "2027-02-28T00:00:00Z",
        "2028-02-29T00:00:00Z",
        "2029-02-28T00:00:00Z",
    ]


def test_a_week_before_a_birthday_in_january_is_in_december() -> None:
    yearly = m.OnSchedule(m.Yearly("day", Period(days=7)), m.Clock(540))
    assert dates(yearly, "1990-01-03", "2026-12-01T00:00Z", 2, "Europe/Paris") == [
        "2026-12-27T08:00:00Z",
        "2027-12-27T08:00:00Z",
    ]
    after = m.OnSchedule(m.Yearly("day", Period(months=14), "after"), m.Clock(540))
    assert dates(after, "1990-01-03", "2026-12-01T00:00Z", 1) == ["2027-03-03T09:00:00Z"]


def test_a_birthday_is_the_customers_own_day() -> None:
    yearly = m.OnSchedule(m.Yearly("day"), m.Clock(540))
    assert dates(yearly, "1990-05-16T23:30:00Z", "2026-01-01T00:00Z", 1, "Europe/Helsinki") == ["2026-05-17T06:00:00Z"]


def test_an_offset_to_a_date_comes_once_for_the_date_that_the_trait_has() -> None:
    before = m.OnOffset(Period(days=3), "before", "day", m.Clock(540))
    assert dates(before, "2026-03-31", "2026-01-01T00:00Z", 2, "Europe/Paris") == ["2026-03-28T08:00:00Z"]
    assert dates(before, "2026-03-31", "2026-03-28T08:00Z", 2, "Europe/Paris") == []
    plain = m.OnOffset(Period(micros=2 * 3600 * SECOND), "after", "day")
    assert dates(plain, "2025-01-08T00:00Z", "2025-01-01T00:00Z", 1) == ["2025-01-08T02:00:00Z"]


@pytest.mark.parametrize("value", [None, "soon", True, [], "9999-12-31", 10**18])
def test_who_has_no_such_date_has_no_occasion(value: Any) -> None:
    assert dates(m.OnOffset(Period(months=1), "after", "day"), value, "2026-01-01T00:00Z", 1) == []


# Laws

moments = st.integers(at("2011-12-01T00:00Z") // SECOND, at("2031-01-01T00:00Z") // SECOND).map(
    lambda seconds: Instant(seconds * SECOND)
)
clocks = st.integers(0, 1439).map(m.Clock)


@settings(deadline=None)
@given(moments, clocks, st.sampled_from(ZONES), st.sets(st.integers(0, 6), min_size=1))
def test_weekdays_are_neither_skipped_nor_told_twice(after: Instant, clock: m.Clock, zone: str, days: set[int]) -> None:
    place = find_zone(zone)
    assert place is not None
    trigger = m.OnSchedule(m.Weekdays(tuple(sorted(days))), clock)
    first = moment_of(after).astimezone(place).date() - timedelta(days=1)
    expected = [
        _first_on(first + timedelta(days=ahead), clock, zone)
        for ahead in range(40)
        if (first + timedelta(days=ahead)).weekday() in days
    ]
    _compare(trigger, zone, after, expected)


@settings(deadline=None)
@given(moments, clocks, st.sampled_from(ZONES), st.integers(1, 31))
def test_months_are_neither_skipped_nor_told_twice(after: Instant, clock: m.Clock, zone: str, number: int) -> None:
    place = find_zone(zone)
    assert place is not None
    first = moment_of(after).astimezone(place).date() - timedelta(days=32)
    expected = []
    for ahead in range(200):
        day = first + timedelta(days=ahead)
        last_of_month = (day + timedelta(days=1)).month != day.month
        if day.day == number or (last_of_month and day.day < number):
            expected.append(_first_on(day, clock, zone))
    _compare(m.OnSchedule(m.Monthly(number), clock), zone, after, expected)


@settings(deadline=None)
@given(
    moments,
    clocks,
    st.sampled_from(ZONES),
    st.dates(date(1930, 1, 1), date(2030, 1, 1)) | st.just(date(2004, 2, 29)),
    st.none() | st.tuples(st.integers(0, 14), st.integers(0, 40)),
    st.sampled_from(["before", "after"]),
)
def test_years_are_neither_skipped_nor_told_twice(
    after: Instant, clock: m.Clock, zone: str, born: date, period: tuple[int, int] | None, direction: Any
) -> None:
    moved = Period(*period) if period is not None else None
    trigger = m.OnSchedule(m.Yearly("day", moved, direction), clock)
    ann = Customer("ann", {"day": born.isoformat()}, ZoneInfo(zone), "EUR", {}, lambda channel, kind: None)
    expected = []
    for year in range(2008, 2040):
        leap = born.month == 2 and born.day == 29 and year % 4 != 0
        day = born.replace(year=year, day=28 if leap else born.day)
        if period is not None:
            sign = -1 if direction == "before" else 1
            months = day.year * 12 + day.month - 1 + sign * period[0]
            day = _clamped(months // 12, months % 12 + 1, day.day) + timedelta(days=sign * period[1])
        expected.append(_first_on(day, clock, zone))
    moment: Instant | None = after
    for wanted in [moment for moment in expected if moment > moment_of(after)][:6]:
        assert moment is not None
        moment = next_date(trigger, ann, moment)
        assert moment is not None
        assert moment_of(moment) == wanted


def _clamped(year: int, month: int, day: int) -> date:
    while True:
        try:
            return date(year, month, day)
        except ValueError:
            day -= 1


def _first_on(day: date, clock: m.Clock, zone: str) -> datetime:
    return on_wall(day, datetime(2000, 1, 1, clock.minute // 60, clock.minute % 60, tzinfo=UTC).time(), ZoneInfo(zone))


def _compare(trigger: m.OnSchedule, zone: str, after: Instant, expected: list[datetime]) -> None:
    place = find_zone(zone)
    assert place is not None
    wanted = sorted({moment for moment in expected if moment > moment_of(after)})
    moment: Instant | None = after
    for one in wanted[:12]:
        assert moment is not None
        moment = next_occasion(trigger, place, moment)
        assert moment is not None
        assert moment_of(moment) == one
        assert moment - after < 400 * DAY
