"""An event that names no customer is of whoever the event was that it follows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from segue.api import Event, Instant
from segue.api.values import SECOND
from segue.messages.catalogue import Catalogue
from segue.runtime.ingest import ingest
from segue.runtime.running import Running
from segue.scenario.record_writing import write_arrivals
from segue.scenario.recording import Recording
from segue.scenario.replay import Replay
from segue.store.database import Store
from segue.store.rejections import count_rejections
from segue_segment.recorded import read_recorded
from tests.runtime.rulebook import T0, publish_text, told

RULES = """
event paid
event refunded
rule thanks when paid wait 14d unless refunded send push
rule sorry when refunded send push
"""


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None)
    yield opened
    opened.close()


def of(name: str, message_id: str, at: int = T0, **more: Any) -> Event:
    return Event(message_id=message_id, timestamp=Instant(at), source="shop", name=name, **more)


def take(store: Store, running: Running, *events: Event, now: int = T0) -> list[tuple[str, str, str]]:
    return told(store.apply(lambda tx: ingest(tx, running, events, Instant(now))).done.lines)


REFUND = of("refunded", "refund", follows=("orders/7/created", "orders/7/paid"))
BOTH = [("thanks", "exited", "unless refunded"), ("sorry", "entered", "")]


@pytest.mark.parametrize(
    "who",
    [{"user_id": "ann"}, {"anonymous_id": "d1"}, {"ids": {"loyalty": "F:1"}}, {"traits": {"phone": "+358401234567"}}],
    ids=["user id", "device", "loyalty card", "phone number"],
)
@pytest.mark.parametrize("together", [True, False])
def test_a_refund_is_of_whoever_placed_the_order(store: Store, who: dict[str, Any], together: bool) -> None:
    running = publish_text(store, RULES)
    order = of("paid", "orders/7/paid", **who)
    if together:
        assert take(store, running, order, REFUND) == [("thanks", "entered", ""), *BOTH]
    else:
        take(store, running, order)
        assert take(store, running, REFUND) == BOTH
    assert store.apply(lambda tx: tx.rows("select count(*) from customer")) == [(1,)]
    assert store.apply(count_rejections) == []


def test_a_refund_of_an_order_that_never_came_is_kept_and_told_once(store: Store) -> None:
    running = publish_text(store, RULES)
    take(store, running, of("paid", "orders/8/paid", user_id="ann"))
    assert take(store, running, REFUND) == []
    assert take(store, running, REFUND) == []
    assert store.apply(lambda tx: tx.rows("select customer from event where message_id = 'refund'")) == [(None,)]
    [told_once] = store.apply(lambda tx: tx.rows("select place, reason from rejection"))
    assert told_once[0] == "refund"
    assert told_once[1].startswith("refunded names no customer, and none of the events is known")


def test_who_is_named_counts_and_not_what_came_before(store: Store) -> None:
    running = publish_text(store, RULES)
    take(store, running, of("paid", "orders/7/paid", user_id="ann"))
    named = of("refunded", "refund", user_id="bob", follows=("orders/7/paid",))
    assert take(store, running, named) == [("sorry", "entered", "")]


def test_a_replay_knows_whose_it_was(store: Store, tmp_path: Path) -> None:
    running = publish_text(store, RULES)
    take(store, running, of("paid", "orders/7/paid", user_id="ann"))
    decided = take(store, running, REFUND, now=T0 + SECOND)
    _, lines = store.apply(lambda tx: write_arrivals(tx, 0, 10))
    (tmp_path / "record.jsonl").write_bytes(b"\n".join(lines))
    other = Store(None)
    replay = Replay(other, publish_text(other, RULES), Catalogue())
    found = told(replay.run(Recording(tmp_path / "record.jsonl", read_recorded).arrivals()))
    assert found[1:3] == decided
    other.close()
