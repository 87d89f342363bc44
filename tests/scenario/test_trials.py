"""Tests of rules run the real thing: what is given, what happens, and where it ends."""

from __future__ import annotations

import msgspec
import pytest

from segue.customers.reach import ChannelReach, Reach
from tests.acceptance.drivers import setting
from tests.scenario.trying import SENTENCE, reasons, told, try_all, try_one


def test_the_example_of_the_reference_passes() -> None:
    outcome = try_one(
        SENTENCE,
        'given customer country "FI", first_name "Ann"\n'
        "at 0h cart_abandoned total 60\n at 2h ordered\n expect no messages\n expect exit at 2h",
    )
    assert outcome.passed
    assert told(outcome) == ["0h entered", "2h exited (unless ordered)"]


def test_without_the_order_both_messages_go_and_the_test_runs_to_the_end_of_the_journey() -> None:
    outcome = try_one(SENTENCE, "at 0h cart_abandoned\n expect 2 messages")
    assert outcome.passed
    assert told(outcome) == ["0h entered", '1d email "cart"', '1d sms "cart"', "1d finished"]


def test_an_event_in_the_moment_a_wait_ends_comes_before_it() -> None:
    assert try_one(SENTENCE, "at 0h cart_abandoned\n at 1d ordered\n expect no messages\n expect exit at 1d").passed


def test_lines_happen_in_the_order_of_time_whatever_their_order_in_the_text() -> None:
    assert try_one(SENTENCE, "at 2h ordered\n at 0h cart_abandoned\n expect no messages").passed


def test_given_traits_are_there_before_the_first_event() -> None:
    rule = "customer\n vip boolean\nrule greet when signed_up where customer.vip send email"
    assert try_one(rule, "given customer vip true\n at 0h signed_up\n expect email").passed
    assert try_one(rule, "given customer vip false\n at 0h signed_up\n expect no entry").passed
    assert try_one(rule, "at 0h signed_up\n expect no entry").passed


def test_fields_of_an_event_are_what_a_source_would_send() -> None:
    rule = (
        "rule big when cart_abandoned where total >= 40 goal ordered within 7d worth total send email with much = total"
    )
    outcome = try_one(rule, "at 0h cart_abandoned total 60\n at 1h ordered total 55.5\n expect conversion at 1h")
    assert outcome.passed
    assert outcome.journeys[0].worth == "55.5 EUR"
    assert try_one(rule, "at 0h cart_abandoned total 60 USD\n expect no entry").passed


def test_holdout_and_rollout_are_off() -> None:
    rule = (
        "rule held when cart_abandoned rollout 1% holdout 50% goal ordered within 1d wait 1h unless ordered send email"
    )
    assert try_one(rule, "at 0h cart_abandoned\n expect email at 1h").passed


def test_a_reaction_is_to_the_latest_message_and_comes_after_what_is_sent_in_its_moment() -> None:
    rule = 'rule follow when cart_abandoned send email wait 1h if opened send sms "thanks" else send sms "look" end'
    assert try_one(rule, 'at 0h cart_abandoned\n at 0h opened "follow"\n expect sms "thanks" at 1h').passed
    assert try_one(rule, 'at 0h cart_abandoned\n at 30min opened\n expect sms "thanks" at 1h').passed
    assert try_one(rule, 'at 0h cart_abandoned\n expect sms "look" at 1h').passed


def test_a_wait_for_a_reaction_ends_with_it() -> None:
    rule = "rule follow when cart_abandoned send email wait for opened up to 2d send sms"
    assert try_one(rule, "at 0h cart_abandoned\n at 5h opened\n expect sms at 5h").passed


def test_a_reaction_before_any_message_is_told_as_a_mistake_of_the_test() -> None:
    outcome = try_one(SENTENCE, "at 0h cart_abandoned\n at 1h opened\n expect no sms")
    assert not outcome.passed
    assert outcome.problem == ("line 5: there is nothing to react to with `opened`, no message was sent by 1h")


def test_a_channel_that_fails_refuses_for_good_from_that_moment_on() -> None:
    rule = "rule two when cart_abandoned send email wait 1d send email or sms"
    outcome = try_one(rule, "at 0h cart_abandoned\n at 1h email fails\n expect email at 0h\n expect sms at 1d")
    assert outcome.passed
    assert '1d undelivered email "two" (the test says: email fails)' in told(outcome)
    assert try_one(rule, "at 0h email fails\n at 0h cart_abandoned\n expect no email\n expect sms at 1d").passed


def test_the_customer_is_reached_on_every_channel_unless_an_address_is_given_as_empty() -> None:
    channels = {"email": ChannelReach("email", "opt-in"), "sms": ChannelReach("phone", "opt-in", optional=True)}
    strict = msgspec.structs.replace(setting(), reach=Reach(channels))
    assert try_one(SENTENCE, "at 0h cart_abandoned\n expect 2 messages", strict).passed
    outcome = try_one(SENTENCE, 'given customer phone ""\n at 0h cart_abandoned\n expect no sms', strict)
    assert outcome.passed
    assert '1d skipped sms "cart" (no phone)' in told(outcome)


def test_consent_that_is_withdrawn_in_the_test_counts() -> None:
    outcome = try_one(
        SENTENCE, 'at 0h cart_abandoned\n at 1h unsubscribed channel "email"\n expect no email\n expect sms'
    )
    assert outcome.passed


def test_a_message_counts_as_handed_over_at_once_even_where_a_provider_reports_later() -> None:
    rule = "rule slow when cart_abandoned send rcs then sms"
    assert try_one(rule, "at 0h cart_abandoned\n expect rcs at 0h\n expect sms at 0h").passed


def test_only_the_tested_rule_runs_and_those_it_asks_about() -> None:
    rules = (
        "rule welcome when signed_up wait 3d send email\n"
        "rule noise when cart_abandoned send sms\n"
        "rule cart when cart_abandoned where not in welcome send email"
    )
    assert try_one(rules, "at 0h signed_up\n at 1h cart_abandoned\n expect no entry").passed
    outcome = try_one(rules, "at 0h cart_abandoned\n expect 1 message")
    assert outcome.passed
    assert set(outcome.program.channels if outcome.program else ()) == {"email"}


def test_a_rule_that_goes_round_and_round_ends_its_test() -> None:
    rule = "event again\nrule loop when again wait 1min emit again"
    outcome = try_one(rule, "at 0h again\n expect entry")
    assert outcome.problem is not None
    assert outcome.problem.startswith("it goes round and round: 10,000 decisions by ")


def test_days_pass_by_the_customer_s_calendar() -> None:
    # Clocks go forward on 29 March 2026: a day later is 23 hours later, in the rule and in the test.
    outcome = try_one(
        SENTENCE,
        'given customer timezone "Europe/Helsinki"\n'
        "at 2026-03-28 12:00 cart_abandoned\n expect email at 2026-03-29 12:00\n expect email at 6d 1h",
    )
    assert outcome.passed, reasons(outcome)


def test_a_hundred_tests_of_one_rule_each_have_a_store_of_their_own() -> None:
    text = SENTENCE + "".join(
        f'test "number {n}" for cart\n at 0h cart_abandoned total {n}\n at 2h ordered\n expect exit at 2h\n'
        for n in range(100)
    )
    outcomes = try_all(text)
    assert len(outcomes) == 100
    assert all(outcome.passed for outcome in outcomes)


@pytest.mark.parametrize("lines", ["expect no entry", "expect no messages"])
def test_nothing_happens_in_a_test_without_events(lines: str) -> None:
    assert try_one(SENTENCE, lines).passed
