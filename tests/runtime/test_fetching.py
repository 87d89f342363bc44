"""Sources that fetch: committed with their position, settled after that, and never in anybody's way."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from segue.api import Event, Fetched, Instant, Rejection
from segue.clock.clock import Clock
from segue.customers.reach import Reach
from segue.host import Fault
from segue.messages.catalogue import Catalogue
from segue.runtime import inbox as inboxes
from segue.runtime import ingest as ingestion
from segue.runtime.daemon import Daemon
from segue.runtime.inbox import BATCH
from segue.store import fetching
from segue.store.database import Store, Transaction
from segue.store.errors import StoreUnavailable
from segue.store.rejections import list_rejections
from tests.engine.stage import setting
from tests.runtime.rulebook import book_of, event

RULES = "event paid\nwhen paid wait 1d wait 1d"


NOW = Instant(time.time_ns() // 1000)


class Queue:
    """A source whose other side is a list: it hands out from the position on, and keeps what was not settled."""

    def __init__(self, *batches: Fetched) -> None:
        self.batches = list(batches)
        self.asked: list[str | None] = []
        self.settled: list[Fetched] = []
        self.state = "open"
        self.reason = ""
        self.faults = 0
        self.fault: Fault | None = None
        self.deaf: Fault | None = None
        self.more = asyncio.Event()
        self.before_settle: Callable[[], None] = lambda: None

    async def ready(self) -> None:
        while self.state != "open":
            await asyncio.sleep(0.01)

    async def fetch(self, position: str | None) -> Fetched:
        self.asked.append(position)
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        while not self.batches:
            self.more.clear()
            await self.more.wait()
        return self.batches.pop(0)

    async def settle(self, fetched: Fetched) -> None:
        if self.deaf is not None:
            fault, self.deaf = self.deaf, None
            raise fault
        self.before_settle()
        self.settled.append(fetched)

    def bring(self, fetched: Fetched) -> None:
        self.batches.append(fetched)
        self.more.set()


def batch(*numbers: int, position: str | None = None, **more: Any) -> Fetched:
    events = tuple(paid(number) for number in numbers)
    return Fetched(events=events, position=position, **more)


def paid(number: int) -> Event:
    return event("paid", f"customer {number}", at=NOW, id=f"m{number}")


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


Start = Callable[..., Any]


@pytest_asyncio.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    running: list[Daemon] = []

    async def begin(clock: Clock | None = None, **sources: Queue) -> Daemon:
        store = Store(tmp_path / "segue.db", durable=False)
        store.start()
        how = setting(reach=Reach({}), channels={})
        daemon = Daemon(store, clock or Clock(), how, {}, Catalogue(), sources=sources)
        running.append(daemon)
        await daemon.start(book_of(RULES))
        return daemon

    yield begin
    for daemon in running:
        await daemon.stop()
        await asyncio.to_thread(daemon.store.close)


def rows(daemon: Daemon, sql: str) -> list[tuple[Any, ...]]:
    return daemon.store.write(lambda tx: tx.rows(sql)).result(5)


@pytest.mark.asyncio
async def test_a_batch_is_committed_with_its_position_before_it_is_settled(start: Start) -> None:
    queue = Queue()
    daemon = await start(kafka=queue)
    seen: list[Any] = []
    queue.before_settle = lambda: seen.append(
        (rows(daemon, "select count(*) from event"), rows(daemon, "select source, position from source_position"))
    )
    queue.bring(batch(1, 2, position="at 2"))
    await until(lambda: bool(queue.settled))
    assert seen == [([(2,)], [("kafka", "at 2")])]
    await until(lambda: queue.asked == [None, "at 2"])
    assert daemon.fetchers.all["kafka"].fetched == 2


@pytest.mark.asyncio
async def test_events_position_and_rejections_are_one_transaction(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the position cannot be written, the events are not there either; the same is offered again."""
    queue = Queue()
    daemon = await start(kafka=queue)
    real, failures = fetching.put_position, iter([True, True])

    def failing(tx: Transaction, *rest: Any) -> None:
        if next(failures, False):
            tx.run("insert into no_such_table values (1)")
        real(tx, *rest)

    monkeypatch.setattr(inboxes, "put_position", failing)
    bad = Rejection(place="1", reason="No.", raw=b"x")
    queue.bring(batch(1, position="at 1", rejections=(bad,)))
    await until(lambda: bool(queue.settled))
    assert rows(daemon, "select count(*) from event") == [(1,)]
    assert rows(daemon, "select position from source_position") == [("at 1",)]
    assert rows(daemon, "select place, reason from rejection") == [("1", "No.")]
    assert daemon.counts.duplicates == 0


