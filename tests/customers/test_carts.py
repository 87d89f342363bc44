"""A cart as its source's events tell it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Instant
from segue.api.values import HOUR, MINUTE
from segue.customers.carts import KEPT, MOST_LINES, Cart, after_telling, change, fields_of, holds_something

T0 = Instant(1_780_000_000_000_000)


def told(*events: tuple[str, int, dict[str, Any]]) -> Cart:
    """The cart after events, each with its minute."""
    cart: Cart | None = None
    for name, minute, fields in events:
        cart = change(cart, "shop", name, Instant(T0 + minute * MINUTE), fields, HOUR)
    assert cart is not None
    return cart


def added(minute: int, product: str, **fields: Any) -> tuple[str, int, dict[str, Any]]:
    return "product_added", minute, {"product_id": product, **fields}


def removed(minute: int, product: str, **fields: Any) -> tuple[str, int, dict[str, Any]]:
    return "product_removed", minute, {"product_id": product, **fields}


def updated(minute: int, **fields: Any) -> tuple[str, int, dict[str, Any]]:
    return "cart_updated", minute, fields


def test_what_a_source_said_of_the_whole_cart_is_said_again() -> None:
    products = [{"product_id": "X1", "name": "Cup", "price": 9.5, "quantity": 2}]
    cart = told(updated(0, cart_id="c1", products=products, total=24, currency="EUR", coupon="MAY"))
    assert fields_of(cart) == {
        "source": "shop",
        "cart_id": "c1",
        "items": ["X1"],
        "products": products,
        "total": 24,
        "currency": "EUR",
        "coupon": "MAY",
    }
    assert cart.due == T0 + HOUR


def test_what_went_in_and_out_is_summed_up() -> None:
    cart = told(
        added(0, "X1", price=9.5, quantity=3, currency="EUR", name="Cup"),
        added(1, "X2", price="10"),
        removed(2, "X1"),
        added(3, "X3", price=1),
        removed(4, "X3"),
    )
    fields = fields_of(cart)
    assert fields["items"] == ["X1", "X2"]
    assert (fields["total"], fields["currency"]) == (29, "EUR")
    assert fields["products"][0] == {"product_id": "X1", "price": 9.5, "currency": "EUR", "name": "Cup", "quantity": 2}


def test_a_total_is_left_out_where_a_price_is_not_known() -> None:
    assert "total" not in fields_of(told(added(0, "X1", price=5), added(0, "X2")))


def test_pieces_after_a_whole_cart_change_what_it_held() -> None:
    whole = updated(0, products=[{"product_id": "X1", "price": 5}], total=7, currency="EUR")
    assert fields_of(told(whole, added(1, "X2", price=2.5)))["total"] == 7.5
    assert fields_of(told(added(-1, "X9", price=2), whole))["items"] == ["X1"]


@pytest.mark.parametrize("late", [added(-5, "X2", price=3), updated(-5, products=[{"product_id": "X2"}], total=3)])
def test_what_happened_before_the_whole_cart_was_told_is_in_it_already(late: tuple[str, int, dict[str, Any]]) -> None:
    cart = told(updated(0, products=[{"product_id": "X1"}], total=5), late)
    assert fields_of(cart)["items"] == ["X1"]
    assert (cart.due, cart.touched) == (T0 + HOUR, T0)


def test_a_cart_that_is_known_by_its_items_or_its_total_alone_is_one() -> None:
    assert fields_of(told(updated(0, items=["X1", "X2"])))["items"] == ["X1", "X2"]
    assert holds_something(told(updated(0, total="5.00")))
    assert not holds_something(told(updated(0, total=0)))
    assert not holds_something(told(updated(0)))


def test_whoever_is_at_it_still_has_more_time_but_looking_makes_no_cart() -> None:
    assert told(added(0, "X1"), ("checkout_step_viewed", 10, {"step": 1})).due == T0 + 10 * MINUTE + HOUR
    assert change(None, "shop", "cart_viewed", T0, {}, HOUR) is None


def test_a_source_that_says_itself_that_it_is_abandoned_ends_the_watch() -> None:
    cart = told(added(0, "X1"), ("cart_abandoned", 30, {}))
    assert (cart.told, cart.due) == (True, T0 + KEPT)
    assert not told(added(0, "X1"), ("cart_abandoned", -30, {})).told


def test_once_told_it_is_told_again_only_after_a_later_change() -> None:
    cart = after_telling(told(added(0, "X1", price=1)))
    late = change(cart, "shop", "product_added", T0, {"product_id": "X2"}, HOUR)
    assert late is not None
    assert late.told
    again = change(late, "shop", "product_added", Instant(T0 + HOUR), {"product_id": "X3"}, HOUR)
    assert again is not None
    assert (again.told, again.due) == (False, T0 + 2 * HOUR)
    assert fields_of(again)["items"] == ["X1", "X2", "X3"]


def test_a_cart_has_an_end() -> None:
    assert len(told(*(added(0, f"X{number}") for number in range(MOST_LINES + 50))).lines) == MOST_LINES


PIECES = st.lists(
    st.tuples(
        st.sampled_from(["product_added", "product_removed"]),
        st.integers(0, 50),
        st.fixed_dictionaries({"product_id": st.sampled_from(["X1", "X2"]), "quantity": st.integers(1, 3)}),
    ),
    min_size=1,
    max_size=8,
)


@given(PIECES, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_neither_what_it_holds_nor_when_it_is_due(
    pieces: list[tuple[str, int, dict[str, Any]]], draw: Any
) -> None:
    shuffled = list(pieces)
    draw.shuffle(shuffled)
    one, other = told(*pieces), told(*shuffled)
    held = {line["product_id"]: line["quantity"] for line in one.lines.values()}
    assert {line["product_id"]: line["quantity"] for line in other.lines.values()} == held
    assert (one.touched, one.told, one.due) == (other.touched, other.told, other.due)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.sampled_from(["cart_updated", "checkout_started", "product_added", "product_removed"]),
    st.dictionaries(
        st.sampled_from(["products", "items", "total", "currency", "cart_id", "product_id", "quantity", "price"]), JSON
    ),
)
def test_whatever_a_source_sends_is_a_cart(name: str, fields: dict[str, Any]) -> None:
    cart = change(None, "shop", name, T0, fields, HOUR)
    assert cart is not None
    fields_of(cart)
