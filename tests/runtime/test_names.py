"""Names that nobody declared: bounded by source, while all that is declared goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from segue.api import Event
from segue.host.limits import Limits
from segue.runtime.importing import take_past
from segue.runtime.ingest import Ingested, Intake, ingest
from segue.runtime.names import NameWatch
from segue.runtime.turn import Turn
from segue.store.database import Store
from segue.store.names import Undeclared, list_undeclared
from segue.store.rejections import count_rejections, list_rejections
from segue.store.traits import TraitRefused, load_refused, put_refused
from tests.runtime.rulebook import T0, publish_text, told

BOOK = """
event paid
customer
  tier text
when paid send email
"""


class Shop:
    """One store with small limits, to which sources send."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self.store = store
        self.running = msgspec.structs.replace(publish_text(store, BOOK), limits=limits)
        self.count = 0

    def take(self, *names: str | None, source: str = "app", who: str = "ann", **traits: Any) -> Ingested:
        events = []
        for name in names:
            self.count += 1
            number = f"{source}-{self.count}"
            events.append(
                Event(message_id=number, timestamp=T0, source=source, name=name, user_id=who, traits=dict(traits))
            )
        return self.store.apply(lambda tx: ingest(tx, self.running, events, T0))

    def traits(self, who: str = "ann") -> dict[str, Any]:
        return self.store.apply(lambda tx: traits_of(tx, who))


@pytest.fixture
def store() -> Iterator[Store]:
    with contextlib.closing(Store(None)) as opened:
        yield opened


def traits_of(tx: Any, who: str) -> dict[str, Any]:
    [(raw,)] = list(tx.rows("select traits from customer where key = ?", (f"u:{who}",)))
    return dict(msgspec.json.decode(raw))


def test_an_event_under_a_name_too_many_is_rejected_with_its_reason_and_the_rest_goes_on(store: Store) -> None:
    shop = Shop(store, Limits(event_names=3))
    taken = shop.take("a", "b", "paid", "c", "d", "e", "a", "paid")
    assert (taken.accepted, taken.refused, taken.duplicates) == (6, 2, 0)
    assert told(taken.done.lines)[0][1] == "entered"
    [kept] = store.apply(lambda tx: list_rejections(tx, "app", 10))
    assert kept.place == "app-5"
    assert kept.reason.startswith("app has sent 3 names of events that nobody declared, which is the limit, and 'd' is")
    assert b'"name":"d"' in kept.raw
    [count] = store.apply(count_rejections)
    assert count.total == 2
    assert store.apply(list_undeclared) == [Undeclared("app", "event", 3, 2, T0)]


def test_what_a_source_has_used_is_remembered_by_the_store_and_for_each_source_alone(store: Store) -> None:
    Shop(store, Limits(event_names=2)).take("a", "b")
    later = Shop(store, Limits(event_names=2))
    later.count = 10
    assert later.take("b", "c").refused == 1
    assert later.take("c", source="till").refused == 0


def test_what_is_on_record_passes_whatever_its_names(store: Store) -> None:
    shop = Shop(store, Limits(event_names=0, trait_names=0))
    one = Event(message_id="x", timestamp=T0, source="app", name="a", user_id="ann", traits={"b": 1})

    def job(tx: Any) -> bool:
        intake = Intake(Turn(tx, shop.running, T0), recorded=True)
        intake.expect([one])
        taken = intake.take(one, T0)
        intake.close()
        return taken

    assert store.apply(job)
    assert shop.traits() == {"b": 1}


def test_what_means_something_passes_beyond_every_limit(store: Store) -> None:
    shop = Shop(store, Limits(trait_names=600))
    junk: dict[str, Any] = {f"junk{n}": n for n in range(600)}
    shop.take(None, **junk)
    assert len(shop.traits()) == 500
    meant: dict[str, Any] = {
        "email": "ann@example.com",
        "phone": "+358401234567",
        "timezone": "Europe/Helsinki",
        "language": "fi",
    }
    shop.take(None, tier="gold", preferred_channel="sms", **meant)
    assert shop.traits().items() >= (meant | {"tier": "gold", "preferred_channel": "sms"}).items()


def test_traits_that_are_kept_out_are_counted_in_bounded_room_and_long_names_together(store: Store) -> None:
    long_names: dict[str, Any] = {f"{'ann@example.com ' * 20}{n}": n for n in range(50)}
    Shop(store, Limits()).take(None, **long_names)
    [long] = store.apply(load_refused)
    assert (long.trait, long.n) == ("", 50)

    def job(tx: Any) -> list[TraitRefused]:
        put_refused(tx, {(f"t{n}", "app", "no date"): 1 for n in range(3000)}, T0)
        return load_refused(tx)

    kept = store.apply(job)
    assert (len(kept), sum(one.n for one in kept)) == (1001, 3050)


