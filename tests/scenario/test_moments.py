"""Where a test begins, and which instants its moments are."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Instant, Period, from_datetime, to_rfc3339
from segue.api.values import SECOND
from segue.language import model as m
from segue.program.calendar import add
from segue.scenario.moments import find_start, resolve, word_after, word_local
from tests.acceptance.drivers import read_rules, setting
from tests.scenario.trying import in_zone

HELSINKI = ZoneInfo("Europe/Helsinki")


def at(text: str) -> Instant:
    return from_datetime(datetime.fromisoformat(text))


def start(rule: str, lines: str = "expect no messages", **traits: str) -> str:
    book = read_rules(f'rule one {rule}\ntest "one" for one\n{lines}')
    return to_rfc3339(find_start(book.tests[0], book.rules[0], traits, setting().zone, setting().zone))


EVENT = "when cart_abandoned send email"


@pytest.mark.parametrize(
    ("rule", "lines", "begins"),
    [
        (EVENT, "expect no messages", "2026-01-05T09:00:00Z"),
        # A day that is named: the Monday before it.
        (EVENT, "at 2026-11-27 08:00 cart_abandoned expect email", "2026-11-23T09:00:00Z"),
        (EVENT, "at 0h cart_abandoned expect email at 2026-11-27 08:00", "2026-11-23T09:00:00Z"),
        (EVENT, "at 2026-11-23 08:00 cart_abandoned expect email", "2026-11-16T09:00:00Z"),
        (EVENT, "at 2024-02-29 cart_abandoned expect email", "2024-02-26T09:00:00Z"),
        # Only open on some days: not before them, unless the test asks about that.
        ("when cart_abandoned from 2026-11-20 to 2026-11-30 send email", "expect entry", "2026-11-23T09:00:00Z"),
        ("when cart_abandoned from 2026-11-20 to 2026-11-22 send email", "expect entry", "2026-11-20T09:00:00Z"),
        ("when cart_abandoned from 2025-11-20 send email", "expect entry", "2026-01-05T09:00:00Z"),
        (
            "when cart_abandoned from 2026-11-20 send email",
            "at 0h cart_abandoned expect email at 2026-11-21 08:00",
            "2026-11-20T09:00:00Z",
        ),
        (
            "when cart_abandoned from 2026-11-20 send email",
            "at 2026-11-20 08:00 cart_abandoned expect entry",
            "2026-11-20T00:00:00Z",
        ),
        (
            "when cart_abandoned from 2026-11-20 send email",
            "at 2026-11-19 08:00 cart_abandoned expect no entry",
            "2026-11-16T09:00:00Z",
        ),
    ],
)
def test_a_test_begins(rule: str, lines: str, begins: str) -> None:
    assert start(rule, lines) == begins


def test_a_test_of_a_broadcast_begins_on_the_monday_before_it() -> None:
    rules = "segment all where customer.country\n"
    book = read_rules(rules + 'rule one on 2026-11-27 at 08:00 for all send email\ntest "one" for one expect email')
    assert to_rfc3339(find_start(book.tests[0], book.rules[0], {}, setting().zone, setting().zone)) == (
        "2026-11-23T09:00:00Z"
    )


def test_a_test_about_a_date_of_the_customer_begins_before_its_occasion() -> None:
    rules = "customer\n renewal date\nsegment all where customer.renewal\n"
    book = read_rules(
        rules + 'rule one when 3d before customer.renewal at 09:00 for all send email\ntest "one" for one expect email'
    )
    begins = find_start(book.tests[0], book.rules[0], {"renewal": "2025-06-04"}, setting().zone, setting().zone)
    assert to_rfc3339(begins) == "2025-05-26T09:00:00Z"


def test_a_test_begins_at_nine_by_the_project_s_clock() -> None:
    zone = in_zone("Europe/Helsinki").zone
    book = read_rules(f'rule one {EVENT}\ntest "one" for one expect no entry')
    assert to_rfc3339(find_start(book.tests[0], book.rules[0], {}, zone, UTC)) == "2026-01-05T07:00:00Z"


@pytest.mark.parametrize(
    ("after", "written"),
    [
        (Period(), "0h"),
        (Period(micros=90 * 60 * SECOND), "1h 30min"),
        (Period(days=7), "7d"),
        (Period(days=1, micros=3_600 * SECOND), "1d 1h"),
        (Period(micros=1_500_000), "1s"),
    ],
)
def test_a_moment_is_written_as_in_a_test(after: Period, written: str) -> None:
    begins = at("2026-01-05T09:00+02:00")
    assert word_after(add(begins, after, HELSINKI), begins, HELSINKI) == written


@given(st.integers(0, 400 * 86_400))
def test_what_is_written_of_a_moment_means_that_moment(seconds: int) -> None:
    begins = at("2026-01-05T09:00+02:00")
    moment = Instant(begins + seconds * SECOND)
    parts = {"d": 0, "h": 0, "min": 0, "s": 0}
    for part in word_after(moment, begins, HELSINKI).split():
        number = part.rstrip("dhmins")
        parts[part[len(number) :]] = int(number)
    micros = (parts["h"] * 3600 + parts["min"] * 60 + parts["s"]) * SECOND
    read = m.TestMoment(after=Period(days=parts["d"], micros=micros))
    assert resolve(read, begins, HELSINKI) == moment


def test_the_customer_s_clock_is_shown_with_another_year_and_with_seconds() -> None:
    begins = at("2026-01-05T09:00+02:00")
    assert word_local(begins, begins, HELSINKI) == "Mon 5 Jan 09:00"
    assert word_local(at("2027-02-01T00:00:07+02:00"), begins, HELSINKI) == "Mon 1 Feb 2027 00:00:07"
