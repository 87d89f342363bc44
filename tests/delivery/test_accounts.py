"""A provider account: the rate that no restart exceeds, waits that a provider asks for, and the circuit breaker."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Answer, Instant, Rejected, Retry, Sent, Unknown
from segue.api.values import DAY, HOUR, MINUTE, SECOND
from segue.delivery.accounts import (
    FAILURES,
    FIRST_REST,
    LONGEST_REST,
    AccountState,
    Tempo,
    next_room,
    note_call,
    room,
    take,
)

NOW = Instant(1_780_000_000_000_000)
NOTHING = AccountState()
DOWN = Unknown("no answer within 60 s")


def later(micros: float) -> Instant:
    return Instant(NOW + int(micros))


def failed(times: int, state: AccountState = NOTHING, now: Instant = NOW, chance: float = 0.5) -> AccountState:
    for _ in range(times):
        state = note_call(state, [DOWN], now, chance)
    return state


@given(
    st.floats(0.05, 500),
    st.lists(st.tuples(st.integers(0, 3 * SECOND), st.integers(1, 600)), max_size=60),
)
def test_no_window_holds_more_than_the_rate_whoever_asks_and_however_often_it_restarts(
    rate: float, asked: list[tuple[int, int]]
) -> None:
    tempo, state, now = Tempo.of(rate), NOTHING, NOW
    went: list[tuple[Instant, int]] = []
    for passed, most in asked:
        now = Instant(now + passed)
        state = msgspec.json.decode(msgspec.json.encode(state), type=AccountState)  # a restart
        count = room(state, tempo, now, most)
        state = take(state, tempo, now, count)
        went.append((now, count))
    for end, _ in went:
        assert sum(count for at, count in went if end - tempo.window < at <= end) <= tempo.count


@given(st.floats(0.05, 5000), st.integers(1, 10_000))
def test_what_was_asked_for_in_vain_goes_when_it_was_told(rate: float, most: int) -> None:
    tempo = Tempo.of(rate)
    state = take(NOTHING, tempo, NOW, room(NOTHING, tempo, NOW, most))
    assert room(state, tempo, next_room(state, tempo, NOW), 1) == 1 or most < tempo.count


def test_a_steady_stream_reaches_nearly_the_rate() -> None:
    tempo, state, sent = Tempo.of(100), NOTHING, 0
    for step in range(10_000):  # a look every millisecond
        now = later(step * 1000)
        count = room(state, tempo, now, 7)
        state, sent = take(state, tempo, now, count), sent + count
    assert 930 <= sent <= 1000
    assert len(state.taken) <= 25


def test_a_clock_that_is_set_back_stops_nothing() -> None:
    tempo = Tempo.of(10)
    state = take(NOTHING, tempo, later(5 * HOUR), 10)
    assert room(state, tempo, NOW, 10) == 10
    opened = failed(FAILURES, now=later(5 * HOUR))
    until = opened.held_until(NOW)
    assert until is not None
    assert until <= NOW + 2 * LONGEST_REST


def test_a_wait_asked_of_the_account_holds_all_of_it_and_is_no_failure() -> None:
    state = note_call(NOTHING, [Retry("slow down", after=30.0, account=True)], NOW, 0.5)
    assert room(state, None, later(29 * SECOND), 100) == 0
    assert room(state, None, later(30 * SECOND), 100) == 100
    assert (state.failures, state.breaker(NOW)) == (0, "closed")


def test_a_shorter_wait_that_is_asked_beside_a_longer_one_ends_it_no_sooner() -> None:
    state = note_call(NOTHING, [Retry("too much today", after=3_600.0, account=True)], NOW, 0.5)
    state = note_call(state, [Retry("slow down", after=1.0, account=True)], later(SECOND), 0.5)
    assert (state.held_until(later(SECOND)), state.wish) == (later(HOUR), "too much today")
    state = note_call(state, [Retry("slow down", after=1.0, account=True)], later(-9 * DAY), 0.5)
    assert state.asked == later(-9 * DAY + SECOND), "a clock that was wrong holds nothing"


def test_a_wait_asked_of_one_message_holds_nothing_else() -> None:
    state = note_call(NOTHING, [Retry("greylisted", after=300.0)], NOW, 0.5)
    assert room(state, None, NOW, 100) == 100


def test_greylisted_mails_one_after_the_other_open_no_breaker_and_are_an_answer() -> None:
    state = failed(FAILURES - 1)
    for _ in range(3 * FAILURES):
        state = note_call(state, [Retry("450 4.2.0 greylisted", address=True)], NOW, 0.5)
    assert (state.failures, state.breaker(NOW)) == (0, "closed")


def test_nobody_is_kept_waiting_for_more_than_a_day() -> None:
    state = note_call(NOTHING, [Retry("for ever", after=1e12, account=True)], NOW, 0.5)
    assert state.held_until(NOW) == later(DAY)


def test_the_breaker_opens_after_failures_in_a_row_and_lets_one_message_try() -> None:
    assert failed(FAILURES - 1).breaker(NOW) == "closed"
    state = failed(FAILURES)
    assert (state.breaker(NOW), state.opened, state.reason) == ("open", NOW, DOWN.reason)
    assert room(state, None, NOW, 100) == 0
    half = later(FIRST_REST * 2)
    assert state.breaker(half) == "half-open"
    assert room(state, None, half, 100) == 1


def test_an_answer_closes_it_and_a_further_failure_makes_it_wait_longer() -> None:
    state = failed(FAILURES)
    moment, rests = NOW, []
    for _ in range(12):
        before, moment = moment, state.probe
        rests.append(moment - before)
        state = failed(1, state, moment)
    assert rests[:3] == [FIRST_REST, 2 * FIRST_REST, 4 * FIRST_REST]
    assert max(rests) == LONGEST_REST
    assert state.opened == NOW
    assert note_call(state, [Sent()], moment, 0.5).breaker(moment) == "closed"


def test_calls_that_were_under_way_when_it_opened_make_it_no_worse() -> None:
    state = failed(FAILURES)
    assert failed(3, state).probe == state.probe


def test_one_answer_among_many_failures_is_an_answer() -> None:
    answers: list[Answer] = [*[DOWN] * 99, Rejected("no such mailbox")]
    state = failed(FAILURES - 1)
    for _ in range(10):
        state = note_call(state, answers, NOW, 0.5)
    assert state.breaker(NOW) == "closed"


def test_chance_spreads_the_tries_of_those_who_lost_the_same_provider() -> None:
    first, last = (failed(FAILURES, chance=chance).probe for chance in (0.0, 1.0))
    assert first == later(FIRST_REST / 2)
    assert last == later(FIRST_REST * 1.5)
    assert last < later(MINUTE)