def test_a_batch_that_is_undone_uses_no_name(store: Store) -> None:
    shop = Shop(store, Limits(event_names=1))

    def job(tx: Any) -> None:
        ingest(tx, shop.running, [Event(message_id="x", timestamp=T0, source="app", name="a", user_id="ann")], T0)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.apply(job)
    assert shop.take("b").accepted == 1


def test_a_refused_event_makes_no_customer(store: Store) -> None:
    shop = Shop(store, Limits(event_names=0))
    assert shop.take("a", who="mallory").refused == 1
    assert list(store.apply(lambda tx: list(tx.rows("select key from customer")))) == []


def test_traits_too_many_for_a_source_are_left_out_and_the_event_counts(store: Store) -> None:
    shop = Shop(store, Limits(trait_names=2))
    taken = shop.take("paid", tier="gold", email="ann@example.com", a=1, b=2, c=3)
    assert (taken.accepted, taken.refused) == (1, 0)
    assert shop.traits() == {"tier": "gold", "email": "ann@example.com", "a": 1, "b": 2}
    shop.take(None, a=7, c=3, d=4)
    assert shop.traits()["a"] == 7
    assert shop.traits().keys() == {"tier", "email", "a", "b"}
    assert store.apply(list_undeclared) == [Undeclared("app", "trait", 2, 3, T0)]


def test_a_million_names_take_the_room_of_the_limit(store: Store) -> None:
    shop = Shop(store, Limits(event_names=50, trait_names=50))
    for first in range(0, 1000, 100):
        shop.take(*(f"{'long ' * 200}{n}" for n in range(first, first + 100)))
        traits: dict[str, Any] = {f"t{n}": n for n in range(first, first + 100)}
        shop.take(None, **traits)
    assert store.apply(list_undeclared) == [
        Undeclared("app", "event", 50, 950, T0),
        Undeclared("app", "trait", 50, 950, T0),
    ]
    assert len(shop.traits()) == 50


def test_what_an_import_refuses_for_its_name_may_come_again_once_that_is_declared(store: Store) -> None:
    shop = Shop(store, Limits(event_names=0))
    past = [Event(message_id=one, timestamp=T0, source="import", name=one, user_id="ann") for one in ("paid", "b")]
    first, _ = store.apply(lambda tx: take_past(tx, shop.running, past, T0))
    assert (first.accepted, first.known, first.erased) == (1, 0, 0)
    [(message_id, reason)] = first.faults
    assert message_id == "b"
    assert "'b' is one more" in reason
    shop.running = msgspec.structs.replace(shop.running, limits=Limits(event_names=1))
    again, _ = store.apply(lambda tx: take_past(tx, shop.running, past, T0))
    assert (again.accepted, again.known, again.faults) == (1, 1, ())


@pytest.mark.parametrize("name", ["', 1); drop table customer; --", "a\0b", "a\0c", '"', "ä" * 300, "\U0001f600"])
def test_names_are_never_taken_for_anything_else(store: Store, name: str) -> None:
    shop = Shop(store, Limits(event_names=1))
    assert [shop.take(name).accepted, shop.take(name).accepted, shop.take("other").refused] == [1, 1, 1]


@pytest.mark.asyncio
async def test_that_something_is_left_out_is_said_when_it_begins(store: Store) -> None:
    shop = Shop(store, Limits(event_names=1))
    store.start()
    watch = NameWatch(store)

    async def look() -> list[str]:
        with capture_logs() as logs:
            watch.look()
            assert watch._looking is not None
            await watch._looking
        return [f"{line['event']} {line['source']} {line['count']}" for line in logs]

    def send(*names: str) -> None:
        events = [Event(message_id=one, timestamp=T0, source="app", name=one, user_id="ann") for one in names]
        store.write(lambda tx: ingest(tx, shop.running, events, T0)).result(5)

    assert await look() == []
    send("a", "b", "c")
    assert await look() == [
        "events are rejected: the source uses too many names that nobody declared, see `segue doctor` app 2"
    ]
    send("d")
    assert await look() == []
    assert await look() == []
    send("e")
    assert await look() == [
        "events are rejected: the source uses too many names that nobody declared, see `segue doctor` app 1"
    ]
