"""The bounds of a rule: the most messages, the longest journey, and what holds messages back."""

from __future__ import annotations

import pytest

from segue.api import Period
from segue.language.book import Source, check_book
from segue.language.bounds import Bounds, bounds_of
from tests.language.words import WORDS

HOUR = 3_600_000_000
POLICY = """
policy promotional
  quiet 21:00 to 08:00
  limit 2 email per 7d
  limit 5 messages per 7d
  limit 1 sms per 30d
  space 4h
  budget 200 EUR per 1d
policy informational
  limit 1 messages per 1d
"""


def _bounds(text: str) -> Bounds:
    checked = check_book([Source("a.rules", text)], WORDS)
    assert [d.message for d in checked.diagnostics if d.is_error] == []
    return bounds_of(checked.book.rules[-1], checked.book)


def test_the_canonical_sentence() -> None:
    bounds = _bounds("when cart_abandoned wait 1d unless ordered send email then sms")
    assert (bounds.messages, bounds.by_channel) == (2, {"email": 1, "sms": 1})
    # A day of waiting, and each message up to a day late.
    assert bounds.longest == Period(days=3)
    assert (bounds.dates, bounds.policies, bounds.a_week) == ((), (), None)


@pytest.mark.parametrize(
    ("steps", "messages", "by_channel"),
    [
        ("stop", 0, {}),
        ("send email or sms", 1, {"email": 1, "sms": 1}),
        ("send email and sms", 2, {"email": 1, "sms": 1}),
        ("send preferred", 1, {"preferred": 1}),
        ("if ordered send email then sms else send push end", 2, {"email": 1, "sms": 1, "push": 1}),
        ("if ordered send email stop end send sms", 1, {"email": 1, "sms": 1}),
        ("if ordered send email then push stop end send sms", 2, {"email": 1, "push": 1, "sms": 1}),
        ('split 50% send email 50% send sms then push end send email "b"', 3, {"email": 2, "sms": 1, "push": 1}),
        ("repeat 3 times send email wait 1d end", 3, {"email": 3}),
        ("repeat 3 times send email if ordered send sms stop end wait 1d end", 4, {"email": 3, "sms": 1}),
        ("repeat 2 times repeat 5 times send email end send sms end", 12, {"email": 10, "sms": 2}),
        ("stop send email", 0, {}),
    ],
)
def test_the_most_messages_are_those_of_the_way_with_most(
    steps: str, messages: int, by_channel: dict[str, int]
) -> None:
    bounds = _bounds(f"when cart_abandoned {steps}")
    assert (bounds.messages, bounds.by_channel) == (messages, by_channel)


@pytest.mark.parametrize(
    ("steps", "longest"),
    [
        ("stop", Period()),
        ("wait 1mo 2d 3h set customer.vip = true", Period(1, 2, 3 * HOUR)),
        ("wait until 09:00 send email within 6h", Period(days=1, micros=6 * HOUR)),
        ("wait until friday 09:00 set customer.vip = true", Period(days=7)),
        ("wait until tomorrow 09:00 set customer.vip = true", Period(days=2)),
        ("wait until best time set customer.vip = true", Period(days=1)),
        ("wait for ordered up to 3d set customer.vip = true", Period(days=3)),
        ("if ordered wait 3d else wait 2w end set customer.vip = true", Period(days=14)),
        ("if ordered wait 3d stop end wait 1d set customer.vip = true", Period(days=4)),
        ("split 50% wait 1d 50% wait 1mo end set customer.vip = true", Period(months=1)),
        ("repeat 3 times wait 2d 1h send push within 1h end", Period(days=6, micros=6 * HOUR)),
        ("send email within 1h or sms within 2h and push within 30min", Period(micros=3 * HOUR)),
        ("stop wait 3d send email", Period()),
    ],
)
def test_the_longest_journey_takes_the_longest_way(steps: str, longest: Period) -> None:
    assert _bounds(f"when cart_abandoned {steps}").longest == longest


def test_a_date_may_be_however_far() -> None:
    bounds = _bounds(
        "when cart_abandoned\nwait 1d\nwait until customer.renewal\nif ordered\nwait until 2d before customer.renewal\n"
        "else wait until 2026-11-27 09:00 end\nsend email"
    )
    assert (bounds.longest, bounds.dates) == (None, (3, 5, 6))


def test_the_lines_of_a_policy_that_hold_a_rules_messages_back() -> None:
    bounds = _bounds(f"{POLICY} rule a when ordered send email then push")
    assert [type(each.line).__name__ for each in bounds.policies] == ["Quiet", "Limit", "Limit", "Space", "Budget"]
    assert {each.kind for each in bounds.policies} == {"promotional"}
    assert bounds.a_week == 5


def test_what_goes_by_the_preferred_channel_may_meet_any_limit() -> None:
    assert len(_bounds(f"{POLICY} rule a when ordered send preferred").policies) == 6


def test_each_kind_has_its_own_policy_and_transactional_messages_have_none() -> None:
    assert _bounds(f"{POLICY} rule a when ordered as transactional send email").policies == ()
    both = _bounds(f"{POLICY} rule a when ordered send sms then email as informational")
    assert {each.kind for each in both.policies} == {"informational"}
    assert both.a_week == 7


def test_space_leaves_as_many_a_week_as_fit() -> None:
    assert _bounds("policy promotional space 2d\nwhen ordered send email").a_week == 4
