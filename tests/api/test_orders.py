"""The lines of an order, as every source hands them on."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Event, Instant
from segue.api.bodies import Refused
from segue.api.shop import MOST_LINES, item_ids, order_lines

CUP = {"product_id": "X1", "sku": "X1-red", "name": "Cup", "price": 9.5, "quantity": 2, "imageUrl": "https://shop/x1"}
PRODUCTS = [CUP, {"sku": "Y2", "price": 20}, "Z3"]
OF_THE_ORDER = {"order_id": "7", "currency": "EUR"}


def order(name: str = "Order Completed", **properties: Any) -> Event:
    return Event(
        message_id="m1",
        timestamp=Instant(5),
        source="shop",
        name=name,
        user_id="ann",
        ids={"email": "ann@example.com"},
        properties={"order_id": "7", "currency": "EUR", "total": 40, "products": PRODUCTS, **properties},
        traits={"first_name": "Ann"},
    )


def test_each_line_is_an_event_of_the_order_s_customer_and_moment() -> None:
    cup, bowl, plate = order_lines(order())
    assert (cup.name, cup.user_id, cup.timestamp, cup.source) == ("item_ordered", "ann", 5, "shop")
    assert (cup.ids, cup.traits) == ({"email": "ann@example.com"}, {})
    assert cup.properties == {**CUP, **OF_THE_ORDER}
    assert bowl.properties == {"product_id": "Y2", "sku": "Y2", "price": 20, "quantity": 1, **OF_THE_ORDER}
    assert plate.properties == {"product_id": "Z3", "quantity": 1, **OF_THE_ORDER}
    assert [line.message_id for line in (cup, bowl, plate)] == ["m1/line-1", "m1/line-2", "m1/line-3"]


@pytest.mark.parametrize("name", ["ordered", "Order Completed", "Completed Order"])
def test_an_order_is_known_by_any_of_its_names(name: str) -> None:
    assert len(order_lines(order(name))) == 3


@pytest.mark.parametrize("name", ["order_updated", "cart_updated", "Cart Abandoned", None])
def test_nothing_else_has_lines(name: str) -> None:
    assert order_lines(order(name)) == ()


def test_the_lines_of_a_recorded_order_keep_the_source_that_it_came_from() -> None:
    assert {line.properties["source"] for line in order_lines(order(source="web"))} == {"web"}


def test_an_order_of_more_lines_than_may_be_is_refused() -> None:
    assert len(order_lines(order(products=["X1"] * MOST_LINES))) == MOST_LINES
    with pytest.raises(Refused, match="2,001 lines"):
        order_lines(order(products=["X1"] * (MOST_LINES + 1)))


def test_the_number_of_a_line_is_its_place_also_behind_one_that_says_nothing() -> None:
    (line,) = order_lines(order(products=[None, {"product_id": 5}]))
    assert (line.message_id, line.properties["product_id"]) == ("m1/line-2", "5")


NAMES = st.sampled_from(["product_id", "sku", "id", "price"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
    max_leaves=8,
)


@given(JSON)
def test_whatever_stands_for_products_the_ids_are_texts_and_each_is_a_line(products: Any) -> None:
    ids = item_ids(products)
    assert all(ids)
    lines = order_lines(order(products=products))
    assert [line.properties["product_id"] for line in lines if "product_id" in line.properties] == ids
    assert len({line.message_id for line in lines}) == len(lines)
