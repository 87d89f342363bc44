"""When a message is tried again: later each time, spread out, and never before the provider said."""

from __future__ import annotations

import itertools
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Instant
from segue.api.values import DAY, HOUR, MINUTE, SECOND
from segue.delivery.retries import FIRST_DELAY, LONGEST_DELAY, retry_at

NOW = Instant(1_780_000_000_000_000)
KEYS = [f"{number:032x}" for number in range(2000)]


def delay(key: str, attempts: int, after: float | None = None) -> int:
    return retry_at(key, attempts, NOW, after) - NOW


@given(st.text(max_size=40), st.integers(0, 10**6), st.none() | st.floats())
def test_the_next_try_is_always_later_and_never_days_away(key: str, attempts: int, after: float | None) -> None:
    assert 0 < delay(key, attempts, after) <= DAY + LONGEST_DELAY + FIRST_DELAY


def test_delays_grow_with_the_tries_up_to_a_quarter_of_an_hour() -> None:
    means = [statistics.mean(delay(key, attempts) for key in KEYS) for attempts in range(1, 16)]
    assert means[0] < 3 * SECOND
    for early, late in itertools.pairwise(means[:10]):
        assert 1.5 < late / early < 2.5
    assert 7 * MINUTE < means[-1] < 8 * MINUTE
    assert max(delay(key, 99) for key in KEYS) <= LONGEST_DELAY + FIRST_DELAY


def test_messages_that_failed_together_come_back_spread_out() -> None:
    delays = sorted(delay(key, 8) for key in KEYS)
    widest = FIRST_DELAY * 2**8
    for tenth in range(10):
        low, high = widest * tenth // 10, widest * (tenth + 1) // 10
        assert 120 < sum(low <= one < high for one in delays) < 280


def test_the_same_message_is_tried_again_at_the_same_moment_in_a_replay() -> None:
    assert retry_at("k", 3, NOW, None) == retry_at("k", 3, NOW, None)
    assert len({delay("k", attempts) for attempts in range(10, 20)}) == 10


@pytest.mark.parametrize("after", [1.0, 30.0, 3600.0])
def test_never_before_the_provider_said_and_not_all_at_that_very_moment(after: float) -> None:
    delays = [delay(key, 1, after) for key in KEYS[:200]]
    assert min(delays) >= after * SECOND
    assert len(set(delays)) > 190


def test_a_provider_cannot_put_a_message_off_for_more_than_a_day() -> None:
    assert delay("k", 1, 10.0**12) <= DAY + SECOND
    assert delay("k", 1, float("inf")) <= DAY + SECOND


@pytest.mark.parametrize("after", [None, 0.0, -5.0, float("nan"), -float("inf")])
def test_a_time_to_wait_that_is_none_leaves_the_usual_delay(after: float | None) -> None:
    assert delay("k", 2, after) == delay("k", 2)


def test_the_longest_delay_is_short_beside_how_late_a_message_may_go() -> None:
    assert 10 * LONGEST_DELAY < 6 * HOUR
