"""Products for a customer, and the tag that shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import permutations
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Instant, Retry
from segue.api.values import DAY, HOUR
from segue.customers.identity import user_key
from segue.messages.catalogue import Catalogue
from segue.messages.recommending import products_asked
from segue.messages.rendering import RenderError, compile_part, render, undeclared
from segue.messages.template import template_of
from segue.runtime.recommending import note_event, recommend
from segue.store.customers import CustomerRow, merge_customers
from segue.store.database import Store
from tests.engine.stage import with_content
from tests.runtime.rulebook import T0
from tests.runtime.stage import Stage

LETTER = (
    "{% recommend 3 %}{{ forloop.index }} {{ product.name }} {{ product.price }}\n{% else %}nothing\n{% endrecommend %}"
)


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None)
    yield opened
    opened.close()


def buys(store: Store, customer: int, *products: str, at: int = T0, name: str = "item_ordered") -> None:
    for product in products:
        fields = {"product_id": product, "name": f"The {product}", "price": 10}
        store.apply(lambda tx, fields=fields: note_event(tx, customer, name, fields, Instant(at)))  # type: ignore[misc]


def names(store: Store, customer: int, count: int = 3, now: int = T0) -> list[str]:
    found = store.apply(lambda tx: recommend(tx, customer, count, Instant(now)))
    return [one["product_id"] for one in found]


def test_what_others_bought_with_it_is_recommended_and_what_the_customer_has_is_not(store: Store) -> None:
    for customer in range(1, 6):
        buys(store, customer, "tent", "lamp")
    for customer in range(6, 9):
        buys(store, customer, "tent", "stove")
    for customer in range(20, 40):
        buys(store, customer, "socks")
    buys(store, 50, "tent")
    assert names(store, 50) == ["lamp", "stove", "socks"]
    assert names(store, 1) == ["stove", "socks"], "the tent and the lamp are theirs"


def test_one_customer_who_bought_both_says_nothing_yet(store: Store) -> None:
    buys(store, 1, "tent", "whistle")
    buys(store, 2, "socks")
    buys(store, 3, "socks")
    buys(store, 4, "tent")
    assert names(store, 4, 1) == ["socks"]


def test_what_sells_to_everybody_is_no_neighbour_of_anything(store: Store) -> None:
    """Cosine: bags were bought with half of the tents, and with everything else; pegs with fewer tents, and only so."""
    for customer in range(1, 5):
        buys(store, customer, "tent", "bag")
    for customer in range(5, 8):
        buys(store, customer, "tent", "pegs")
    for customer in range(10, 60):
        buys(store, customer, "bag")
    buys(store, 100, "tent")
    assert names(store, 100, 2) == ["pegs", "bag"]


def test_who_only_looked_gets_what_goes_with_it_and_who_is_unknown_what_sells_best(store: Store) -> None:
    for customer in range(1, 4):
        buys(store, customer, "tent", "lamp")
    for customer in range(10, 20):
        buys(store, customer, "socks")
    buys(store, 30, "tent", name="product_viewed")
    assert names(store, 30) == ["lamp", "socks", "tent"]
    assert names(store, 99) == ["socks", "tent", "lamp"]
    assert names(store, 99, 20) == ["socks", "tent", "lamp"]


def test_what_was_bought_lately_counts_more(store: Store) -> None:
    for customer in range(1, 4):
        buys(store, customer, "tent", "lamp")
    for customer in range(4, 7):
        buys(store, customer, "boots", "laces")
    buys(store, 10, "tent", at=T0 - 400 * DAY)
    buys(store, 10, "boots", at=T0 - DAY)
    assert names(store, 10, 2) == ["laces", "lamp"]


def test_what_cannot_be_had_is_left_out_until_it_is_back(store: Store) -> None:
    for customer in range(1, 4):
        buys(store, customer, "tent", "lamp")
    buys(store, 10, "tent")

    def happens(name: str) -> None:
        store.apply(lambda tx: note_event(tx, None, name, {"product_id": "lamp"}, T0))

    happens("out_of_stock")
    assert names(store, 10) == []
    happens("back_in_stock")
    assert names(store, 10) == ["lamp"]


@pytest.mark.parametrize("key", [None, "", "x" * 201, True, ["a"], {"a": 1}])
def test_an_event_that_names_no_product_is_no_product(store: Store, key: object) -> None:
    store.apply(lambda tx: note_event(tx, 1, "item_ordered", {"product_id": key}, T0))
    assert store.apply(lambda tx: tx.rows("select * from product")) == []


def test_of_what_a_customer_only_looked_at_the_newest_hundred_are_kept(store: Store) -> None:
    buys(store, 1, "tent", at=T0 - DAY)
    buys(store, 1, *(f"p{number}" for number in range(130)), name="product_viewed")
    assert store.apply(lambda tx: tx.rows("select bought, count(*) from interest group by bought")) == [
        (0, 100),
        (1, 1),
    ]


def test_customers_who_turn_out_to_be_one_have_what_either_had(store: Store) -> None:
    stage = Stage(store, "event paid\nwhen paid stop")
    stage.arrive(None, "ann")
    for customer in range(5, 8):
        buys(store, customer, "tent", "lamp")
    buys(store, 1, "tent")
    buys(store, 2, "lamp")
    kept, gone = CustomerRow(1, user_key("ann"), {}, {}), CustomerRow(2, "a:device", {}, {})
    store.apply(lambda tx: merge_customers(tx, kept, gone))
    assert names(store, 1) == []


_orders = st.lists(st.tuples(st.integers(1, 6), st.sampled_from("abcdefgh")), max_size=60)


@given(_orders, st.integers(1, 6))
def test_scores_are_the_cosines_of_who_bought_what(orders: list[tuple[int, str]], customer: int) -> None:
    store = Store(None)
    for number, (who, product) in enumerate(orders):
        buys(store, who, product, at=T0 - HOUR + number)
    baskets: dict[int, list[str]] = {}
    for who, product in orders:
        if product not in baskets.setdefault(who, []):
            baskets[who].append(product)
    buyers = Counter(product for basket in baskets.values() for product in basket)
    pairs = Counter(pair for basket in baskets.values() for pair in permutations(basket, 2))
    mine = baskets.get(customer, [])
    latest = {product: T0 - HOUR + number for number, (who, product) in enumerate(orders) if who == customer}
    scores: dict[str, float] = {}
    for (seed, other), both in pairs.items():
        if seed in mine and other not in mine and both >= 2:
            weight = 0.5 ** ((T0 - latest[seed]) / (90 * DAY))
            scores[other] = scores.get(other, 0) + weight * both / sqrt(buyers[seed] * buyers[other])
    found = names(store, customer, 20)
    store.close()
    assert set(found) == buyers.keys() - set(mine), "filled up with what sells best"
    likely = found[: len(scores)]
    assert set(likely) == scores.keys()
    assert [scores[one] for one in likely] == pytest.approx(sorted(scores.values(), reverse=True))
    rest = [buyers[one] for one in found[len(scores) :]]
    assert rest == sorted(rest, reverse=True)


# The tag


def test_the_claim_fixes_what_is_recommended_so_that_a_retry_gives_the_same_bytes(store: Store) -> None:
    stage = Stage(store, 'event paid\nwhen paid send email "news"', email=with_content("email"))
    stage.content = Catalogue(
        {("news", "email", None): template_of("news", "email", None, {"subject": "News", "text": LETTER})}
    )
    for customer in range(5, 8):
        buys(store, customer, "tent", "lamp")
    stage.arrive("item_ordered", product_id="tent")
    stage.arrive("paid", id="2")
    (claimed,), _ = stage.claim()
    assert claimed.template is not None
    first = render(claimed.template, claimed.values)
    assert first["text"] == "1 The lamp 10\n"
    for customer in range(20, 50):
        buys(store, customer, "tent", "rope")
    stage.answer(claimed, Retry("busy"))
    stage.later(HOUR)
    (again,), _ = stage.claim()
    assert again.template is not None
    assert render(again.template, again.values) == first


def test_a_template_without_the_tag_has_nothing_looked_up(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from segue.store import products

    def asked(*_: object) -> list[object]:
        raise AssertionError("nobody asked")

    monkeypatch.setattr(products, "load_interests", asked)
    stage = Stage(store, 'event paid\nwhen paid send email "news"', email=with_content("email"))
    stage.content = Catalogue(
        {("news", "email", None): template_of("news", "email", None, {"subject": "News", "text": "Hi"})}
    )
    stage.arrive("paid")
    assert "recommended" not in stage.claim()[0][0].values


def test_nothing_to_recommend_shows_what_stands_after_else() -> None:
    template = template_of("news", "email", None, {"subject": "News", "text": LETTER})
    assert render(template, {})["text"] == "nothing\n"
    assert undeclared(template) == ()


def test_a_product_s_name_is_escaped_in_html() -> None:
    template = template_of("n", "email", None, {"html": "{% recommend 1 %}{{ product.name }}{% endrecommend %}"})
    shown = render(template, {"recommended": [{"name": "<script>"}, {"name": "second"}]})["html"]
    assert shown == "&lt;script&gt;"


@pytest.mark.parametrize(
    "tag", ["{% recommend %}", "{% recommend 0 %}", "{% recommend 21 %}", "{% recommend n %}", "{% recommend 3 4 %}"]
)
def test_how_many_there_are_to_be_is_a_plain_number(tag: str) -> None:
    with pytest.raises(RenderError, match="how many products"):
        compile_part("text", f"{tag}x{{% endrecommend %}}")


def test_a_tag_that_is_not_closed_is_told_of_where_it_begins() -> None:
    with pytest.raises(RenderError, match="endrecommend"):
        compile_part("text", "{% recommend 3 %}")


def test_the_greatest_number_that_a_part_asks_for_counts() -> None:
    assert products_asked(["{% recommend 2 %}", "{%- recommend 5-%} {% recommend 3 %}", ""]) == 5
    assert products_asked(["Hi"]) == 0


def test_loops_inside_are_held_to_the_budget() -> None:
    inner = "{% for a in (1..5000) %}{{ a }}{% endfor %}"
    template = template_of("n", "email", None, {"text": f"{{% recommend 20 %}}{inner}{{% endrecommend %}}"})
    with pytest.raises(RenderError, match="does too much"):
        render(template, {"recommended": [{}] * 20})
