"""Whose event it is: by the shop's own id, by a device, and by both at once."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from segue.customers.identity import Resolution, device_key, resolve, show, user_key


def resolve_among(
    user_id: str | None, device: str | None, customers: Mapping[str, int], aliases: Mapping[str, int] | None = None
) -> Resolution | None:
    """``customers`` by their own key; ``aliases`` are further keys."""
    return resolve(
        user_id, device, {**customers, **(aliases or {})}, {number: key for key, number in customers.items()}
    )


def test_keys_of_users_and_of_devices_never_meet() -> None:
    assert user_key("1") != device_key("1")
    assert show(user_key("a:1")) == "a:1"
    assert show(device_key("u:1")) == "u:1"


def test_an_event_without_any_id_names_nobody() -> None:
    assert resolve_among(None, None, {"u:ann": 1}) is None


def test_a_new_id_is_a_new_customer() -> None:
    assert resolve_among("ann", None, {"u:bob": 1}) == Resolution(None, "u:ann")
    assert resolve_among(None, "phone", {"u:phone": 1}) == Resolution(None, "a:phone")


def test_a_known_id_is_its_customer() -> None:
    assert resolve_among("ann", None, {"u:ann": 1}) == Resolution(1, "u:ann")
    assert resolve_among(None, "phone", {"a:phone": 2}) == Resolution(2, "a:phone")
    assert resolve_among(None, "phone", {"u:ann": 1}, {"a:phone": 1}) == Resolution(1, "a:phone")


def test_a_device_that_signs_in_becomes_known_and_keeps_its_history() -> None:
    assert resolve_among("ann", "phone", {"a:phone": 2}) == Resolution(2, "u:ann", "a:phone", known=True)


def test_a_first_event_with_both_ids_makes_one_customer_with_two_keys() -> None:
    assert resolve_among("ann", "phone", {}) == Resolution(None, "u:ann", "a:phone")


def test_a_known_customer_on_a_further_device_has_one_more_key() -> None:
    assert resolve_among("ann", "tablet", {"u:ann": 1}) == Resolution(1, "u:ann", "a:tablet")
    assert resolve_among("ann", "tablet", {"u:ann": 1, "a:tablet": 2}) == Resolution(1, "u:ann", "a:tablet")


def test_a_key_that_is_known_already_is_not_noted_again() -> None:
    assert resolve_among("ann", "phone", {"u:ann": 1}, {"a:phone": 1}) == Resolution(1, "u:ann")


def test_two_customers_with_ids_of_their_own_on_one_device_stay_two() -> None:
    # the family's tablet: from now on it is Bob's, and Ann stays Ann
    assert resolve_among("bob", "tablet", {"u:ann": 1}, {"a:tablet": 1}) == Resolution(None, "u:bob", "a:tablet")
    assert resolve_among("bob", "tablet", {"u:ann": 1, "u:bob": 2}, {"a:tablet": 1}) == Resolution(
        2, "u:bob", "a:tablet"
    )


_IDS = st.none() | st.sampled_from(["ann", "bob", "phone"])


@given(st.lists(st.tuples(_IDS, _IDS), max_size=12))
def test_in_any_order_of_events_an_id_stays_with_one_customer(events: list[tuple[str | None, str | None]]) -> None:
    customers: dict[str, int] = {}
    own: dict[int, str] = {}
    of_user: dict[str, int] = {}
    for user, device in events:
        found = resolve(user, device, customers, own)
        if found is None:
            assert (user, device) == (None, None)
            continue
        number = found.customer if found.customer is not None else len(own) + 1
        own.setdefault(number, found.key)
        customers[found.key] = number
        if found.known:
            assert own[number].startswith("a:")
            own[number] = found.key
        if found.alias is not None:
            customers[found.alias] = number
        if user is not None:
            assert of_user.setdefault(user, number) == number
            assert own[number] == user_key(user)
        if device is not None:
            assert customers[device_key(device)] == number
    assert len(set(own.values())) == len(own)
