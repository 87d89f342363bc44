"""The best time of a customer: their own answers, smoothed towards everybody's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.customers.best_time import HOURS, WEEK, Answers, best_time, gather, place_of

NOBODY = gather(())
MONDAY_NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def hour(day: int, clock: int) -> int:
    return day * HOURS + clock


def on(day: int, clock: int, minutes: int = 0) -> datetime:
    """A day of March 2026, which begins on a Sunday."""
    return datetime(2026, 3, day, clock, minutes, tzinfo=UTC)


def minute(own: Answers, everyone: Answers = NOBODY, wall: datetime = MONDAY_NOON, project: int = 600) -> int:
    return best_time(own, everyone, wall, project).minute


def test_where_nobody_answered_yet_it_is_the_project_s_best_time_to_the_minute() -> None:
    assert minute(NOBODY, project=19 * 60 + 30) == 19 * 60 + 30
    found = best_time(NOBODY, NOBODY, MONDAY_NOON, 600)
    assert found.because == "10:00 on Tuesday, the project's best time: they have answered nothing yet"


def test_who_answered_nothing_gets_the_hour_in_which_everybody_does() -> None:
    everyone = gather([(hour(day, 20), 30) for day in range(7)] + [(hour(2, 9), 100)])
    found = best_time(NOBODY, everyone, MONDAY_NOON, 600)
    assert found.minute == 20 * 60
    assert found.because == (
        "20:00 on Monday: they have answered nothing yet, and 68% of everybody's answers come in that hour"
    )


def test_the_weekday_counts() -> None:
    """Everybody answers on Tuesday mornings: the day before, and not two days before, that is the best time."""
    everyone = gather([(hour(1, 9), 100), (hour(0, 20), 40), (hour(2, 20), 40), (hour(6, 20), 40)])
    assert minute(NOBODY, everyone, on(2, 12)) == 9 * 60
    assert minute(NOBODY, everyone, on(4, 12)) == 20 * 60


def test_one_answer_in_the_night_does_not_make_it_the_best_time_and_three_do() -> None:
    everyone = gather([(hour(day, 18), 500) for day in range(7)] + [(hour(day, 12), 400) for day in range(7)])
    assert minute(gather([(hour(1, 3), 1)]), everyone, on(3, 12)) == 18 * 60
    assert minute(gather([(hour(1, 3), 6)]), everyone, on(3, 12)) == 3 * 60


def test_one_s_own_hour_holds_on_other_days_too() -> None:
    own = gather([(hour(0, 21), 4)])
    for day in range(2, 9):
        assert minute(own, wall=on(day, 12)) == 21 * 60
    found = best_time(own, NOBODY, on(8, 12), 600)
    assert found.because == "21:00 on Sunday: 4 of their 4 answers came in that hour"


def test_answers_of_which_nobody_noted_the_day_count_for_every_day() -> None:
    own = gather([(WEEK + 21, 3)])
    assert own.total == 3
    assert minute(own) == 21 * 60


def test_within_the_best_hour_it_is_that_hour() -> None:
    own = gather([(hour(0, 12), 5)])
    assert minute(own, wall=on(2, 12, 59)) == 12 * 60


_counts = st.lists(st.tuples(st.integers(0, WEEK + HOURS - 1), st.integers(1, 50)), max_size=12)


@given(_counts, _counts, st.integers(0, WEEK - 1), st.integers(0, 1439))
def test_the_best_hour_is_the_one_of_the_greatest_score_as_the_page_writes_it(
    mine: list[tuple[int, int]], others: list[tuple[int, int]], now: int, project: int
) -> None:
    own, everyone = gather(mine), gather(others + mine)
    wall = on(2 + now // HOURS, now % HOURS, 17)
    found = best_time(own, everyone, wall, project).minute // 60

    def score(clock: int) -> float:
        day = wall.weekday() if clock >= wall.hour else (wall.weekday() + 1) % 7
        n, everybody = own.by_slot[day * HOURS + clock], everyone.by_slot[day * HOURS + clock]
        q = (everyone.by_hour[clock] + 1 + (clock == project // 60)) / (sum(everyone.by_hour) + 25)
        c = (own.by_hour[clock] + 10 * q) / (sum(own.by_hour) + 10)
        return n + 10 * c * (everybody + 1) / (everyone.by_hour[clock] + 7)

    assert score(found) == pytest.approx(max(map(score, range(HOURS))))
    assert place_of(wall) == now
