"""Local time: what a day is where the clock changes, where a month is short, and where a window crosses midnight."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Instant, Period, from_datetime, to_rfc3339
from segue.api.values import HOUR, MINUTE
from segue.program.calendar import (
    add,
    add_elapsed,
    at_wall,
    elapsed,
    find_zone,
    local,
    next_clock,
    read_clock,
    read_date,
    shift_months,
    window_opens,
    within_window,
)


def zone(name: str) -> tzinfo:
    found = find_zone(name)
    assert found is not None
    return found


UTC_ZONE = zone("UTC")
PARIS = zone("Europe/Paris")
LORD_HOWE = zone("Australia/Lord_Howe")
KATHMANDU = zone("Asia/Kathmandu")
NEW_YORK = zone("America/New_York")
TOKYO = zone("Asia/Tokyo")
ZONES = st.sampled_from([UTC_ZONE, PARIS, LORD_HOWE, KATHMANDU, NEW_YORK, TOKYO, zone("Pacific/Apia")])
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1), timezones=st.just(UTC)).map(from_datetime)  # noqa: DTZ001
DAY = Period(days=1)
FRIDAY, SATURDAY, SUNDAY, MONDAY = 4, 5, 6, 0


def at(text: str) -> Instant:
    return from_datetime(datetime.fromisoformat(text))


def shown(instant: Instant, place: tzinfo) -> str:
    """``2026-03-29T03:30+02:00``."""
    return local(instant, place).isoformat(timespec="minutes")


def clock(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


# Zones


def test_a_zone_is_found_by_its_iana_name() -> None:
    assert shown(at("2026-01-01T00:00Z"), PARIS) == "2026-01-01T01:00+01:00"
    assert find_zone("Etc/UTC") is UTC
    assert find_zone("UTC") is UTC


@pytest.mark.parametrize(
    "name", ["Atlantis/Capital", "", "../../etc/passwd", "/etc/localtime", "Europe", "a\0b", "x" * 5000]
)
def test_what_is_no_zone_is_none_and_raises_nothing(name: str) -> None:
    assert find_zone(name) is None


# Waits


@pytest.mark.parametrize(
    ("begins", "a_day", "a_day_of_hours"),
    [
        ("2026-03-28T12:00+01:00", "2026-03-29T12:00+02:00", "2026-03-29T13:00+02:00"),
        ("2026-10-24T12:00+02:00", "2026-10-25T12:00+01:00", "2026-10-25T11:00+01:00"),
        ("2026-06-01T12:00+02:00", "2026-06-02T12:00+02:00", "2026-06-02T12:00+02:00"),
    ],
)
def test_a_day_keeps_the_wall_clock_where_24_hours_do_not(begins: str, a_day: str, a_day_of_hours: str) -> None:
    assert shown(add(at(begins), DAY, PARIS), PARIS) == a_day
    assert shown(add(at(begins), Period(micros=24 * HOUR), PARIS), PARIS) == a_day_of_hours


def test_a_week_is_seven_days_on_the_wall_clock() -> None:
    assert shown(add(at("2026-03-25T09:00+01:00"), Period(days=7), PARIS), PARIS) == "2026-04-01T09:00+02:00"


def test_days_go_before_hours_in_one_period() -> None:
    one_day_two_hours = Period(days=1, micros=2 * HOUR)
    assert shown(add(at("2026-03-28T01:00+01:00"), one_day_two_hours, PARIS), PARIS) == "2026-03-29T04:00+02:00"


def test_a_wait_to_a_time_that_does_not_exist_moves_on_by_the_gap() -> None:
    assert shown(add(at("2026-03-28T02:30+01:00"), DAY, PARIS), PARIS) == "2026-03-29T03:30+02:00"
    assert shown(add(at("2026-10-03T02:10+10:30"), DAY, LORD_HOWE), LORD_HOWE) == "2026-10-04T02:40+11:00"


def test_a_wait_to_a_time_that_exists_twice_takes_the_first() -> None:
    assert to_rfc3339(add(at("2026-10-24T02:30+02:00"), DAY, PARIS)) == "2026-10-25T00:30:00Z"
    assert shown(add(at("2026-04-04T01:45+11:00"), DAY, LORD_HOWE), LORD_HOWE) == "2026-04-05T01:45+11:00"


def test_a_wait_that_begins_in_the_second_of_two_equal_hours_ends_at_that_clock_time() -> None:
    assert shown(add(at("2026-10-25T02:30+01:00"), DAY, PARIS), PARIS) == "2026-10-26T02:30+01:00"


def test_a_clock_change_of_half_an_hour_is_half_an_hour() -> None:
    for begins, length in (
        ("2026-10-03T12:00+10:30", 23.5),
        ("2026-04-04T12:00+11:00", 24.5),
        ("2026-06-01T12:00+10:30", 24),
    ):
        assert add(at(begins), DAY, LORD_HOWE) - at(begins) == int(length * HOUR)


def test_a_zone_of_quarter_hours_is_kept() -> None:
    assert shown(at_wall(date(2026, 1, 1), clock("09:00"), KATHMANDU), KATHMANDU) == "2026-01-01T09:00+05:45"
    assert to_rfc3339(next_clock(at("2026-01-01T00:00Z"), clock("09:00"), KATHMANDU)) == "2026-01-01T03:15:00Z"


def test_a_day_that_a_zone_left_out_moves_on_by_the_gap() -> None:
    apia = zone("Pacific/Apia")  # went over the date line and had no 2011-12-30
    assert shown(add(at("2011-12-29T10:00-10:00"), DAY, apia), apia) == "2011-12-31T10:00+14:00"


@pytest.mark.parametrize(
    ("begins", "months", "ends"),
    [
        ("2024-01-31", 1, "2024-02-29"),
        ("2025-01-31", 1, "2025-02-28"),
        ("2026-01-31", 3, "2026-04-30"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2024-02-29", 1, "2024-03-29"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2026-01-15", -1, "2025-12-15"),
        ("2024-02-29", -12, "2023-02-28"),
        ("2100-01-31", 1, "2100-02-28"),
    ],
)
def test_a_month_that_lacks_the_day_gives_its_last(begins: str, months: int, ends: str) -> None:
    assert shift_months(date.fromisoformat(begins), months) == date.fromisoformat(ends)
    moved = add(at(f"{begins}T10:00Z"), Period(months=abs(months)), UTC_ZONE, 1 if months > 0 else -1)
    assert moved == at(f"{ends}T10:00Z")


def test_months_go_before_days() -> None:
    assert add(at("2026-01-31T00:00Z"), Period(months=1, days=1), UTC_ZONE) == at("2026-03-01T00:00Z")


def test_before_a_date_is_by_the_calendar_too() -> None:
    renewal = at("2026-03-30T09:00+02:00")
    assert shown(add(renewal, Period(days=2), PARIS, -1), PARIS) == "2026-03-28T09:00+01:00"
    assert shown(add(renewal, Period(micros=48 * HOUR), PARIS, -1), PARIS) == "2026-03-28T08:00+01:00"


def test_in_a_window_of_history_a_day_is_24_hours_and_a_month_is_calendar() -> None:
    now = at("2026-03-29T12:00+02:00")
    assert shown(add_elapsed(now, DAY, PARIS, -1), PARIS) == "2026-03-28T11:00+01:00"
    assert add_elapsed(at("2026-03-31T12:00Z"), Period(months=1), UTC_ZONE, -1) == at("2026-02-28T12:00Z")
    assert shown(add_elapsed(now, Period(months=1, days=1), PARIS, -1), PARIS) == "2026-02-27T12:00+01:00"


@given(INSTANTS, st.integers(1, 60), ZONES)
def test_days_there_and_back_again_keep_the_wall_clock_day(begins: Instant, days: int, place: tzinfo) -> None:
    period = Period(days=days)
    there = add(begins, period, place)
    assert there > begins
    assert abs(add(there, period, place, -1) - begins) <= 25 * HOUR  # Apia's missing day
    assert local(there, place).date() >= local(begins, place).date()


@given(INSTANTS, st.integers(0, 10**12), ZONES)
def test_elapsed_time_is_the_same_in_every_zone(begins: Instant, micros: int, place: tzinfo) -> None:
    assert add(begins, Period(micros=micros), place) == begins + micros


@pytest.mark.parametrize(
    "period", [Period(months=12 * 9000), Period(days=9000 * 366), Period(micros=10**18), Period(days=10**9)]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_beyond_the_calendar_is_an_overflow_or_a_value_error_and_never_a_wrong_date(period: Period, sign: int) -> None:
    for place in (UTC_ZONE, PARIS):
        for using in (add, add_elapsed):
            with pytest.raises((OverflowError, ValueError)):
                using(at("2026-01-01T00:00Z"), period, place, sign)


def test_a_period_has_a_length_where_only_an_order_is_asked_for() -> None:
    assert elapsed(Period(months=1)) == elapsed(Period(days=30))
    assert elapsed(Period(days=1, micros=5)) == 24 * HOUR + 5


# Clock times


def test_the_next_clock_time_is_strictly_after_now() -> None:
    nine = at("2026-01-05T09:00Z")
    assert next_clock(Instant(nine - 1), clock("09:00"), UTC_ZONE) == nine
    assert next_clock(nine, clock("09:00"), UTC_ZONE) == at("2026-01-06T09:00Z")
    assert next_clock(Instant(nine + 1), clock("09:00"), UTC_ZONE) == at("2026-01-06T09:00Z")


def test_a_clock_time_is_the_customers_own() -> None:
    now = at("2023-12-19T23:00:12Z")
    assert next_clock(now, clock("08:00"), NEW_YORK) == at("2023-12-20T13:00Z")
    assert next_clock(now, clock("08:00"), TOKYO) == at("2023-12-20T23:00Z")
    assert next_clock(now, clock("08:00"), UTC_ZONE) == at("2023-12-20T08:00Z")


def test_tomorrow_is_the_next_calendar_day_also_early_in_the_morning() -> None:
    assert next_clock(at("2026-01-05T21:00Z"), clock("09:00"), UTC_ZONE, "tomorrow") == at("2026-01-06T09:00Z")
    assert next_clock(at("2026-01-05T00:30Z"), clock("09:00"), UTC_ZONE, "tomorrow") == at("2026-01-06T09:00Z")
    # 23:30 in Paris is still the 5th there
    assert (
        shown(next_clock(at("2026-01-05T23:30+01:00"), clock("09:00"), PARIS, "tomorrow"), PARIS)
        == "2026-01-06T09:00+01:00"
    )


def test_a_weekday_is_the_customers_and_may_be_today() -> None:
    monday = at("2026-01-05T08:00Z")
    assert next_clock(monday, clock("09:00"), UTC_ZONE, MONDAY) == at("2026-01-05T09:00Z")
    assert next_clock(monday, clock("08:00"), UTC_ZONE, MONDAY) == at("2026-01-12T08:00Z")
    assert next_clock(monday, clock("09:00"), UTC_ZONE, FRIDAY) == at("2026-01-09T09:00Z")
    # Sunday 20:00 UTC is Monday 05:00 in Tokyo
    assert shown(next_clock(at("2026-01-04T20:00Z"), clock("09:00"), TOKYO, MONDAY), TOKYO) == "2026-01-05T09:00+09:00"


def test_a_clock_time_that_does_not_exist_is_moved_forward_once() -> None:
    before = at("2026-03-29T00:00+01:00")
    found = next_clock(before, clock("02:30"), PARIS)
    assert shown(found, PARIS) == "2026-03-29T03:30+02:00"
    assert shown(next_clock(found, clock("02:30"), PARIS), PARIS) == "2026-03-30T02:30+02:00"
    assert shown(next_clock(before, clock("02:30"), PARIS, SUNDAY), PARIS) == "2026-03-29T03:30+02:00"


def test_a_clock_time_that_exists_twice_comes_once_the_first_time() -> None:
    first = next_clock(at("2026-10-25T00:00+02:00"), clock("02:30"), PARIS)
    assert to_rfc3339(first) == "2026-10-25T00:30:00Z"
    for later in (first, first + 10 * MINUTE, first + HOUR, first + HOUR + MINUTE):
        assert shown(next_clock(Instant(later), clock("02:30"), PARIS), PARIS) == "2026-10-26T02:30+01:00"


def test_the_half_hour_of_lord_howe_is_found_and_comes_once() -> None:
    assert (
        shown(next_clock(at("2026-10-04T00:00+10:30"), clock("02:15"), LORD_HOWE), LORD_HOWE)
        == "2026-10-04T02:45+11:00"
    )
    first = next_clock(at("2026-04-05T00:00+11:00"), clock("01:45"), LORD_HOWE)
    assert shown(first, LORD_HOWE) == "2026-04-05T01:45+11:00"
    assert shown(next_clock(first, clock("01:45"), LORD_HOWE), LORD_HOWE) == "2026-04-06T01:45+10:30"


@given(INSTANTS, st.integers(0, 1439), ZONES, st.none() | st.integers(0, 6))
def test_the_next_clock_time_is_later_and_not_more_than_a_week_or_two_days_away(
    now: Instant, minute: int, place: tzinfo, day: int | None
) -> None:
    found = next_clock(now, minute, place, day)
    assert now < found <= now + (50 * HOUR if day is None else 9 * 24 * HOUR)
    if day is not None and place is not zone("Pacific/Apia"):
        assert local(found, place).weekday() == day


# Windows


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-01-05T22:00Z", "2026-01-05T23:00Z"),
        ("2026-01-05T23:00Z", "2026-01-05T23:00Z"),
        ("2026-01-06T00:30Z", "2026-01-06T00:30Z"),
        ("2026-01-06T00:59:59.999999Z", "2026-01-06T00:59:59.999999Z"),
        ("2026-01-06T01:00Z", "2026-01-06T23:00Z"),
    ],
)
def test_a_window_over_midnight_is_open_until_just_before_its_end(now: str, opens: str) -> None:
    assert window_opens(at(now), clock("23:00"), clock("01:00"), UTC_ZONE) == at(opens)
    assert within_window(at(now), clock("23:00"), clock("01:00"), UTC_ZONE) is (now == opens)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-01-05T08:59:59Z", "2026-01-05T09:00Z"),
        ("2026-01-05T09:00Z", "2026-01-05T09:00Z"),
        ("2026-01-05T19:59:59Z", "2026-01-05T19:59:59Z"),
        ("2026-01-05T20:00Z", "2026-01-06T09:00Z"),
    ],
)
def test_a_window_within_a_day_includes_its_start_and_not_its_end(now: str, opens: str) -> None:
    assert window_opens(at(now), clock("09:00"), clock("20:00"), UTC_ZONE) == at(opens)


def test_a_window_whose_ends_are_equal_is_the_whole_day() -> None:
    assert within_window(at("2026-01-05T03:00Z"), clock("09:00"), clock("09:00"), UTC_ZONE)


def test_a_window_is_on_the_customers_wall_clock() -> None:
    now = at("2026-01-05T08:30Z")
    assert within_window(now, clock("09:00"), clock("20:00"), PARIS)
    assert not within_window(now, clock("09:00"), clock("20:00"), UTC_ZONE)


@given(INSTANTS, st.integers(0, 1439), st.integers(0, 1439), ZONES)
def test_a_window_opens_now_or_later(now: Instant, start: int, end: int, place: tzinfo) -> None:
    opens = window_opens(now, start, end, place)
    assert opens == now if within_window(now, start, end, place) else opens > now


# Dates as they are written


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-29T10:00:00Z", "2026-03-29T10:00:00Z"),
        ("2026-03-29t10:00:00z", "2026-03-29T10:00:00Z"),
        ("2026-03-29T10:00:00.25+05:45", "2026-03-29T04:15:00.250000Z"),
        ("  2026-03-29T10:00:00-00:00 ", "2026-03-29T10:00:00Z"),
        ("2026-03-29 10:00:00", "2026-03-29T08:00:00Z"),
        ("2026-03-28T10:00", "2026-03-28T09:00:00Z"),
        ("2026-03-29", "2026-03-28T23:00:00Z"),
        ("2026-03-30", "2026-03-29T22:00:00Z"),
        ("2026-03-29T02:30", "2026-03-29T01:30:00Z"),
        ("2026-10-25T02:30", "2026-10-25T00:30:00Z"),
        (1767225600, "2026-01-01T00:00:00Z"),
        (1767225600.5, "2026-01-01T00:00:00.500000Z"),
        (0, "1970-01-01T00:00:00Z"),
        (-86400, "1969-12-31T00:00:00Z"),
        (32503680000, "3000-01-01T00:00:00Z"),
        ("1890-01-01T00:00:00Z", "1890-01-01T00:00:00Z"),
        ("9999-12-30T00:00:00Z", "9999-12-30T00:00:00Z"),
    ],
)
def test_a_date_is_read_as_it_was_meant_in_paris(written: Any, meant: str) -> None:
    found = read_date(written, PARIS)
    assert found is not None
    assert to_rfc3339(found) == meant


@pytest.mark.parametrize(
    "written",
    [
        None,
        True,
        False,
        "",
        "soon",
        "2026-02-30",
        "2026-13-01",
        "29.3.2026",
        "10:00",
        "2026-03-29T25:00",
        [],
        {},
        ["2026-03-29"],
        float("nan"),
        float("inf"),
        -float("inf"),
        1e300,
        10**400,
        -(10**400),
        10**18,
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+14:00",
        "0001-01-01",
        "\0",
        "2026-03-29" * 1000,
        "٢٠٢٦-٠٣-٢٩T",
    ],
    ids=lambda written: repr(written)[:24],
)
@pytest.mark.parametrize("place", [UTC_ZONE, PARIS, TOKYO, NEW_YORK], ids=str)
def test_what_is_no_date_is_missing_and_raises_nothing(written: Any, place: tzinfo) -> None:
    assert read_date(written, place) is None


@given(st.one_of(st.text(), st.integers(), st.floats(), st.datetimes().map(str), st.dates().map(str)), ZONES)
def test_reading_a_date_never_raises_and_what_it_gives_can_be_shown(written: Any, place: tzinfo) -> None:
    found = read_date(written, place)
    assert found is None or to_rfc3339(found)
    if found is not None:
        local(found, place)


@pytest.mark.parametrize(
    ("written", "minute"),
    [
        ("09:30", 570),
        ("00:00", 0),
        ("23:59:59", 1439),
        (" 09:30 ", 570),
        ("9:30", None),
        ("24:00", None),
        ("", None),
        (930, None),
        (None, None),
    ],
)
def test_a_clock_time_is_read_as_minutes_from_midnight(written: Any, minute: int | None) -> None:
    assert read_clock(written) == minute
