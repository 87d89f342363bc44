"""Expectations are facts: each must hold, what none mentions is allowed, and what does not hold says why."""

from __future__ import annotations

import pytest

from tests.scenario.trying import SENTENCE, reasons, try_one

TWICE = 'rule tips when signed_up send email "tip" wait 1d send email "tip" wait 1d send sms "tip"'


@pytest.mark.parametrize(
    "expected",
    [
        "expect entry",
        "expect entry at 0h",
        "expect email",
        'expect email "tip"',
        'expect email "tip" at 1d',
        'expect message "tip" at 2d',
        "expect sms at 2d",
        "expect 2 email",
        "expect 3 messages",
        "expect 1 entry",
        "expect 0 skips",
        "expect no push",
        "expect no exit",
        "expect finish at 2d",
        "expect sms at 2026-01-07 09:00",
        "expect no failure",
        'expect email "tip" expect email "tip"',
        'expect email expect email "tip" at 0h',
    ],
)
def test_it_holds(expected: str) -> None:
    assert try_one(TWICE, f"at 0h signed_up {expected}").passed


@pytest.mark.parametrize(
    ("expected", "reason"),
    [
        ("expect no sms", 'sms "tip" at 2d'),
        ("expect no messages", 'email "tip" at 0h, email "tip" at 1d, sms "tip" at 2d'),
        ("expect 3 email", 'there were 2: email "tip" at 0h, email "tip" at 1d'),
        ("expect 2 sms", 'there was 1: sms "tip" at 2d'),
        ("expect 1 push", "there was none: the journey finished at 2d"),
        ("expect push", "it did not happen: the journey finished at 2d"),
        ("expect email at 3h", "it happened at 0h and at 1d"),
        ("expect sms at 47h 59min 59s", "it happened at 2d"),
        ("expect exit", "it did not happen: the journey finished at 2d"),
    ],
)
def test_it_does_not_hold_and_says_why(expected: str, reason: str) -> None:
    outcome = try_one(TWICE, f"at 0h signed_up {expected}")
    assert list(reasons(outcome).values()) == [reason]
    assert not outcome.passed


def test_a_day_without_a_clock_time_is_all_of_it() -> None:
    assert try_one(TWICE, "at 0h signed_up expect sms at 2026-01-07").passed
    assert not try_one(TWICE, "at 0h signed_up expect sms at 2026-01-08").passed


def test_the_same_line_twice_means_twice() -> None:
    outcome = try_one(TWICE, 'at 0h signed_up expect sms "tip" expect sms "tip"')
    assert reasons(outcome) == {'expect sms "tip"': "it happened only once"}


def test_a_journey_that_did_not_begin_is_told_with_its_reason() -> None:
    rule = "rule cart when cart_abandoned once send email"
    outcome = try_one(rule, "at 0h cart_abandoned at 1h cart_abandoned expect 2 email")
    assert reasons(outcome) == {"expect 2 email": 'there was 1: email "cart" at 0h'}
    outcome = try_one(SENTENCE, "at 0h ordered expect email")
    assert reasons(outcome) == {"expect email": "it did not happen: no journey began"}


def test_a_message_that_was_skipped_or_refused_is_told_with_its_reason() -> None:
    outcome = try_one(SENTENCE, 'given customer email "" at 0h cart_abandoned expect email at 1d')
    assert reasons(outcome) == {"expect email at 1d": 'it did not happen: at 1d skipped email "cart" (no email)'}
    outcome = try_one(SENTENCE, "at 0h cart_abandoned at 0h email fails expect email")
    assert reasons(outcome) == {
        "expect email": 'it did not happen: at 1d undelivered email "cart" (the test says: email fails)'
    }


def test_an_exit_before_the_message_is_told_with_its_guard() -> None:
    outcome = try_one(SENTENCE, "at 0h cart_abandoned at 3h ordered expect email at 1d")
    assert reasons(outcome) == {"expect email at 1d": "it did not happen: the journey exited (unless ordered) at 3h"}