@pytest.mark.asyncio
async def test_what_is_fetched_again_after_a_crash_changes_nothing(start: Start) -> None:
    queue = Queue(batch(1, 2), batch(1, 2), batch(3))
    daemon = await start(kafka=queue)
    await until(lambda: len(queue.settled) == 3)
    assert (daemon.counts.events, daemon.counts.duplicates) == (3, 2)
    assert rows(daemon, "select count(*) from journey") == [(3,)]


@pytest.mark.asyncio
async def test_it_goes_on_from_the_stored_position(start: Start) -> None:
    first = Queue(batch(1, position="at 1"))
    daemon = await start(kafka=first)
    await until(lambda: bool(first.settled))
    await daemon.stop()
    await asyncio.to_thread(daemon.store.close)
    second = Queue()
    await start(kafka=second)
    await until(lambda: bool(second.asked))
    assert second.asked == ["at 1"]


@pytest.mark.asyncio
async def test_an_event_that_cannot_be_taken_in_is_rejected_and_the_rest_is_taken(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody could send it better: without this it would be offered for ever."""
    taken = ingestion.ingest

    def ingest(tx: Any, running: Any, events: Any, moment: Instant) -> Any:
        if any(one.message_id == "m2" for one in events):
            raise TypeError("planted")
        return taken(tx, running, events, moment)

    monkeypatch.setattr(inboxes, "ingest", ingest)
    queue = Queue(batch(1, 2, 3, position="at 3"))
    daemon = await start(kafka=queue)
    await until(lambda: bool(queue.settled))
    assert rows(daemon, "select count(*) from event") == [(2,)]
    (kept,) = daemon.store.write(lambda tx: list_rejections(tx, "kafka", 10)).result(5)
    assert (kept.place, "TypeError" in kept.reason, b'"m2"' in kept.raw) == ("m2", True, True)
    assert rows(daemon, "select position from source_position") == [("at 3",)]


@pytest.mark.asyncio
async def test_while_the_store_cannot_write_the_same_is_offered_again_and_not_settled(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = Queue()
    daemon = await start(kafka=queue)
    put, refused = daemon.inbox.put_fetched, 0

    async def full(source: str, fetched: Fetched) -> None:
        nonlocal refused
        if refused < 2:
            refused += 1
            assert queue.settled == []
            raise StoreUnavailable("the disk is full")
        await put(source, fetched)

    monkeypatch.setattr(daemon.inbox, "put_fetched", full)
    queue.bring(batch(1))
    await until(lambda: bool(queue.settled))
    assert refused == 2
    assert queue.asked[0] is None
    assert rows(daemon, "select count(*) from event") == [(1,)]


@pytest.mark.asyncio
async def test_a_full_inbox_makes_a_source_wait_without_losing_anything(start: Start) -> None:
    queue = Queue(*(batch(*range(n, n + 100)) for n in range(0, 1000, 100)))
    daemon = await start(kafka=queue)
    daemon.inbox._most = 1
    await until(lambda: len(queue.settled) == 10)
    assert rows(daemon, "select count(*) from event") == [(1000,)]


@pytest.mark.asyncio
async def test_a_source_that_cannot_be_reached_stops_no_other(start: Start) -> None:
    broken, good = Queue(), Queue()
    broken.state, broken.reason = "set aside", "no broker"
    daemon = await start(broken=broken, good=good)
    good.bring(batch(1))
    await until(lambda: bool(good.settled))
    assert broken.asked == []
    broken.state = "open"
    broken.bring(batch(2))
    await until(lambda: bool(broken.settled))
    assert rows(daemon, "select count(*) from event") == [(2,)]


@pytest.mark.asyncio
async def test_after_a_fault_it_is_asked_again_from_the_same_position(start: Start) -> None:
    queue = Queue(batch(1, position="at 1"))
    daemon = await start(kafka=queue)
    await until(lambda: queue.asked == [None, "at 1"])
    queue.bring(batch(2))
    await until(lambda: len(queue.settled) == 2)
    queue.fault = Fault("gone")
    queue.bring(batch(3))
    await until(lambda: len(queue.settled) == 4 or len(queue.settled) == 3)
    assert set(queue.asked) == {None, "at 1"}
    assert rows(daemon, "select count(*) from event") == [(3,)]


@pytest.mark.asyncio
async def test_one_that_does_not_hear_that_all_is_stored_is_counted_and_goes_on(start: Start) -> None:
    queue = Queue()
    queue.deaf = Fault("connection reset")
    daemon = await start(kafka=queue)
    queue.bring(batch(1))
    queue.bring(batch(1))
    await until(lambda: bool(queue.settled))
    assert daemon.fetchers.all["kafka"].unsettled == 1
    assert daemon.counts.duplicates == 1


@pytest.mark.asyncio
async def test_it_waits_as_long_as_the_source_says_by_segue_s_own_clock(start: Start) -> None:
    """Compressed a thousandfold, a poll every hundred seconds comes every tenth of one."""
    queue = Queue(*(batch(n, again=100.0) for n in range(5)))
    loop = asyncio.get_running_loop()
    began = loop.time()
    await start(Clock(1_000.0), crm=queue)
    await until(lambda: len(queue.settled) == 5)
    assert 0.3 < loop.time() - began < 3.0


@pytest.mark.asyncio
async def test_a_stop_ends_a_fetch_that_waits(start: Start) -> None:
    queue = Queue()
    daemon = await start(kafka=queue)
    await until(lambda: bool(queue.asked))
    await asyncio.wait_for(daemon.stop(), 5)
    assert queue.settled == []


@pytest.mark.asyncio
async def test_a_stop_settles_what_was_committed(start: Start) -> None:
    queue = Queue()
    daemon = await start(kafka=queue)
    stopping: list[asyncio.Task[None]] = []
    put = daemon.inbox.put_fetched

    async def slow(source: str, fetched: Fetched) -> None:
        stopping.append(asyncio.create_task(daemon.stop()))
        await asyncio.sleep(0.1)
        await put(source, fetched)

    daemon.inbox.put_fetched = slow
    queue.bring(batch(1))
    await until(lambda: bool(stopping))
    await asyncio.wait_for(stopping[0], 5)
    assert [len(one.events) for one in queue.settled] == [1]


@pytest.mark.asyncio
async def test_a_large_batch_goes_in_pieces_and_its_position_with_the_last(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces: list[tuple[int, str | None]] = []
    queue = Queue(batch(*range(BATCH + 500), position="end"))
    daemon = await start()
    put = daemon.inbox.put_fetched

    async def seen(source: str, fetched: Fetched) -> None:
        pieces.append((len(fetched.events), fetched.position))
        await put(source, fetched)

    monkeypatch.setattr(daemon.inbox, "put_fetched", seen)
    fetcher = daemon.fetchers.add("csv", queue)
    fetcher.start()
    await until(lambda: bool(queue.settled))
    assert pieces == [(BATCH, None), (500, "end")]


@pytest.mark.asyncio
async def test_a_source_whose_loop_fails_by_our_mistake_says_so_and_goes_on(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segue.runtime import asking as loops

    monkeypatch.setattr(loops, "LONGEST_PAUSE", 0.05)
    queue = Queue()
    daemon = await start(kafka=queue)
    real, failures = queue.settle, iter([True])

    async def settle(fetched: Fetched) -> None:
        if next(failures, False):
            raise KeyError("planted")
        await real(fetched)

    monkeypatch.setattr(queue, "settle", settle)
    queue.bring(batch(1))
    queue.bring(batch(2))
    await until(lambda: bool(queue.settled))
    assert rows(daemon, "select count(*) from event") == [(2,)]


def test_a_position_of_none_leaves_the_one_that_is_there() -> None:
    with contextlib.closing(Store(None)) as store:
        store.apply(lambda tx: fetching.put_position(tx, "kafka", "7", Instant(1)))
        store.apply(lambda tx: fetching.put_position(tx, "kafka", None, Instant(2)))
        assert store.apply(lambda tx: fetching.load_position(tx, "kafka")) == "7"
        assert store.apply(fetching.list_positions) == [fetching.SourcePosition("kafka", "7", Instant(2))]
        assert store.apply(lambda tx: fetching.load_position(tx, "nats")) is None
