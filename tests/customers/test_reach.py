"""Whether a channel may and can reach a customer, and the reason where it may not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from segue.api import Instant
from segue.customers.consent import GRANTED, KINDS, MARKETING, PENDING, WITHDRAWN, Stand, State
from segue.customers.reach import ChannelReach, Reach
from segue.customers.suppression import BOUNCED, COMPLAINED, STOPPED, Suppression

REACH = Reach(
    {
        "email": ChannelReach("email"),
        "sms": ChannelReach("phone", consent="opt-in"),
        "push": ChannelReach(None),
        "console": ChannelReach("email", optional=True),
    }
)
ANN = {"email": "ann@example.com", "phone": "+358401234567"}


def stands(**states: State) -> dict[str, Stand]:
    """``email__promotional=`` stands for ``email/promotional``."""
    return {
        name.replace("__", "/"): Stand(pending=Instant(1)) if state == PENDING else Stand(state, Instant(1))
        for name, state in states.items()
    }


def refusal(channel: str, kind: str = "promotional", traits: Mapping[str, Any] = ANN, **states: State) -> str | None:
    return REACH.refusal(channel, kind, traits, stands(**states))


def suppressed(
    reason: str, address: str = ANN["email"], channel: str = ""
) -> Callable[[str, str], Sequence[Suppression]]:
    """One address of the sort ``email`` is suppressed."""
    one = Suppression("email", address, reason, Instant(1), "test", channel)
    return lambda sort, value: [one] if (sort, value) == (one.sort, one.address) else []


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
        assert REACH.refusal("email", other, ANN, {f"email/{kind}": Stand(WITHDRAWN, Instant(1))}) == expected
    assert REACH.refusal("push", kind, ANN, {f"email/{kind}": Stand(WITHDRAWN, Instant(1))}) is None


def test_consent_given_again_reaches_again() -> None:
    assert refusal("email", email__promotional=GRANTED) is None


@pytest.mark.parametrize("kind", MARKETING)
def test_an_opt_in_channel_needs_consent_for_what_is_not_transactional(kind: str) -> None:
    assert refusal("sms", kind) == f"no consent for {kind} sms"
    assert REACH.refusal("sms", kind, ANN, {f"sms/{kind}": Stand(GRANTED, Instant(1))}) is None
    assert refusal("sms", "transactional") is None


@pytest.mark.parametrize("channel", ["email", "sms"])
@pytest.mark.parametrize("kind", MARKETING)
def test_until_a_subscription_is_confirmed_no_marketing_goes(channel: str, kind: str) -> None:
    states = {f"{channel}/{kind}": Stand(pending=Instant(1))}
    assert REACH.refusal(channel, kind, ANN, states) == f"consent for {kind} {channel} is not confirmed yet"
    assert REACH.refusal(channel, "transactional", ANN, {f"{channel}/transactional": Stand(pending=Instant(1))}) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_dead_address_is_refused_for_every_kind_until_the_customer_has_another(kind: str) -> None:
    granted, gone = stands(email__promotional=GRANTED), suppressed(BOUNCED)
    assert REACH.refusal("email", kind, ANN, granted, gone) == "email is gone"
    assert REACH.refusal("email", kind, {"email": "ann@new.example"}, granted, gone) is None
    assert REACH.refusal("push", kind, ANN, granted, gone) is None


@pytest.mark.parametrize("reason", [COMPLAINED, STOPPED])
def test_a_complaint_and_a_stop_hold_whatever_was_granted_but_let_what_an_order_needs_through(reason: str) -> None:
    granted, found = stands(email__promotional=GRANTED), suppressed(reason, channel="email")
    assert str(REACH.refusal("email", "promotional", ANN, granted, found)).startswith("email suppressed: ")
    assert REACH.refusal("email", "transactional", ANN, granted, found) is None
    assert REACH.refusal("console", "promotional", ANN, granted, found) is None  # the same address, another channel


def test_a_channel_for_trials_reaches_those_of_whom_no_address_is_known_at_all() -> None:
    assert refusal("console", traits={}) is None
    assert refusal("console") is None
    assert refusal("console", traits={"phone": "+358401234567"}) == "no email"


def test_a_message_goes_to_the_trait_else_to_the_customers_own_id() -> None:
    assert REACH.address("email", "ann", ANN) == "ann@example.com"
    assert REACH.address("sms", "ann", {"phone": 358401234567}) == "358401234567"
    assert REACH.address("push", "ann", ANN) == "ann"
    assert REACH.address("console", "ann", {}) == "ann"
