"""The law of identity: the same events, in whatever order and batches they arrive, make the same customers, with the
same keys, the same traits and the same history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise, permutations
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.api import Event, Instant
from segue.customers.identity import Rules
from segue.runtime.ingest import ingest
from segue.runtime.running import Running
from segue.store.database import Store, Transaction
from tests.runtime.rulebook import T0, publish_text

NOW = Instant(T0 + 1_000_000_000)
RULES = "event ordered\nevent viewed\nwhen ordered wait 1d send email"

_EMAILS = [f"{name}@example.com" for name in ("e1", "e2")]
_PHONES = ["+358401234561", "+358401234562"]
_EVENTS = st.fixed_dictionaries(
    {
        "at": st.one_of(st.integers(0, 1), st.integers(0, 12)),
        "name": st.sampled_from([None, "ordered", "viewed"]),
        "user_id": st.sampled_from([None, None, "u1", "u2", "u3"]),
        "anonymous_id": st.sampled_from([None, "d1", "d2", "d3"]),
        "previous_id": st.sampled_from([None, None, None, None, None, "u1", "u2", "d1"]),
        "ids": st.sampled_from([{}, {}, {}, {"loyalty": "L1"}, {"loyalty": "L2"}, {"email": _EMAILS[0]}]),
        "traits": st.fixed_dictionaries(
            {},
            optional={
                "email": st.sampled_from([*_EMAILS, None]),
                "phone": st.sampled_from(_PHONES),
                "city": st.sampled_from(["Oslo", "Turku", None]),
                "plan": st.sampled_from([1, "1", True]),
            },
        ),
    }
)
_WORLDS = st.lists(_EVENTS, min_size=2, max_size=9)
_JOINING = st.sampled_from([frozenset[str](), frozenset({"loyalty"}), frozenset({"email"})])


def event_of(number: int, drawn: dict[str, Any]) -> Event:
    alias = drawn["previous_id"] is not None and drawn["user_id"] is not None
    return Event(
        message_id=f"m{number}",
        timestamp=Instant(T0 + drawn["at"] * 1_000_000),
        source="shop",
        name=drawn["name"],
        user_id=drawn["user_id"],
        anonymous_id=None if alias else drawn["anonymous_id"],
        previous_id=drawn["previous_id"] if alias else None,
        ids=drawn["ids"],
        traits=drawn["traits"],
    )


def outcome(running: Running, store: Store, batches: Sequence[Sequence[Event]]) -> dict[str, Any]:
    """Who is who after the events: for each customer's key the identifiers, the traits and the events."""
    for batch in batches:
        store.apply(partial(ingest, running=running, events=batch, now=NOW))
    found: dict[str, Any] = {}
    rows = store.apply(lambda tx: tx.rows("select id, key, traits from customer"))
    for number, key, traits in rows:
        ids = store.apply(partial(_texts, query="select key from alias where customer = ?", number=number))
        events = store.apply(
            partial(_texts, query="select message_id from event where customer = ? and kind = 0", number=number)
        )
        found[key] = (
            sorted({key, *ids}),
            msgspec.json.decode(traits) if traits else {},
            sorted(events),
        )
    return found


def _texts(tx: Transaction, query: str, number: int) -> list[str]:
    return [text for (text,) in tx.rows(query, (number,))]


def fresh(rules: Rules) -> tuple[Running, Store]:
    store = Store(None)
    running = publish_text(store, RULES)
    return msgspec.structs.replace(running, identity=rules), store


_TABLES = (
    "customer",
    "alias",
    "link",
    "joining",
    "crowded",
    "event",
    "journey",
    "message",
    "consent",
    "entry",
    "ignored",
)


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[Running, Store]]:
    running, store = fresh(Rules())
    yield running, store
    store.close()


def _empty(tx: Transaction) -> None:
    for table in _TABLES:
        tx.run(f"delete from {table}")


def empty(store: Store) -> None:
    store.apply(_empty)
    store.forget()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_WORLDS, _JOINING, st.integers(2, 8), st.data())
def test_customers_keys_traits_and_history_are_the_same_in_any_order(
    stage: tuple[Running, Store],
    drawn: list[dict[str, Any]],
    joining: frozenset[str],
    most: int,
    data: st.DataObject,
) -> None:
    running, store = stage
    running = msgspec.structs.replace(running, identity=Rules(joining, most))
    events = [event_of(number, one) for number, one in enumerate(drawn)]
    empty(store)
    expected = outcome(running, store, [events])
    order = data.draw(st.permutations(events))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(events)), max_size=len(events))))
    empty(store)
    places = [0, *cuts, len(events)]
    batches = [order[one:other] for one, other in pairwise(places) if one < other]
    assert outcome(running, store, batches) == expected


_PHONE, _EMAIL = {"phone": _PHONES[1]}, {"email": _EMAILS[0]}


@pytest.mark.parametrize(
    ("said", "most"),
    [
        pytest.param(
            [
                {"at": 0, "ids": {"loyalty": "L1"}, "traits": _EMAIL | _PHONE},
                {"at": 1, "ids": {"loyalty": "L2"}, "traits": _PHONE},
                {"at": 1, "traits": _EMAIL | _PHONE},
                {"at": 1, "traits": {"email": None} | _PHONE},
            ],
            3,
            id="its first customer is seen with a shared number again",
        ),
        pytest.param(
            [
                {"at": 0, "user_id": "u1", "traits": _EMAIL},
                {"at": 0, "user_id": "u3", "traits": _EMAIL},
                {"at": 3, "ids": _EMAIL},
                {"at": 0, "user_id": "u1", "ids": _EMAIL},
            ],
            8,
            id="somebody was seen with a shared address before another was",
        ),
        pytest.param(
            [
                {"at": 0, "ids": {"loyalty": "L1"}, "traits": _EMAIL},
                {"at": 3, "ids": {"loyalty": "L1"}, "traits": _EMAIL},
                {"at": 0, "user_id": "u2", "traits": _EMAIL},
                {"at": 3, "traits": _EMAIL},
                {"at": 0, "user_id": "u1", "traits": _EMAIL},
            ],
            5,
            id="and what came in between goes to that one",
        ),
    ],
)
def test_so_it_is_in_every_order_where_several_share_an_address(
    stage: tuple[Running, Store], said: list[dict[str, Any]], most: int
) -> None:
    running, store = stage
    running = msgspec.structs.replace(running, identity=Rules(most_links=most))
    nothing: dict[str, Any] = {
        "name": None,
        "user_id": None,
        "anonymous_id": None,
        "previous_id": None,
        "ids": {},
        "traits": {},
    }
    events = [event_of(number, nothing | one) for number, one in enumerate(said)]
    outcomes = []
    for order in permutations(events):
        empty(store)
        outcomes.append(outcome(running, store, [[event] for event in order]))
    assert outcomes == outcomes[:1] * len(outcomes)
