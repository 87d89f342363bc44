"""Aggregates of long histories as books come and go, customers merge, and history changes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import msgspec
import pytest

from segue.api import Instant
from segue.api.values import DAY, HOUR
from segue.runtime import long_history
from segue.runtime.ingest import ingest
from segue.runtime.running import Running
from segue.store import aggregates as rows
from segue.store.database import Store
from tests.runtime.rulebook import T0, event, pass_all_time, publish_text, sweep_all, told

WORDS = "event ordered\n  total number\n  shop text\nevent asked\nevent other\n"
ENTERED = ("asked", "entered", "")
SPENT = WORDS + "when asked where sum(ordered.total in last 30d) {} send push"


@pytest.fixture
def store() -> Iterator[Store]:
    one = Store(None)
    yield one
    one.close()


NUMBERS = count()


def take(
    store: Store, running: Running, name: str, now: Instant, ago: int = 0, customer: str | None = "ann", **more: Any
) -> list[tuple[str, str, str]]:
    """One event; what was decided then."""
    device = more.pop("device", None)
    one = event(name, customer, at=Instant(now - ago), id=f"e{next(NUMBERS)}", traits={}, **more)
    one = msgspec.structs.replace(one, anonymous_id=device)
    return told(store.apply(lambda tx: ingest(tx, running, [one], now)).done.lines)


def buy(store: Store, running: Running, times: int, device: str | None = None, **more: Any) -> None:
    """So many orders of one, an hour apart, the last of them an hour ago."""
    customer = None if device else "ann"
    events = [
        msgspec.structs.replace(
            event("ordered", customer, at=Instant(T0 - n * HOUR), id=f"{device}-{n}", traits={}, total=1, **more),
            anonymous_id=device,
        )
        for n in range(times, 0, -1)
    ]
    store.apply(lambda tx: ingest(tx, running, events, T0))


def kept(store: Store) -> list[tuple[Any, ...]]:
    return store.apply(
        lambda tx: tx.rows("select customer, n from aggregate_day where day = ? order by 1, 2", (rows.ALL,))
    )


def test_nothing_is_kept_of_a_short_history(store: Store) -> None:
    running = publish_text(store, SPENT.format("= 64"))
    buy(store, running, 64)
    assert ENTERED in take(store, running, "asked", T0)
    assert kept(store) == []


def test_a_long_history_is_answered_without_reading_it_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    running = publish_text(store, SPENT.format("= 201"))
    buy(store, running, 200)
    assert ENTERED not in take(store, running, "asked", T0)
    assert kept(store) == [(1, 200)]
    read: list[int] = []
    load = rows.load_between

    def load_and_count(*place: Any) -> Any:
        found = load(*place)
        read.append(len(found))
        return found

    monkeypatch.setattr(rows, "load_between", load_and_count)
    monkeypatch.setattr(long_history, "load_history", lambda *_: {})
    take(store, running, "ordered", T0, total=1)
    assert ENTERED in take(store, running, "asked", Instant(T0 + HOUR))
    assert kept(store) == [(1, 201)]
    assert sum(read) <= 24


def test_a_window_ends_in_the_very_microsecond_within_a_day(store: Store) -> None:
    running = publish_text(store, SPENT.format("= 99"))
    buy(store, running, 100)
    first = T0 - 100 * HOUR
    leaves = Instant(first + 30 * DAY)
    assert ENTERED not in take(store, running, "asked", Instant(leaves - 1))
    assert ENTERED in take(store, running, "asked", leaves)


def test_an_event_that_comes_late_counts_on_the_day_it_happened(store: Store) -> None:
    running = publish_text(store, WORDS + "when asked where sum(ordered.total in last 1d) = 73 send push")
    buy(store, running, 100)
    assert ENTERED not in take(store, running, "asked", T0)
    take(store, running, "ordered", T0, ago=12 * HOUR, total=50)
    assert ENTERED in take(store, running, "asked", T0)
    assert kept(store) == [(1, 101)]


def test_the_event_that_begins_a_journey_is_no_part_of_its_history(store: Store) -> None:
    running = publish_text(store, WORDS + "when ordered where sum(ordered.total ever) = 101 send push")
    buy(store, running, 100)
    assert told_entries(take(store, running, "ordered", T0, total=1)) == 0
    assert told_entries(take(store, running, "ordered", Instant(T0 + 1), total=1)) == 1


def told_entries(lines: list[tuple[str, str, str]]) -> int:
    return sum(what == "entered" for _, what, _ in lines)


def test_what_a_new_book_asks_is_counted_in_pieces_and_what_none_asks_is_dropped(store: Store) -> None:
    running = publish_text(store, SPENT.format("= 7"))
    buy(store, running, 100, shop="web")
    take(store, running, "asked", T0)
    assert kept(store) == [(1, 100)]
    asking = WORDS + 'when asked where count(ordered where (shop = "web") ever) = 100 send push'
    running = publish_text(store, asking, now=T0)
    sweep_all(store, running, T0, limit=3)
    assert kept(store) == [(1, 100)]
    assert store.apply(lambda tx: tx.rows("select count(*), min(cursor = last) from aggregate")) == [(1, 1)]
    assert ENTERED in take(store, running, "asked", T0)


def test_a_question_that_comes_back_is_counted_anew(store: Store) -> None:
    first = publish_text(store, SPENT.format("= 101"))
    buy(store, first, 100)
    take(store, first, "asked", T0)
    second = publish_text(store, WORDS + "when other send push", now=T0)
    take(store, second, "ordered", T0, total=1)
    third = publish_text(store, SPENT.format("= 101"), now=T0)
    assert ENTERED in take(store, third, "asked", Instant(T0 + 1))


def test_customers_who_turn_out_to_be_one_are_counted_together(store: Store) -> None:
    running = publish_text(store, SPENT.format("= 200"))
    buy(store, running, 100)
    buy(store, running, 100, device="dev")
    take(store, running, "asked", T0, customer=None, device="dev")
    take(store, running, "asked", T0)
    assert kept(store) == [(1, 100), (2, 100)]
    take(store, running, "other", T0, device="dev")
    assert ENTERED in take(store, running, "asked", Instant(T0 + 1))
    assert kept(store) == [(1, 200)]


def test_history_that_is_deleted_no_longer_counts(store: Store) -> None:
    running = publish_text(store, WORDS + "when asked where count(ordered ever) = 70 send push")
    buy(store, running, 100)
    take(store, running, "asked", T0)

    def expire(tx: Any) -> None:
        tx.run("delete from event where at < ?", (T0 - 70 * HOUR,))
        rows.forget(tx, [1])

    store.apply(expire)
    assert kept(store) == []
    assert ENTERED in take(store, running, "asked", Instant(T0 + 1))
    assert kept(store) == [(1, 70)]


def test_who_is_long_a_customer_leaves_a_segment_in_the_moment_the_last_event_leaves_its_window(store: Store) -> None:
    text = (
        WORDS + "segment busy where ordered at least 3 times in last 2d\nrule gone when customer leaves busy send push"
    )
    running = publish_text(store, text)
    buy(store, running, 100)
    take(store, running, "ordered", T0, total=1)
    newest = T0 - 2 * HOUR  # the third newest
    assert told_entries(told(pass_all_time(store, running, Instant(newest + 2 * DAY - 1)))) == 0
    assert told_entries(told(pass_all_time(store, running, Instant(newest + 2 * DAY)))) == 1
