"""Many customers as arrays: the same whichever way their history is read."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.api import Instant
from segue.customers.bulk.crowd import ABSENT, Dictionaries
from segue.store import crowds
from segue.store.crowds import customers_with, load_histories, load_people
from segue.store.customers import CustomerRow, EventRow, hash_id, insert_customers, insert_events
from segue.store.database import Store, Transaction

WANTED = {"ordered": frozenset(("total", "currency")), "answered": frozenset(("answer",)), "seen": frozenset[str]()}
EVENTS = st.lists(
    st.tuples(
        st.integers(1, 9),
        st.sampled_from(["ordered", "answered", "seen", "other", None]),
        st.integers(0, 6),
        st.sampled_from([b"", b"{}", b'{"total":2,"currency":"EUR"}', b'{"total":3.5}', b'{"answer":"a,\\"b"}']),
    ),
    max_size=40,
)


def fill(store: Store, events: list[tuple[int, str | None, int, bytes]]) -> None:
    rows = [
        EventRow(number, hash_id(str(number)), str(number), who, name, Instant(at), Instant(at), 0, fields, None)
        for number, (who, name, at, fields) in enumerate(events, 1)
    ]
    store.apply(lambda tx: insert_events(tx, rows))


def read(store: Store, first: int, last: int, customers: list[int]) -> dict[str, list[tuple[Any, ...]]]:
    """The events of a piece by name: whose, when, and the JSON of the fields."""

    def job(tx: Transaction) -> dict[str, list[tuple[Any, ...]]]:
        known = Dictionaries()
        histories = load_histories(lambda: nullcontext(tx), first, last, WANTED, known)
        found = histories.of(np.array(customers, dtype=np.int64))
        return {
            name: [
                (
                    customers[who],
                    at,
                    *(known.field(field).known[one.fields[field][row]] for field in sorted(one.fields)),
                )
                for row, (who, at) in enumerate(zip(one.who.tolist(), one.at.tolist(), strict=True))
            ]
            for name, one in found.items()
        }

    return store.apply(job)


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.integers(1, 9), st.integers(0, 8), st.integers(1, 50))
def test_events_looked_up_are_those_that_are_gone_through_in_their_order(
    events: list[tuple[int, str | None, int, bytes]], first: int, more: int, stretch: int
) -> None:
    store = Store(None)
    fill(store, events)
    last = min(first + more, 9)
    customers = [who for who in range(first, last + 1) if who != 5]  # whose number nobody has any more
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crowds, "_STRETCH", stretch)
        patch.setattr(crowds, "_DEAR", 0)
        looked_up = read(store, first, last, customers) if customers else {}
        patch.setattr(crowds, "_DEAR", 10**9)
        gone_through = read(store, first, last, customers) if customers else {}
    assert looked_up == gone_through
    assert looked_up.get("seen", []) == sorted(
        (who, at) for who, name, at, _ in events if name == "seen" and who in customers
    )
    orders = [one[:2] for one in looked_up.get("ordered", [])]
    assert orders == sorted((who, at) for who, name, at, _ in events if name == "ordered" and who in customers)
    store.close()


def test_events_of_one_moment_stay_as_they_arrived() -> None:
    store = Store(None)
    fill(store, [(1, "answered", 5, b'{"answer":%d}' % number) for number in (3, 1, 2)])
    assert [answer for *_, answer in read(store, 1, 1, [1])["answered"]] == [b"3", b"1", b"2"]
    store.close()


def test_traits_are_the_json_that_they_are_stored_as() -> None:
    store = Store(None)
    rows = [CustomerRow(1, "u:a", {"n": 1, "deep": {"x": [None]}}, {}), CustomerRow(4, "u:b", {}, {})]
    rows.append(CustomerRow(7, "u:c", {"n": None, "timezone": "Asia/Tokyo"}, {}))
    store.apply(lambda tx: insert_customers(tx, rows))
    people = store.apply(lambda tx: load_people(tx, [1, 4, 7], ("n", "deep", "none")))
    assert list(people.trait("n")) == [b"1", ABSENT, b"null"]
    assert list(people.trait("deep")) == [b'{"x":[null]}', ABSENT, ABSENT]
    assert list(people.trait("none")) == [ABSENT] * 3
    assert people.zones == [None, None, "Asia/Tokyo"]
    store.close()


def test_how_many_customers_have_so_many_events() -> None:
    store = Store(None)
    assert store.apply(lambda tx: customers_with(tx, 100)) > 0
    store.apply(lambda tx: insert_customers(tx, [CustomerRow(10_000, "u:a", {}, {})]))
    store.apply(lambda tx: tx.run("update customer set id = 100000"))
    fill(store, [(1, "seen", 1, b"")] * 50)
    assert store.apply(lambda tx: customers_with(tx, 10)) == 20_000
    assert store.apply(lambda tx: customers_with(tx, 0)) == 500, "at least a few"
    store.close()
