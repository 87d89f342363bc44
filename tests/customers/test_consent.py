"""What stands after what customers said: the latest by its time, whatever arrives first."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Instant
from segue.customers.consent import (
    BASES,
    NOTHING_SAID,
    Stand,
    State,
    Statement,
    basis_of,
    join_all,
    stand_of,
    sum_up,
)

STATES: tuple[State, ...] = ("granted", "withdrawn", "pending")
moments = st.integers(1, 6).map(Instant)
statements = st.lists(
    st.builds(
        Statement,
        channel=st.sampled_from(["email", "sms"]),
        kind=st.sampled_from(["promotional", "informational"]),
        state=st.sampled_from(STATES),
        at=moments,
        source=st.just("form"),
    ),
    max_size=8,
)


def after(*said: tuple[State, int]) -> State | None:
    """What stands after these, as they arrive."""
    stand = NOTHING_SAID
    for state, at in said:
        stand = stand.join(stand_of(state, Instant(at)))
    return stand.state


def last_said(said: list[tuple[int, State]]) -> State | None:
    """The laws once more, in the simplest words: go through everything in the order in which it was said."""
    state: State | None = None
    for _, one in sorted(said, key=lambda each: (each[0], ("pending", "granted", "withdrawn").index(each[1]))):
        if one != "pending" or state != "granted":
            state = one
    return state


@given(statements, st.randoms())
def test_the_order_of_arrival_does_not_matter(said: list[Statement], chance: random.Random) -> None:
    shuffled = list(said)
    chance.shuffle(shuffled)
    assert sum_up(said) == sum_up(shuffled)


@given(statements)
def test_what_stands_is_what_was_said_last(said: list[Statement]) -> None:
    for name, stand in sum_up(said).items():
        channel, kind = name.split("/")
        assert stand.state == last_said(
            [(one.at, one.state) for one in said if (one.channel, one.kind) == (channel, kind)]
        )


@given(statements, statements)
def test_two_customers_who_are_one_said_what_both_said(one: list[Statement], other: list[Statement]) -> None:
    assert join_all(sum_up(one), sum_up(other)) == join_all(sum_up(other), sum_up(one)) == sum_up([*one, *other])


def test_a_withdrawal_wins_at_the_same_instant() -> None:
    assert after(("granted", 5), ("withdrawn", 5)) == after(("withdrawn", 5), ("granted", 5)) == "withdrawn"


def test_a_grant_that_arrives_late_does_not_undo_the_withdrawal_that_came_after_it() -> None:
    assert after(("withdrawn", 5), ("granted", 4)) == "withdrawn"


def test_who_had_agreed_is_not_asked_to_confirm_before_the_next_message() -> None:
    assert after(("granted", 1), ("pending", 2)) == "granted"
    assert after(("withdrawn", 1), ("pending", 2)) == "pending"
    assert after(("pending", 2), ("withdrawn", 3)) == "withdrawn"
    assert after(("pending", 2), ("granted", 3)) == "granted"


def test_nothing_said_is_nothing_known() -> None:
    assert Stand().state is None


@pytest.mark.parametrize(
    ("written", "basis"),
    [
        *((one, one) for one in BASES),
        ("Soft opt-in", "legitimate_interests"),
        ("legitimate interest", "legitimate_interests"),
        ("because", "consent"),
        (7, "consent"),
        (None, "consent"),
    ],
)
def test_a_basis_is_said_in_the_words_of_the_law(written: object, basis: str) -> None:
    assert basis_of(written, "granted") == basis


def test_a_withdrawal_needs_no_basis() -> None:
    assert basis_of("consent", "withdrawn") == ""
