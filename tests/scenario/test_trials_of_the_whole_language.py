"""Every kind of beginning, step and policy can be tested, with nothing set up beside the test."""

from __future__ import annotations

from tests.scenario.trying import reasons, told, try_one

ALL = 'segment finns where customer.country = "FI"\n'
DATES = "customer\n  birthday date\n  renewal date\n  plan text\n"


def passes(rules: str, lines: str) -> None:
    outcome = try_one(rules, lines)
    assert outcome.passed, (outcome.problem, reasons(outcome), told(outcome))


def test_a_given_arm_is_the_one_of_whatever_split_has_it() -> None:
    rule = (
        'rule ab when cart_abandoned split "offer" 50% "free" send email "free" 50% "code" send email "code" end '
        'split "end" 1% "short" send sms "short" 99% "long" send sms "long" end'
    )
    for first, second in (("free", "short"), ("code", "short"), ("code", "long")):
        passes(
            rule,
            f'given arm "{first}" given arm "{second}" at 0h cart_abandoned '
            f'expect email "{first}" expect sms "{second}" expect 2 messages',
        )


def test_a_weekly_rule_runs_for_a_week_at_least() -> None:
    rule = ALL + "rule digest every monday at 09:00 for finns wait 1d send email"
    passes(
        rule,
        'given customer country "FI", timezone "UTC" '
        "expect entry at 0h expect email at 1d expect 1 message expect finish",
    )
    passes(rule, 'given customer country "SE" expect no entry')


def test_a_recurring_rule_runs_to_the_last_moment_that_the_test_names() -> None:
    rule = ALL + "rule digest every monday at 09:00 for finns send email"
    passes(rule, 'given customer country "FI", timezone "UTC" expect email at 21d expect 4 messages')


def test_a_monthly_and_a_yearly_rule_come_once_in_their_round() -> None:
    passes(
        ALL + "rule monthly every month 1 at 09:00 for finns send email",
        'given customer country "FI", timezone "UTC" expect email at 2026-02-01 09:00 expect 1 message',
    )
    passes(
        ALL + DATES + "rule party every year on customer.birthday at 10:00 for finns send email",
        'given customer country "FI", timezone "UTC", birthday 1990-05-05 '
        "expect email at 2026-05-05 10:00 expect 1 message",
    )


def test_a_broadcast_goes_once_at_its_moment() -> None:
    rule = ALL + "rule sale on 2026-11-27 at 08:00 for finns send email"
    passes(rule, 'given customer country "FI", timezone "UTC" expect email at 2026-11-27 08:00 expect 1 message')
    passes(rule, 'given customer country "FI", timezone "UTC" expect email expect 1 message')


def test_a_date_of_the_customer_begins_its_rule() -> None:
    rule = ALL + DATES + "rule renew when 3d before customer.renewal at 09:00 for finns send email"
    passes(
        rule,
        'given customer country "FI", timezone "UTC", renewal 2026-03-10 '
        "expect email at 2026-03-07 09:00 expect 1 message",
    )
    passes(rule, 'given customer country "FI", timezone "UTC", renewal 2025-12-01 expect email at 2025-11-28 09:00')


def test_a_customer_goes_into_a_segment_by_an_event_and_by_time() -> None:
    rules = "segment buyers where ordered ever\nsegment lapsed where ordered ever and not ordered in last 90d\n"
    passes(
        rules + "rule thanks when customer enters buyers send email", "at 2h ordered expect email at 2h expect 1 entry"
    )
    passes(
        rules + "rule back when customer enters lapsed send email",
        "at 2h ordered expect email at 90d 2h expect 1 entry",
    )


def test_who_was_a_member_before_the_test_begins_nothing() -> None:
    rule = ALL + "rule hello when customer enters finns send email"
    passes(rule, 'given customer country "FI", timezone "UTC" expect no entry')


def test_a_trait_that_changes_in_the_test_begins_and_stops_journeys() -> None:
    rule = DATES + 'rule gold when customer.plan changes to "gold" wait 1d unless customer.plan = "none" send email'
    passes(rule, 'given customer plan "silver" at 2h customer plan "gold" expect entry at 2h expect email at 1d 2h')
    passes(rule, 'given customer plan "gold" at 2h customer plan "gold" expect no entry')
    passes(
        rule,
        'at 2h customer plan "gold", country "FI" at 1d customer plan "none" expect exit at 1d expect no messages',
    )


def test_a_segment_is_entered_by_a_trait() -> None:
    rule = ALL + "rule hello when customer enters finns send email"
    passes(
        rule, 'given customer country "SE" at 2026-01-07 10:00 customer country "FI" expect entry at 2026-01-07 10:00'
    )


def test_quiet_hours_and_limits_hold_in_a_test() -> None:
    policy = "policy promotional quiet 21:00 to 08:00 local limit 1 email per 7d\n"
    rules = policy + "rule cart when cart_abandoned send email"
    passes(rules, "at 13h cart_abandoned expect deferral at 13h expect email at 23h expect 1 message")
    passes(rules, "at 0h cart_abandoned at 1d cart_abandoned expect 1 email expect skip at 1d")


def test_coupons_preferences_and_the_best_time_have_answers_in_a_test() -> None:
    passes('rule code when cart_abandoned send email with code = coupon("CART10")', "at 0h cart_abandoned expect email")
    passes("rule best when cart_abandoned wait until best time send email", "at 0h cart_abandoned expect email at 1h")


def test_a_repeat_takes_its_turns() -> None:
    rule = "rule nag when cart_abandoned repeat 3 times until ordered send email wait 1d end"
    passes(rule, "at 0h cart_abandoned expect 3 email expect finish at 3d")
    passes(rule, "at 0h cart_abandoned at 1d 1h ordered expect 2 email expect finish at 2d")


def test_what_stands_is_taken_back_in_a_test() -> None:
    rule = 'rule ads when cart_abandoned send audience "x" wait 14d unless ordered'
    outcome = try_one(rule.replace("audience", "push"), "at 0h cart_abandoned at 3d ordered expect push at 0h")
    assert outcome.passed, reasons(outcome)


def test_only_entries_in_its_days_begin_a_rule() -> None:
    rule = "rule sale when cart_abandoned from 2026-11-20 to 2026-11-30 send email"
    passes(rule, "at 0h cart_abandoned expect email at 0h")
    passes(rule, "at 2026-12-01 10:00 cart_abandoned expect no entry")
