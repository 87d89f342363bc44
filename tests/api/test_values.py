"""Instants, periods and money, as plugins meet them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Instant, Money, Period, from_datetime, to_datetime, to_rfc3339

INSTANTS = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999).map(Instant)


@given(INSTANTS)
def test_an_instant_and_its_datetime_are_one(instant: Instant) -> None:
    moment = to_datetime(instant)
    assert moment.tzinfo is UTC
    assert from_datetime(moment) == instant


@given(INSTANTS)
def test_an_instant_in_rfc3339_reads_back_to_the_microsecond(instant: Instant) -> None:
    text = to_rfc3339(instant)
    assert text.endswith("Z")
    assert from_datetime(datetime.fromisoformat(text)) == instant


@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)), st.integers(-1439, 1439))  # noqa: DTZ001
def test_the_zone_in_which_a_moment_is_written_makes_no_difference(wall: datetime, minutes: int) -> None:
    moment = wall.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert from_datetime(moment) == from_datetime(moment.astimezone(UTC))


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        from_datetime(datetime(2026, 1, 1))  # noqa: DTZ001


def test_an_instant_counts_microseconds_from_1970() -> None:
    assert from_datetime(datetime(1970, 1, 1, tzinfo=UTC)) == 0
    assert from_datetime(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC)) == 1_000_005
    assert from_datetime(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1


def test_the_two_hours_of_a_night_that_has_one_twice_are_two() -> None:
    night = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Paris"))
    assert from_datetime(night.replace(fold=1)) - from_datetime(night) == 3_600_000_000


def test_a_fraction_is_written_only_where_there_is_one() -> None:
    assert to_rfc3339(Instant(0)) == "1970-01-01T00:00:00Z"
    assert to_rfc3339(Instant(1_500_000)) == "1970-01-01T00:00:01.500000Z"


def test_values_cannot_be_changed_and_are_equal_by_what_they_hold() -> None:
    period, money = Period(1, 2, 3), Money(Decimal("40.00"), "EUR")
    assert period == Period(1, 2, 3)
    assert money == Money(Decimal(40), "EUR")
    assert money != Money(Decimal(40), "USD")
    assert len({period, Period(1, 2, 3), money, Money(Decimal(40), "EUR")}) == 2
    with pytest.raises(AttributeError):
        period.days = 5  # type: ignore[misc]
    with pytest.raises(AttributeError):
        money.amount = Decimal(0)  # type: ignore[misc]


def test_the_parts_of_a_period_are_kept_apart() -> None:
    assert Period(days=1) != Period(micros=86_400_000_000)
    assert Period(months=1) != Period(days=30)
    assert Period() == Period(0, 0, 0)
