"""The daemon's loops: one thing that cannot be handled stops only what it touches, and every loop recovers alone."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from segue.api import Answer, Callback, ChannelSpec, Event, Instant, Message, Report, Sent
from segue.api.values import DAY, HOUR, SECOND
from segue.clock.clock import Clock
from segue.customers.reach import ChannelReach, Reach
from segue.delivery.ledger import MessageState
from segue.messages.catalogue import Catalogue
from segue.runtime import daemon as daemons
from segue.runtime import inbox as inboxes
from segue.runtime import ingest as ingestion
from segue.runtime.busy import Busy
from segue.runtime.daemon import Daemon
from segue.runtime.ingest import ingest
from segue.runtime.publishing import resume
from segue.runtime.running import DecisionLine
from segue.store.books import Changes
from segue.store.database import Store
from segue.store.errors import StoreUnavailable
from segue.store.sweeps import count_rules
from tests.engine.stage import setting, spec
from tests.runtime.rulebook import book_of, event, publish_text


class Wire:
    """A channel that keeps what it is handed, and answers when it may."""

    def __init__(self, **more: Any) -> None:
        self.spec: ChannelSpec = spec("push", **more)
        self.sent: list[tuple[float, Message]] = []
        self.retracted: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        self.failing = False

    async def send(self, messages: Sequence[Message]) -> list[Answer]:
        self.sent += [(time.monotonic(), message) for message in messages]
        if self.failing:
            raise RuntimeError("planted")
        await self.open.wait()
        return [Sent(f"receipt-{message.key}") for message in messages]

    async def retract(self, messages: Sequence[Message]) -> list[Answer]:
        self.retracted += [message.key for message in messages]
        return [Sent() for _ in messages]


async def reached(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("not reached in time")


Start = Callable[..., Any]


@pytest_asyncio.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    running: list[Daemon] = []

    async def begin(
        text: str, wire: Wire | None = None, listener: Callable[[DecisionLine], None] | None = None
    ) -> Daemon:
        store = Store(tmp_path / "segue.db", durable=False)
        store.start()
        channels = {"push": wire or Wire()}
        how = setting(reach=Reach({"push": ChannelReach(None)}), channels={"push": channels["push"].spec})
        daemon = Daemon(store, Clock(), how, channels, Catalogue(), listener)
        running.append(daemon)
        await daemon.start(book_of(text))
        return daemon

    yield begin
    for daemon in running:
        await daemon.stop()
        await asyncio.to_thread(daemon.store.close)


def rows(daemon: Daemon, sql: str) -> list[tuple[Any, ...]]:
    return daemon.store.write(lambda tx: tx.rows(sql)).result(5)


def now() -> Instant:
    return Instant(time.time_ns() // 1000)


@pytest.mark.asyncio
async def test_an_event_that_cannot_be_taken_in_harms_no_other_caller(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = await start('event paid\nwhen paid send push "hello"')
    taken = ingestion.ingest

    def ingest(tx: Any, running: Any, events: Sequence[Event], moment: Instant) -> Any:
        if any(one.user_id == "mallory" for one in events):
            raise TypeError("planted")
        return taken(tx, running, events, moment)

    monkeypatch.setattr(inboxes, "ingest", ingest)
    answers = await asyncio.gather(
        daemon.accept([event("paid", "ann", at=now())]),
        daemon.accept([event("paid", "mallory", at=now()), event("paid", "bob", at=now())]),
        daemon.accept([event("paid", "eve", at=now())]),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [type(None), TypeError, type(None)]
    assert {key for (key,) in rows(daemon, "select key from customer")} == {"u:ann", "u:bob", "u:eve"}


@pytest.mark.asyncio
async def test_a_listener_that_raises_stops_no_loop(start: Start) -> None:
    def broken(line: DecisionLine) -> None:
        raise BrokenPipeError

    wire = Wire()
    daemon = await start('event paid\nwhen paid send push "hello"', wire, broken)
    await asyncio.wait_for(daemon.accept([event("paid", "ann", at=now())]), 5)
    await asyncio.wait_for(daemon.accept([event("paid", "bob", at=now())]), 5)
    await reached(lambda: len(wire.sent) == 2)


@pytest.mark.asyncio
async def test_a_journey_that_cannot_be_read_keeps_no_other_from_waking(start: Start) -> None:
    wire = Wire()
    daemon = await start('event paid\nwhen paid wait 1s send push "hello"', wire)
    people = [f"customer {number}" for number in range(20)]
    await daemon.accept([event("paid", person, at=now()) for person in people])
    rows(daemon, "update journey set detail = x'ff', due = due - 1 where id = 7")
    await reached(lambda: len(wire.sent) == 19)
    left = rows(daemon, "select state, due from journey where id = 7")
    assert left[0][0] == 0
    assert left[0][1] > now() + HOUR // 2
    assert all(count.balanced for count in daemon.store.write(count_rules).result(5))


@pytest.mark.asyncio
async def test_a_channel_whose_call_raises_has_its_message_tried_again(start: Start) -> None:
    wire = Wire()
    wire.failing = True
    daemon = await start('event paid\nwhen paid send push "hello"', wire)
    await daemon.accept([event("paid", "ann", at=now())])
    await reached(lambda: len(wire.sent) == 1)
    wire.failing = False
    await reached(lambda: rows(daemon, "select state from message") == [(2,)])
    assert {message.key for _, message in wire.sent} == {wire.sent[0][1].key}


@pytest.mark.asyncio
async def test_nothing_is_claimed_while_the_channel_has_no_room(start: Start) -> None:
    wire = Wire(batch=1)
    wire.open.clear()
    daemon = await start('event paid\nwhen paid send push "hello"', wire)
    await daemon.accept([event("paid", f"customer {number}", at=now()) for number in range(5)])
    await reached(lambda: len(wire.sent) == 1)
    await asyncio.sleep(0.2)
    assert rows(daemon, "select count(*) from message where state = 1") == [(1,)]
    gone = event("unsubscribed", "customer 4", at=now(), channel="push")
    await daemon.accept([gone])
    wire.open.set()
    await reached(lambda: len(wire.sent) == 4)
    await reached(lambda: rows(daemon, "select count(*) from message where state = 6") == [(1,)])
    assert "customer 4" not in {message.customer for _, message in wire.sent}


@pytest.mark.asyncio
async def test_what_is_claimed_goes_out_at_once_however_slow_the_rate(start: Start) -> None:
    wire = Wire(rate=4.0)
    daemon = await start('event paid\nwhen paid send push "hello"', wire)
    await daemon.accept([event("paid", f"customer {number}", at=now()) for number in range(10)])
    await reached(lambda: len(wire.sent) == 10)
    await reached(lambda: rows(daemon, "select count(*) from message where state = 2") == [(10,)])
    waits = rows(daemon, "select max(handed - claimed) from message")
    assert waits[0][0] < SECOND // 2
    assert wire.sent[-1][0] - wire.sent[0][0] > 1.5


@pytest.mark.asyncio
async def test_a_slow_pace_does_not_hold_up_the_stop(start: Start) -> None:
    wire = Wire(rate=0.01)
    daemon = await start('event paid\nwhen paid send push "hello"', wire)
    await daemon.accept([event("paid", f"customer {number}", at=now()) for number in range(3)])
    await reached(lambda: len(wire.sent) == 1)
    await asyncio.wait_for(daemon.stop(), 5)


@pytest.mark.asyncio
async def test_a_report_by_receipt_that_is_quicker_than_the_answer_counts(start: Start) -> None:
    wire = Wire(settles="report", settles_within=3600.0)
    wire.open.clear()
    daemon = await start('event paid\nwhen paid send push "hello" then push "more"', wire)
    await daemon.accept([event("paid", "ann", at=now())])
    await reached(lambda: len(wire.sent) == 1)
    first = wire.sent[0][1]
    report = Report(id="1", what="delivered", at=now(), receipt=f"receipt-{first.key}")
    told = asyncio.create_task(daemon.settle_callback("push", Callback(reports=(report,))))
    await asyncio.sleep(0.1)
    wire.open.set()
    await asyncio.wait_for(told, 5)
    assert daemon.counts.reported == {"push": 1}
    await reached(lambda: len(wire.sent) == 2)


@pytest.mark.asyncio
async def test_a_report_on_a_call_that_does_not_end_is_asked_for_again(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segue.runtime.daemon.ANSWER_WITHIN", 0.1)
    wire = Wire()
    wire.open.clear()
    daemon = await start('event paid\nwhen paid send push "hello"', wire)
    await daemon.accept([event("paid", "ann", at=now())])
    await reached(lambda: len(wire.sent) == 1)
    report = Report(id="1", what="delivered", at=now(), receipt="unknown")
    with pytest.raises(Busy):
        await daemon.settle_callback("push", Callback(reports=(report,)))
    assert not daemon.counts.reported  # nothing was committed
    wire.open.set()


@pytest.mark.asyncio
async def test_what_the_writer_does_right_after_a_publication_goes_by_the_new_book(start: Start) -> None:
    daemon = await start('event paid\nevent other\nrule one when paid wait 1d send push "hello"')
    write = daemon._write
    late = [event("paid", "ann", at=now())]

    async def slow(job: Any, priority: int = 1) -> Any:
        outcome = await write(job, priority)
        if late and isinstance(outcome, Changes):  # the publication has committed; whoever asked for it does not know
            await daemon.accept([late.pop()])
        return outcome

    daemon._write = slow
    await daemon.publish(book_of('event paid\nevent other\nrule two when paid wait 1d send push "hello"'), "test")
    assert rows(daemon, "select program.rule from journey join program on program.id = journey.program") == [("two",)]


@pytest.mark.asyncio
async def test_a_publication_that_cannot_be_written_leaves_the_book_that_runs(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = await start('event paid\nrule one when paid wait 1d send push "hello"')
    before = daemon.running

    def fail(tx: Any, *_: Any) -> Any:
        resume(tx, *_)
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(daemons, "resume", fail)
    with pytest.raises(StoreUnavailable):
        await daemon.publish(book_of('event paid\nrule two when paid wait 1d send push "hello"'), "test")
    assert daemon.running is before
    await daemon.accept([event("paid", "ann", at=now())])
    assert rows(daemon, "select program.rule from journey join program on program.id = journey.program") == [("one",)]


@pytest.mark.asyncio
async def test_messages_of_a_channel_that_is_gone_are_skipped_and_their_journeys_go_on(
    start: Start, tmp_path: Path
) -> None:
    """They were decided when the project still had the channel; a restart finds it without."""
    text = 'event paid\nwhen paid send sms "hello" then push "more"'
    with contextlib.closing(Store(tmp_path / "segue.db", durable=False)) as store:
        before = Reach({"push": ChannelReach(None), "sms": ChannelReach(None)})
        running = publish_text(store, text, reach=before)
        store.apply(lambda tx: ingest(tx, running, [event("paid", "ann", at=now())], now()))
    wire = Wire()
    daemon = await start(text, wire)
    await reached(lambda: len(wire.sent) == 1)
    assert rows(daemon, "select state, reason from message where channel = 'sms'") == [(6, "no channel sms")]


@pytest.mark.asyncio
async def test_batches_of_large_events_become_smaller(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = await start("event paid\nwhen paid wait 1d stop")
    sizes: list[int] = []
    taken = ingestion.ingest

    def ingest_slowly(tx: Any, running: Any, events: Sequence[Event], moment: Instant) -> Any:
        sizes.append(len(events))
        time.sleep(len(events) * 0.0004)
        return taken(tx, running, events, moment)

    monkeypatch.setattr(inboxes, "ingest", ingest_slowly)
    people = [event("paid", f"customer {number}", at=now()) for number in range(1500)]
    await asyncio.gather(*[daemon.accept([one]) for one in people])
    assert sum(sizes) == 1500
    assert sizes[0] == 1000
    assert max(sizes[1:]) <= 250


@pytest.mark.asyncio
async def test_a_daemon_that_works_through_a_long_halt_is_not_called_stuck(start: Start) -> None:
    daemon = await start('event paid\nwhen paid wait 9d send push "hello"')
    assert await daemon.prove()
    await daemon.accept([event("paid", "ann", at=now())])
    rows(daemon, f"update journey set due = {now() - DAY}")
    assert not await daemon.prove()
    daemon.counts.fired += 1  # the waker ended something since the last proof
    assert await daemon.prove()


@pytest.mark.asyncio
async def test_what_stands_is_taken_back_by_the_loop_of_its_channel(start: Start) -> None:
    wire = Wire(stands=True, retracts=True)
    daemon = await start('event paid\nevent stopped\nwhen paid until stopped send push "x" wait 9d', wire)
    await daemon.accept([event("paid", "ann", at=now())])
    await reached(lambda: rows(daemon, "select state from message") == [(MessageState.HANDED,)])
    await daemon.accept([event("stopped", "ann", at=now())])
    await reached(lambda: rows(daemon, "select state from message") == [(MessageState.RETRACTED,)])
    assert wire.retracted == [message.key for _, message in wire.sent]
