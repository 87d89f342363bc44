"""What customers say by events: into the ledger with its proof, judged by when it was said."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.api import Event, Instant
from segue.customers.consent import GRANTED, WITHDRAWN, Stand, sum_up
from segue.runtime.ingest import ingest
from segue.store.consent import load_statements
from segue.store.customers import load_customers
from segue.store.database import Store
from tests.runtime.rulebook import T0, event, publish_text
from tests.runtime.stage import RULE, Stage

HELLO = RULE + 'send email "hello"'


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None)
    yield opened
    opened.close()


def standing(store: Store, customer: int = 1) -> dict[str, Stand]:
    return store.apply(lambda tx: load_customers(tx, [customer]))[customer].consent


def test_the_ledger_keeps_what_shows_that_it_was_said(store: Store) -> None:
    stage = Stage(store, HELLO)
    stage.arrive(
        "subscribed",
        channel="email",
        kind="promotional",
        basis="soft opt-in",
        wording="checkout 2026-03",
        proof="form 4711",
        source="checkout",
    )
    (one,) = store.apply(lambda tx: load_statements(tx, 1))
    assert (one.channel, one.kind, one.state, one.basis) == ("email", "promotional", "granted", "legitimate_interests")
    assert (one.wording, one.proof, one.source) == ("checkout 2026-03", "form 4711", "checkout")
    assert (one.at, one.received, one.event) == (T0, T0, f"subscribed-ann-{T0}")


def test_who_names_no_kind_means_all_but_what_an_order_needs_and_who_names_no_channel_means_all(store: Store) -> None:
    stage = Stage(store, HELLO)
    stage.arrive("unsubscribed")
    assert {name for name, stand in standing(store).items() if stand.state == WITHDRAWN} == {
        f"{channel}/{kind}" for channel in ("email", "sms", "push") for kind in ("promotional", "informational")
    }


def test_what_is_said_late_does_not_undo_what_was_said_after_it(store: Store) -> None:
    stage = Stage(store, HELLO)
    stage.arrive("unsubscribed", channel="email")
    late = event("subscribed", at=Instant(T0 - 5), id="late", channel="email")
    store.apply(lambda tx: ingest(tx, stage.running, [late], stage.now))
    stage.arrive("paid")
    assert not stage.claim()[0]
    assert stage.state().name == "SKIPPED"


def test_a_subscription_goes_nowhere_until_it_is_confirmed(store: Store) -> None:
    stage = Stage(store, 'event paid order_id text\nwhen paid per order_id send email "hello"')
    stage.arrive("subscribed", channel="email", confirmed=False)
    stage.arrive("paid", id="1", order_id="1")
    assert not stage.claim()[0]
    rows = store.apply(lambda tx: tx.rows("select reason from message"))
    assert rows == [("consent for promotional email is not confirmed yet",)]
    stage.later(1)
    stage.arrive("subscription_confirmed", channel="email")
    stage.arrive("paid", id="2", order_id="2")
    assert len(stage.claim()[0]) == 1


said = st.tuples(
    st.sampled_from(["subscribed", "unsubscribed", "subscription_confirmed", "pending"]),
    st.sampled_from(["email", "sms", None]),
    st.sampled_from(["promotional", "informational", None]),
    st.integers(0, 5),
)


def events_of(words: list[tuple[str, str | None, str | None, int]]) -> list[Event]:
    found = []
    for number, (name, channel, kind, when) in enumerate(words):
        fields: dict[str, Any] = {"channel": channel, "kind": kind, "confirmed": name != "pending"}
        fields = {key: value for key, value in fields.items() if value is not None}
        named = "subscribed" if name == "pending" else name
        found.append(event(named, at=Instant(T0 + when), id=f"m{number}", **fields))
    return found


@given(st.lists(said, max_size=7), st.randoms())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_the_order_of_arrival_changes_nothing_that_stands(
    words: list[tuple[str, str | None, str | None, int]], chance: random.Random
) -> None:
    found = []
    for _ in range(2):
        store = Store(None)
        running = publish_text(store, HELLO)
        arriving = events_of(words)
        chance.shuffle(arriving)
        for one in [event(None, id="first"), *arriving]:
            store.apply(partial(ingest, running=running, events=[one], now=Instant(T0 + 10)))
        stands = standing(store)
        assert stands == sum_up(store.apply(lambda tx: load_statements(tx, 1)))
        found.append(stands)
        store.close()
    assert found[0] == found[1]


def test_two_customers_who_are_one_stand_by_what_was_said_last_by_either(store: Store) -> None:
    stage = Stage(store, HELLO)
    device = Event(
        message_id="d1",
        timestamp=T0,
        source="shop",
        name="unsubscribed",
        anonymous_id="dev",
        properties={"channel": "email"},
    )
    store.apply(lambda tx: ingest(tx, stage.running, [device], T0))
    stage.later(10)
    stage.arrive("subscribed", channel="email", kind="promotional")
    signed_in = Event(message_id="d2", timestamp=stage.now, source="shop", user_id="ann", anonymous_id="dev")
    store.apply(lambda tx: ingest(tx, stage.running, [signed_in], stage.now))
    (row,) = store.apply(lambda tx: tx.rows("select id from customer"))[0]
    stands = standing(store, row)
    assert stands["email/promotional"].state == GRANTED, "the device's withdrawal was before it"
    assert stands["email/informational"].state == WITHDRAWN
    assert stands == sum_up(store.apply(lambda tx: load_statements(tx, row)))
