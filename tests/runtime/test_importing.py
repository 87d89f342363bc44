"""Past events: they are history, they may stop a journey, and they begin none."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import segue.runtime.importing
from segue.api import Event, Instant
from segue.api.values import DAY, HOUR
from segue.runtime.importing import HOLD, Importer, take_past
from segue.runtime.ingest import ingest
from segue.runtime.running import Running
from segue.runtime.turn import Done
from segue.scenario.record_writing import write_arrivals
from segue.scenario.recording import Recording
from segue.store import imports as import_rows
from segue.store.database import Store, Transaction
from segue.store.imports import Outcome
from tests.engine.stage import put as put_book
from tests.engine.stage import setting
from tests.runtime.rulebook import T0, book_of, event, pass_all_time, publish_text, told

RULES = "event ordered\nevent seen\nevent cart\n"
LAPSED = (
    RULES + "segment lapsed where ordered and not ordered in last 30d\nrule back when customer enters lapsed send push"
)


@pytest.fixture
def store() -> Store:
    return Store(None)


def bring(
    store: Store, running: Running, events: Sequence[Event], now: Instant = T0, *, starts: bool = False
) -> list[tuple[str, str, str]]:
    _, done = store.apply(lambda tx: take_past(tx, running, events, now, starts=starts))
    return told(done.lines)


def arrive(store: Store, running: Running, one: Event, now: Instant = T0) -> list[tuple[str, str, str]]:
    return told(store.apply(lambda tx: ingest(tx, running, [one], now)).done.lines)


def test_an_import_begins_no_journey_unless_it_is_told_to(store: Store) -> None:
    running = publish_text(store, RULES + "rule r when seen wait 1d send push")
    assert bring(store, running, [event("seen", "ann")]) == []
    assert bring(store, running, [event("seen", "bob")], starts=True) == [("r", "entered", "")]
    assert bring(store, running, [event("seen", "cat", at=Instant(T0 - 2 * DAY))], starts=True)[0][1] == "ignored"


def test_an_imported_event_is_history_to_rules(store: Store) -> None:
    running = publish_text(store, RULES + "rule r when seen where ordered ever send push")
    bring(store, running, [event("ordered", "ann", at=Instant(T0 - 300 * DAY))])
    assert ("r", "entered", "") in arrive(store, running, event("seen", "ann"))
    assert arrive(store, running, event("seen", "bob")) == []


def test_an_imported_event_stops_a_journey_that_is_inside(store: Store) -> None:
    running = publish_text(store, RULES + "rule r when cart wait 1d unless ordered send push")
    arrive(store, running, event("cart", "ann"))
    now = Instant(T0 + 2 * HOUR)
    assert bring(store, running, [event("ordered", "ann", at=Instant(T0 - HOUR))], now) == []
    stopped = bring(store, running, [event("ordered", "ann", at=Instant(T0 + HOUR))], now)
    assert [line[:2] for line in stopped] == [("r", "exited")]


def test_membership_that_an_import_changes_begins_none_and_membership_that_time_changes_later_does(
    store: Store,
) -> None:
    running = publish_text(store, LAPSED)
    old, young = Instant(T0 - 200 * DAY), Instant(T0 - 10 * DAY)
    assert bring(store, running, [event("ordered", "ann", at=old), event("ordered", "bob", at=young)]) == []
    lines = pass_all_time(store, running, Instant(T0 + 20 * DAY + HOUR))
    assert [(line.customer, line.decision) for line in lines if line.decision == "entered"] == [("bob", "entered")]
    members = store.apply(lambda tx: tx.rows("select count(*) from lookout where subject = 'lapsed' and member = 1"))
    assert members == [(2,)]


def test_what_time_brings_while_an_import_is_taken_in_begins_journeys(store: Store) -> None:
    text = RULES + "rule first when cart wait 1h emit seen\nrule second when seen send push"
    running = publish_text(store, text)
    arrive(store, running, event("cart", "ann"))
    lines = bring(store, running, [event("ordered", "ann", at=Instant(T0 - DAY))], Instant(T0 + 2 * HOUR))
    assert ("second", "entered", "") in lines


def test_a_trait_that_an_import_changes_begins_none(store: Store) -> None:
    running = publish_text(store, 'customer\n  plan text\nrule r when customer.plan changes to "gold" send push')
    assert bring(store, running, [event(None, "ann", traits={"plan": "gold"})]) == []
    assert ("r", "entered", "") in arrive(store, running, event(None, "bob", traits={"plan": "gold"}))


def test_what_was_imported_is_known_for_good_even_when_its_history_is_not_kept(store: Store) -> None:
    running = publish_text(store, RULES + "rule r when seen stop")
    one = event("ordered", "ann", at=Instant(T0 - 400 * DAY))
    bring(store, running, [one])
    store.apply(lambda tx: tx.run("delete from event"))
    outcome, _ = store.apply(lambda tx: take_past(tx, running, [one, one], T0))
    assert outcome == Outcome(accepted=0, known=2)
    assert store.apply(lambda tx: tx.rows("select count(*) from event")) == [(0,)]


def test_an_event_that_came_live_before_is_known_to_an_import(store: Store) -> None:
    running = publish_text(store, RULES + "rule r when seen stop")
    arrive(store, running, event("ordered", "ann"))
    outcome, _ = store.apply(lambda tx: take_past(tx, running, [event("ordered", "ann")], T0))
    assert outcome == Outcome(accepted=0, known=1)


def test_a_record_says_which_events_were_imported(store: Store, tmp_path: Path) -> None:
    running = publish_text(store, RULES + "rule r when seen send push")
    bring(store, running, [event("seen", "ann")])
    arrive(store, running, event("seen", "bob"))
    _, lines = store.apply(lambda tx: write_arrivals(tx, 0, 10))
    path = tmp_path / "record.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    read = Recording(path, lambda line: (event("seen", "x"), T0))
    assert [one.imported for one in read.arrivals()] == [True, False]


# Pieces


def hand_in(tx: Transaction, name: bytes, *pieces: Sequence[Event]) -> int:
    row = import_rows.begin_import(tx, name, "past.jsonl", starts=False, now=T0)
    for number, events in enumerate(pieces):
        put = import_rows.put_piece(
            tx, row.row, str(number + 1), import_rows.encode_events(events), len(events), 0, keep=100
        )
        assert put
    return row.row


async def take_all(store: Store, running: Running, number: int) -> None:
    importer = Importer(store, lambda: running, lambda: T0, lambda _: None)
    importer.start()
    try:
        async with asyncio.timeout(20):
            while store.write(partial(import_rows.waiting, number=number)).result():
                await asyncio.sleep(0.005)
    finally:
        await importer.stop()


def orders(first: int, count: int) -> list[Event]:
    return [event("ordered", f"c{n}", at=Instant(T0 - n * HOUR), id=f"m{n}") for n in range(first, first + count)]


@pytest.mark.asyncio
async def test_pieces_are_taken_in_whole_and_counted() -> None:
    with contextlib.closing(Store(None)) as store:
        running = publish_text(store, RULES + "rule r when seen stop")
        number = store.apply(lambda tx: hand_in(tx, b"1", orders(0, 700), orders(500, 400)))
        store.start()
        await take_all(store, running, number)
        found = store.write(partial(import_rows.find_import, identity=b"1")).result()
        assert found is not None
        assert (found.read, found.accepted, found.known) == (1100, 900, 200)
        assert store.write(lambda tx: tx.rows("select count(*) from import_piece")).result() == [(0,)]


@pytest.mark.asyncio
async def test_an_event_that_cannot_be_taken_in_is_refused_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = segue.runtime.importing.take_past

    def choosy(tx: Transaction, running: Running, events: Sequence[Event], now: Instant, **how: Any) -> object:
        if any(one.message_id == "m123" for one in events):
            raise ValueError("it is cursed")
        return whole(tx, running, events, now, **how)

    monkeypatch.setattr(segue.runtime.importing, "take_past", choosy)
    with contextlib.closing(Store(None)) as store:
        running = publish_text(store, RULES + "rule r when seen stop")
        number = store.apply(lambda tx: hand_in(tx, b"1", orders(0, 300), orders(300, 10)))
        store.start()
        await take_all(store, running, number)
        faults = store.write(partial(import_rows.load_faults, number=number)).result()
        assert faults == [("m123", "ValueError: it is cursed")]
        found = store.write(partial(import_rows.find_import, identity=b"1")).result()
        assert found is not None
        assert found.accepted == 309


@pytest.mark.asyncio
async def test_a_transaction_takes_in_what_fits_into_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, counts = segue.runtime.importing.take_past, list[int]()

    def counted(*values: Any, **how: Any) -> tuple[Outcome, Done]:
        outcome, done = whole(*values, **how)
        counts.append(outcome.count)
        return outcome, done

    class Slow:
        """A clock to which every event takes a millisecond."""

        now = 0.0

        def perf_counter(self) -> float:
            self.now += 0.001
            return self.now

    monkeypatch.setattr(segue.runtime.importing, "take_past", counted)
    monkeypatch.setattr(segue.runtime.importing, "time", Slow())
    with contextlib.closing(Store(None)) as store:
        running = publish_text(store, RULES + "rule r when seen stop")
        number = store.apply(lambda tx: hand_in(tx, b"1", orders(0, 300)))
        store.start()
        await take_all(store, running, number)
        assert sum(counts) == 300
        assert 10 < max(counts) <= 1000 * HOLD / 2 + 1
        found = store.write(partial(import_rows.find_import, identity=b"1")).result()
        assert found is not None
        assert (found.accepted, found.known) == (300, 0)


@pytest.mark.asyncio
async def test_an_importer_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "segue.db"
    with contextlib.closing(Store(path)) as store:
        running = publish_text(store, RULES + "rule r when seen stop")
        number = store.apply(lambda tx: hand_in(tx, b"1", orders(0, 1000), orders(1000, 1000)))
        store.start()
        importer = Importer(store, lambda: running, lambda: T0, lambda _: None)
        importer.start()
        while not store.write(partial(import_rows.count_done, number=number)).result():
            await asyncio.sleep(0.001)
        await importer.stop()
    with contextlib.closing(Store(path)) as store:
        assert 0 < store.apply(partial(import_rows.count_done, number=number)) < 2000
        running = put_book(store, book_of(RULES + "rule r when seen stop"), setting())
        store.start()
        await take_all(store, running, number)
        assert store.write(lambda tx: tx.rows("select count(*) from event")).result() == [(2000,)]
        found = store.write(partial(import_rows.find_import, identity=b"1")).result()
        assert found is not None
        assert (found.accepted, found.known) == (2000, 0)
