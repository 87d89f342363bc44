"""Reasons that mean the same count as one."""

from __future__ import annotations

import pytest

from segue.measure.funnels.reasons import alike, sort_reason, told


@pytest.mark.parametrize(
    ("reason", "by", "words"),
    [
        (
            "limit 2 email per 7d (promotional), taken by carts at 2026-03-01T10:00:00Z",
            "policy",
            "limit 2 email per 7d (promotional)",
        ),
        ("quiet 21:00 to 08:00 local (promotional)", "policy", "quiet 21:00 to 08:00 local (promotional)"),
        ("budget 200 EUR per 1d (informational)", "policy", "budget 200 EUR per 1d (informational)"),
        ("consent withdrawn for promotional sms", "consent", "consent withdrawn for promotional sms"),
        ("no consent for promotional sms; no email", "consent", "no consent for promotional sms; no email"),
        ("no phone", "address", "no phone"),
        ("no email; no phone", "address", "no email; no phone"),
        ("no content for offer on sms", "content", "no content for offer on sms"),
        ("no code is left in the pool SUMMER", "other", "no code is left in the pool SUMMER"),
        ("too late", "late", "too late"),
        ("the journey ended: unless ordered", "journey", "the journey ended: unless ordered"),
        ("holdout", "holdout", "holdout"),
    ],
)
def test_a_reason_is_sorted(reason: str, by: str, words: str) -> None:
    assert sort_reason(reason) == (by, words)


def test_addresses_are_no_part_of_what_a_provider_says() -> None:
    assert alike("550 5.1.1 <ann@example.com>: no such user") == "550 5.1.1 <…>: no such user"


def test_a_line_of_the_policy_is_one_reason_whatever_was_in_its_way() -> None:
    full = "limit 4 messages per 7d (promotional), taken by {} at 2026-11-10T08:00:00Z"
    line = "limit 4 messages per 7d (promotional)"
    assert {told(full.format(rule), skipped=True) for rule in ("carts", "digest")} == {line}
    assert told(f"unknown: {full.format('carts')}", skipped=False) == f"unknown: {line}"
    assert told("550 ann@example.com unknown", skipped=False) == "550 … unknown"
