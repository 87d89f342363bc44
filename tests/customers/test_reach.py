"""Whether a channel may and can reach a customer, and the reason where it may not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from segue.customers.reach import GRANTED, KINDS, MARKETING, WITHDRAWN, ChannelReach, Reach

REACH = Reach(
    {
        "email": ChannelReach("email"),
        "sms": ChannelReach("phone", consent="opt-in"),
        "push": ChannelReach(None),
        "console": ChannelReach("email", optional=True),
    }
)
ANN = {"email": "ann@example.com", "phone": "+358401234567"}


def refusal(channel: str, kind: str = "promotional", traits: Mapping[str, Any] = ANN, **consent: str) -> str | None:
    """``email__promotional=`` stands for the consent ``email/promotional``."""
    states = {name.replace("__", "/"): state for name, state in consent.items()}
    return REACH.refusal(channel, kind, traits, states)


def test_a_customer_with_an_address_is_reached() -> None:
    assert refusal("email") is None


@pytest.mark.parametrize("traits", [{}, {"email": ""}, {"email": None}, {"phone": "+358401234567"}])
def test_without_an_address_the_reason_names_the_trait(traits: dict[str, Any]) -> None:
    assert refusal("email", traits=traits) == "no email"


def test_a_channel_that_needs_no_address_reaches_everybody() -> None:
    assert refusal("push", traits={}) is None


def test_a_channel_that_the_project_lacks_reaches_nobody() -> None:
    assert refusal("fax") == "no channel fax"


@pytest.mark.parametrize("kind", KINDS)
def test_a_withdrawal_is_of_one_channel_and_one_kind(kind: str) -> None:
    for other in KINDS:
        expected = f"consent withdrawn for {kind} email" if other == kind else None
        assert REACH.refusal("email", other, ANN, {f"email/{kind}": WITHDRAWN}) == expected
    assert REACH.refusal("push", kind, ANN, {f"email/{kind}": WITHDRAWN}) is None


def test_consent_given_again_reaches_again() -> None:
    assert refusal("email", email__promotional=GRANTED) is None


@pytest.mark.parametrize("kind", MARKETING)
def test_an_opt_in_channel_needs_consent_for_what_is_not_transactional(kind: str) -> None:
    assert refusal("sms", kind) == f"no consent for {kind} sms"
    assert REACH.refusal("sms", kind, ANN, {f"sms/{kind}": GRANTED}) is None
    assert refusal("sms", "transactional") is None


def test_a_suppressed_channel_is_refused_for_every_kind_with_its_own_reason() -> None:
    for kind in KINDS:
        assert refusal("email", kind, email="hard bounce", email__promotional=GRANTED) == "hard bounce"
    assert refusal("push", email="hard bounce") is None


def test_a_dead_address_is_refused_until_the_customer_has_another() -> None:
    gone = {"gone/email": "ann@example.com"}
    assert REACH.refusal("email", "transactional", ANN, gone) == "email is gone"
    assert REACH.refusal("email", "transactional", {"email": "ann@new.example"}, gone) is None
    assert REACH.refusal("push", "transactional", ANN, gone) is None


def test_a_channel_for_trials_reaches_those_of_whom_no_address_is_known_at_all() -> None:
    assert refusal("console", traits={}) is None
    assert refusal("console") is None
    assert refusal("console", traits={"phone": "+358401234567"}) == "no email"


def test_a_message_goes_to_the_trait_else_to_the_customers_own_id() -> None:
    assert REACH.address("email", "ann", ANN) == "ann@example.com"
    assert REACH.address("sms", "ann", {"phone": 358401234567}) == "358401234567"
    assert REACH.address("push", "ann", ANN) == "ann"
    assert REACH.address("console", "ann", {}) == "ann"
