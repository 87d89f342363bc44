"""The contact policy's decisions, one message at a time, and the laws that hold over any number of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Instant, Money, Period, from_datetime
from segue.api.values import DAY, HOUR, MINUTE, SECOND
from segue.delivery.policy import (
    Asking,
    Defer,
    Drop,
    Go,
    Line,
    Taken,
    Verdict,
    budget_days,
    in_words,
    judge,
    to_millionths,
    word_line,
    word_millionths,
)
from segue.language import model as m
from segue.program.calendar import add_elapsed, local

MONDAY = from_datetime(datetime(2026, 3, 2, 10, tzinfo=UTC))
DEFER, DROP = m.Overflow("defer"), m.Overflow("drop")
ONE_DAY, ONE_WEEK = Period(days=1), Period(days=7)
ZONES = (
    "UTC",
    "Europe/Helsinki",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
)


def policy(*lines: Line) -> m.Policy:
    return m.Policy("promotional", lines)


def ask(
    *lines: Line,
    now: int = MONDAY,
    taken: Sequence[Taken] = (),
    spent: int = 0,
    zone: str = "UTC",
    **more: object,
) -> Verdict:
    fields: dict[str, object] = {"channel": "email", "kind": "promotional", "expires": Instant(now + DAY), **more}
    asking = Asking(zone=ZoneInfo(zone), **fields)  # type: ignore[arg-type]
    return judge(in_words(policy(*lines)), asking, taken, lambda currency, first, end: spent, UTC, Instant(now))


def slot(at: int, channel: str = "email", rule: str = "welcome", row: int = 1) -> Taken:
    return Taken(Instant(at), channel, rule, row)


# Quiet hours


def quiet(start: str, end: str, zone: str | None = None, overflow: m.Overflow = DEFER) -> m.Quiet:
    return m.Quiet(clock(start), clock(end), zone, overflow)


def clock(text: str) -> m.Clock:
    hour, minute = text.split(":")
    return m.Clock(int(hour) * 60 + int(minute))


def test_a_message_in_the_night_waits_for_the_morning() -> None:
    verdict = ask(quiet("21:00", "09:00"), now=MONDAY + 13 * HOUR + 10 * MINUTE)
    assert isinstance(verdict, Defer)
    assert verdict.until == MONDAY + 23 * HOUR
    assert verdict.reason == "quiet 21:00 to 09:00 local (promotional), until 2026-03-03T09:00:00Z"


def test_the_end_of_quiet_hours_is_no_part_of_them() -> None:
    assert isinstance(ask(quiet("21:00", "10:00")), Go)
    assert isinstance(ask(quiet("10:00", "12:00")), Defer)


def test_quiet_hours_are_the_customer_s_unless_a_zone_is_written() -> None:
    assert isinstance(ask(quiet("21:00", "08:00"), zone="America/New_York"), Defer)
    assert isinstance(ask(quiet("21:00", "08:00", "UTC"), zone="America/New_York"), Go)


def test_quiet_hours_may_drop() -> None:
    verdict = ask(quiet("09:00", "11:00", overflow=DROP))
    assert isinstance(verdict, Drop)
    assert verdict.reason == "quiet 09:00 to 11:00 local (promotional)"


def test_a_message_that_may_not_wait_until_the_morning_is_looked_at_once_more_and_dropped() -> None:
    night = MONDAY + 13 * HOUR
    verdict = ask(quiet("21:00", "09:00"), now=night, expires=Instant(night + 2 * HOUR))
    assert isinstance(verdict, Defer)
    assert verdict.until == night + 2 * HOUR
    held = {"quiet 21:00 to 09:00 local (promotional)": Instant(night)}
    later = ask(quiet("21:00", "09:00"), now=night + 2 * HOUR, expires=Instant(night + 2 * HOUR), held=held)
    assert isinstance(later, Drop)


def test_quiet_hours_all_day_let_nothing_through() -> None:
    verdict = ask(quiet("09:00", "09:00"))
    assert isinstance(verdict, Defer)
    assert verdict.until == MONDAY + DAY


@given(
    st.sampled_from(ZONES),
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.integers(0, 3 * 366 * 24 * 60),
)
def test_a_deferral_ends_at_the_first_moment_that_is_not_quiet(zone: str, start: int, end: int, minute: int) -> None:
    now = from_datetime(datetime(2024, 1, 1, tzinfo=UTC)) + minute * MINUTE
    line = m.Quiet(m.Clock(start), m.Clock(end))
    verdict = ask(line, now=now, zone=zone, expires=Instant(now + 30 * DAY))
    if start == end:
        assert isinstance(verdict, Defer)
        return
    there = ZoneInfo(zone)

    def is_quiet(at: int) -> bool:
        wall = local(Instant(at), there)
        shown = wall.hour * 60 + wall.minute
        return start <= shown < end if start < end else shown >= start or shown < end

    if isinstance(verdict, Go):
        assert not is_quiet(now)
        return
    assert isinstance(verdict, Defer)
    assert not is_quiet(verdict.until)
    assert verdict.until - now <= 25 * HOUR
    assert all(is_quiet(at) for at in range(now, verdict.until, 5 * MINUTE))
    assert is_quiet(verdict.until - 1)


def test_when_the_clock_goes_back_into_quiet_hours_they_go_on() -> None:
    again = from_datetime(datetime(2026, 10, 25, 1, 10, tzinfo=UTC))  # 02:10 in Paris for the second time
    verdict = ask(quiet("21:00", "02:30"), now=again, zone="Europe/Paris")
    assert isinstance(verdict, Defer)
    assert verdict.until == again + 20 * MINUTE


# Limits and spacing


def limit(count: int, channel: str | None, per: Period, overflow: m.Overflow = DROP) -> m.Limit:
    return m.Limit(count, channel, per, overflow)


def test_a_full_limit_drops_and_names_the_rule_that_took_the_slot() -> None:
    verdict = ask(limit(1, "email", ONE_WEEK), taken=[slot(MONDAY - DAY)])
    assert isinstance(verdict, Drop)
    assert verdict.reason == "limit 1 email per 7d (promotional), taken by welcome at 2026-03-01T10:00:00Z"
    assert verdict.words == "limit 1 email per 7d (promotional)"


def test_a_limit_of_one_channel_leaves_the_others_alone() -> None:
    assert isinstance(ask(limit(1, "email", ONE_WEEK), taken=[slot(MONDAY - DAY, "sms")]), Go)
    assert isinstance(ask(limit(1, "email", ONE_WEEK), taken=[slot(MONDAY - DAY)], channel="sms"), Go)
    assert isinstance(ask(limit(1, None, ONE_WEEK), taken=[slot(MONDAY - DAY, "sms")]), Drop)


def test_a_window_rolls_to_the_second() -> None:
    full = limit(1, "email", Period(micros=24 * HOUR))
    assert isinstance(ask(full, taken=[slot(MONDAY - DAY)]), Go)
    assert isinstance(ask(full, taken=[slot(MONDAY - DAY + SECOND)]), Drop)


@pytest.mark.parametrize(("due", "until"), [(-5 * HOUR, 0), (-7 * HOUR, -1 * HOUR)])
def test_a_deferral_lasts_until_the_slot_is_free_or_as_long_as_the_line_says(due: int, until: int) -> None:
    """Scenario 18: sent at 10:00 the day before; what is due at 05:00 goes at 10:00, and 03:00 is given up at 09:00."""
    line = limit(1, "email", Period(micros=24 * HOUR), m.Overflow("defer", Period(micros=6 * HOUR)))
    taken = [slot(MONDAY - DAY)]
    first = ask(line, now=MONDAY + due, taken=taken)
    assert isinstance(first, Defer)
    assert first.until == MONDAY + until
    held = {first.words: Instant(MONDAY + due)}
    again = ask(line, now=first.until, taken=taken, held=held, expires=Instant(MONDAY + due + DAY))
    assert isinstance(again, Go if until == 0 else Drop)


def test_the_slot_that_is_free_first_counts() -> None:
    line = limit(2, None, ONE_DAY, DEFER)
    taken = [slot(MONDAY - 20 * HOUR, row=1), slot(MONDAY - 2 * HOUR, "sms", row=2)]
    verdict = ask(line, taken=taken)
    assert isinstance(verdict, Defer)
    assert verdict.until == MONDAY + 4 * HOUR


def test_a_month_is_by_the_calendar() -> None:
    line = limit(1, None, Period(months=1), DEFER)
    verdict = ask(line, taken=[slot(MONDAY - 10 * DAY)], expires=Instant(MONDAY + 60 * DAY))
    assert isinstance(verdict, Defer)
    assert verdict.until == add_elapsed(Instant(MONDAY - 10 * DAY), Period(months=1), UTC)


def test_spacing_waits_from_the_last_message_of_any_channel() -> None:
    verdict = ask(m.Space(Period(micros=4 * HOUR)), taken=[slot(MONDAY - HOUR, "sms"), slot(MONDAY - 3 * HOUR)])
    assert isinstance(verdict, Defer)
    assert verdict.until == MONDAY + 3 * HOUR
    assert verdict.reason == "space 4h (promotional), after welcome at 2026-03-02T09:00:00Z, until 2026-03-02T13:00:00Z"
    assert isinstance(ask(m.Space(Period(micros=4 * HOUR)), taken=[slot(MONDAY - 4 * HOUR)]), Go)


def test_transactional_messages_pass_everything() -> None:
    lines = (quiet("00:00", "23:59"), limit(1, None, ONE_DAY), m.Budget(Money(Decimal(1), "EUR"), ONE_DAY))
    full = [slot(MONDAY - HOUR)]
    cost = Money(Decimal(5), "EUR")
    assert isinstance(ask(*lines, taken=full, cost=cost, kind="transactional"), Go)


def test_what_stands_passes_quiet_hours_and_limits_and_keeps_to_the_budget() -> None:
    lines = (quiet("00:00", "23:59"), limit(1, None, ONE_DAY))
    budget = m.Budget(Money(Decimal(1), "EUR"), ONE_DAY)
    cost = Money(Decimal(5), "EUR")
    assert isinstance(ask(*lines, taken=[slot(MONDAY)], stands=True), Go)
    assert isinstance(ask(*lines, budget, taken=[slot(MONDAY)], stands=True, cost=cost), Drop)


def test_lines_are_asked_in_one_order_however_they_are_written() -> None:
    lines = (m.Budget(Money(Decimal(0), "EUR"), ONE_DAY), limit(1, None, ONE_DAY), quiet("09:00", "11:00"))
    verdict = ask(*lines, taken=[slot(MONDAY)], cost=Money(Decimal(1), "EUR"))
    assert isinstance(verdict, Defer)
    assert verdict.words.startswith("quiet")
    assert verdict.checks == ("quiet 09:00 to 11:00 local: 10:00",)


def test_a_message_that_goes_has_seen_every_line() -> None:
    verdict = ask(
        quiet("21:00", "09:00"),
        limit(2, "email", ONE_WEEK),
        limit(3, "sms", ONE_WEEK),
        m.Space(Period(micros=HOUR)),
        m.Budget(Money(Decimal(200), "EUR"), ONE_DAY),
        taken=[slot(MONDAY - 2 * HOUR)],
        spent=12_400_000,
        cost=Money(Decimal("0.06"), "EUR"),
    )
    assert verdict == Go(
        (
            "quiet 21:00 to 09:00 local: 10:00",
            "limit 2 email per 7d: 1 of 2 taken",
            "limit 3 sms per 7d: another channel",
            "space 1h: the last went at 2026-03-02T08:00:00Z, by welcome",
            "budget 200 EUR per 1d: 12.40 EUR spent",
        )
    )


# Budgets


def budget(amount: str, per: Period = ONE_DAY, overflow: m.Overflow = DROP) -> m.Budget:
    return m.Budget(Money(Decimal(amount), "EUR"), per, overflow)


def test_a_budget_is_spent_to_the_last_cent_and_not_over_it() -> None:
    cost = Money(Decimal("0.10"), "EUR")
    assert isinstance(ask(budget("1"), spent=900_000, cost=cost), Go)
    verdict = ask(budget("1"), spent=900_001, cost=cost)
    assert isinstance(verdict, Drop)
    assert verdict.reason == "budget 1 EUR per 1d (promotional)"


def test_a_channel_without_a_cost_or_with_another_currency_goes_over_any_budget() -> None:
    assert isinstance(ask(budget("1"), spent=5_000_000), Go)
    assert isinstance(ask(budget("1"), spent=5_000_000, cost=Money(Decimal(9), "SEK")), Go)


def test_a_budget_that_defers_does_so_to_the_next_day_of_the_project() -> None:
    verdict = ask(budget("1", overflow=DEFER), spent=1_000_000, cost=Money(Decimal(1), "EUR"))
    assert isinstance(verdict, Defer)
    assert verdict.until == MONDAY + 14 * HOUR


@pytest.mark.parametrize(
    ("noon", "midnight"),
    [("2026-03-29T12:00", "2026-03-29T21:00"), ("2026-10-25T12:00", "2026-10-25T22:00")],
)
def test_a_budget_s_day_has_23_or_25_hours_where_the_project_s_clock_says_so(noon: str, midnight: str) -> None:
    asking = Asking("sms", "promotional", Instant(2**62), UTC, cost=Money(Decimal(1), "EUR"))
    days: list[tuple[date, date]] = []

    def spent(currency: str, first: date, end: date) -> int:
        days.append((first, end))
        return 1_000_000

    now = from_datetime(datetime.fromisoformat(noon).replace(tzinfo=UTC))
    lines = in_words(policy(budget("1", overflow=DEFER)))
    verdict = judge(lines, asking, (), spent, ZoneInfo("Europe/Helsinki"), now)
    assert isinstance(verdict, Defer)
    assert verdict.until == from_datetime(datetime.fromisoformat(midnight).replace(tzinfo=UTC))
    assert [(first.isoformat(), end.isoformat()) for first, end in days] == [
        (noon[:10], (date.fromisoformat(noon[:10]) + timedelta(days=1)).isoformat())
    ]


@pytest.mark.parametrize(
    ("per", "first", "end"),
    [
        (Period(days=1), "2026-03-04", "2026-03-05"),
        (Period(micros=6 * HOUR), "2026-03-04", "2026-03-05"),
        (Period(days=7), "2026-03-02", "2026-03-09"),
        (Period(months=1), "2026-03-01", "2026-04-01"),
        (Period(months=3), "2026-01-01", "2026-04-01"),
        (Period(months=12), "2026-01-01", "2027-01-01"),
    ],
)
def test_a_budget_counts_by_the_calendar(per: Period, first: str, end: str) -> None:
    assert budget_days(per, date(2026, 3, 4)) == (date.fromisoformat(first), date.fromisoformat(end))


@given(st.dates(date(1971, 1, 1), date(2100, 1, 1)), st.integers(0, 40), st.integers(0, 30))
def test_the_days_of_a_budget_follow_each_other_without_a_gap(today: date, days: int, months: int) -> None:
    per = Period(months=months, days=days)
    first, end = budget_days(per, today)
    assert first <= today < end
    assert budget_days(per, first) == budget_days(per, end - timedelta(days=1)) == (first, end)
    assert budget_days(per, end)[0] == end


@pytest.mark.parametrize(("amount", "words"), [("0.0625", "0.0625 EUR"), ("12.4", "12.40 EUR"), ("-3", "-3.00 EUR")])
def test_money_is_counted_exactly(amount: str, words: str) -> None:
    assert word_millionths(to_millionths(Money(Decimal(amount), "EUR")), "EUR") == words


def test_what_is_finer_than_can_be_counted_is_rounded_up() -> None:
    assert to_millionths(Money(Decimal("0.0000001"), "EUR")) == 1


def test_a_line_is_said_in_the_words_of_the_language() -> None:
    assert word_line(quiet("21:00", "08:00", "Europe/Helsinki")) == "quiet 21:00 to 08:00 Europe/Helsinki"
    assert word_line(limit(5, None, ONE_WEEK)) == "limit 5 messages per 7d"


# Laws


class _Sent:
    """Messages carried out one after the other, as a claiming transaction does."""

    def __init__(self, rules: m.Policy, zone: str) -> None:
        self.rules = in_words(rules)
        self.zone = ZoneInfo(zone)
        self.taken: list[Taken] = []

    def run(self, due: Sequence[tuple[int, str]], within: int) -> None:
        waiting = [(at, at, number, channel, dict[str, Instant]()) for number, (at, channel) in enumerate(due)]
        for _ in range(40 * len(due)):
            if not waiting:
                return
            waiting.sort(key=lambda one: one[:3])
            now, decided, number, channel, held = waiting.pop(0)
            asking = Asking(channel, "promotional", Instant(decided + within), self.zone, held=held)
            verdict = judge(self.rules, asking, self.taken, lambda *_: 0, UTC, Instant(now))
            match verdict:
                case Go():
                    self.taken.append(slot(now, channel, row=number))
                case Defer(until=until, words=words):
                    assert now < until <= decided + within
                    waiting.append((until, decided, number, channel, {words: Instant(now), **held}))
                case Drop():
                    pass
        assert not waiting, "a deferral must end"


_due = st.lists(
    st.tuples(st.integers(0, 400 * HOUR).map(lambda at: MONDAY + at), st.sampled_from(["email", "sms"])),
    min_size=1,
    max_size=25,
)


@given(
    _due,
    st.integers(1, 3),
    st.integers(1, 100),
    st.sampled_from([DROP, DEFER, m.Overflow("defer", Period(micros=6 * HOUR))]),
)
def test_no_window_ever_holds_more_than_a_limit_allows(
    due: list[tuple[int, str]], count: int, length: int, overflow: m.Overflow
) -> None:
    per = Period(micros=length * HOUR)
    sent = _Sent(policy(limit(count, "email", per, overflow), limit(4, None, ONE_WEEK, overflow)), "UTC")
    sent.run(due, 3 * DAY)
    for channel, most, window in (("email", count, length * HOUR), (None, 4, 7 * DAY)):
        moments = sorted(one.at for one in sent.taken if channel in (None, one.channel))
        for first, later in zip(moments, moments[most:], strict=False):
            assert later - first >= window


@given(_due, st.integers(1, 30), st.sampled_from(ZONES))
def test_messages_keep_their_distance_and_the_night(due: list[tuple[int, str]], hours: int, zone: str) -> None:
    sent = _Sent(policy(m.Space(Period(micros=hours * HOUR)), quiet("21:00", "08:00")), zone)
    sent.run(due, 10 * DAY)
    moments = sorted(one.at for one in sent.taken)
    assert moments, "the first of them finds nothing in its way but the night"
    assert all(later - before >= hours * HOUR for before, later in pairwise(moments))
    assert all(8 <= local(at, sent.zone).hour < 21 for at in moments)
