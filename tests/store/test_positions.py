"""What pictures of a running Segue are drawn from."""

from __future__ import annotations

from collections import Counter
from functools import partial

from segue.store.database import Store
from segue.store.journeys import load_of_customer
from segue.store.positions import count_assigned, count_held_out
from tests.runtime.stage import Stage

RULE = """
event paid amount number
rule r
when paid
goal paid where (amount = 1) within 7d
holdout 40%
wait 1d
split "way" 30% "a" send email "a" 70% "b" send email "b" end
wait 1d
"""
PEOPLE = [f"customer {number}" for number in range(40)]


def test_who_is_held_out_and_converted_all_the_same_is_counted_as_the_journeys_say() -> None:
    store = Store(None)
    stage = Stage(store, RULE)
    for person in PEOPLE:
        stage.arrive("paid", person, amount=0)
    for person in PEOPLE[:20]:
        stage.arrive("paid", person, amount=1, id=f"again {person}")
    numbers = [row for (row,) in store.apply(lambda tx: tx.rows("select id from customer"))]
    journeys = [one for row in numbers for one in store.apply(partial(load_of_customer, customer=row, rule="r"))]
    held = [one for one in journeys if one.holdout]
    (found,) = store.apply(count_held_out)
    assert 0 < len(held) < len(journeys) == len(PEOPLE)
    assert (found.rule, found.entered) == ("r", len(held))
    assert found.converted == sum(one.converted is not None for one in held) > 0
    store.close()


def test_arms_are_counted_by_customers() -> None:
    store = Store(None)
    stage = Stage(store, RULE)
    for person in PEOPLE:
        stage.arrive("paid", person, amount=0)
    assert store.apply(count_assigned) == []
    stage.later(2 * 24 * 3600 * 1_000_000)
    stage.wake()
    found = store.apply(count_assigned)
    assert {(one.rule, one.split, one.arm) for one in found} == {("r", "way", "a"), ("r", "way", "b")}
    rows = store.apply(lambda tx: tx.rows("select arm from assignment"))
    assert {one.arm: one.count for one in found} == Counter(arm for (arm,) in rows)
    store.close()
