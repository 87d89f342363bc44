"""Channels and their provider accounts, by the daemon's own loops and the machine's clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from segue.api import Answer, Event, Instant, Message, Rejected, Retry, Sent
from segue.clock.clock import Clock
from segue.customers.reach import ChannelReach, Reach
from segue.delivery.accounts import FAILURES
from segue.delivery.ledger import LedgerRow
from segue.messages.catalogue import Catalogue
from segue.runtime import accounts
from segue.runtime.accounts import Account, AccountTerms
from segue.runtime.daemon import Daemon
from segue.store.accounts import call_again, load_accounts
from segue.store.database import Store, change, read_only
from segue.store.dead_letters import load_dead, put_up_again
from segue.store.pauses import Pause, Sort, put_pause, remove_pause
from tests.engine.stage import setting, spec
from tests.runtime.rulebook import book_of, event

BOTH = 'event paid\nevent asked\nrule a\n  when paid send push "hello"\nrule b\n  when asked send sms "hello"'


class Provider:
    """A channel that answers as it is told, and knows when it was called."""

    def __init__(self, name: str, **more: Any) -> None:
        self.spec = spec(name, **more)
        self.calls: list[tuple[float, int]] = []
        self.sent: list[float] = []
        self.answer: Answer = Sent()
        self.open = asyncio.Event()
        self.open.set()

    async def send(self, messages: Sequence[Message]) -> list[Answer]:
        self.calls.append((time.time(), len(messages)))
        await self.open.wait()
        if isinstance(self.answer, Sent):
            self.sent += [time.time()] * len(messages)
        return [self.answer for _ in messages]

    async def retract(self, messages: Sequence[Message]) -> list[Answer]:
        return [Sent() for _ in messages]


async def reached(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    for _ in range(int(seconds / 0.01)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not reached in time")


Start = Callable[..., Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "segue.db"


@pytest_asyncio.fixture
async def start(path: Path) -> AsyncIterator[Start]:
    running: list[Daemon] = []

    async def begin(providers: Mapping[str, Provider], *terms: AccountTerms, text: str = BOTH) -> Daemon:
        store = Store(path, durable=False)
        store.start()
        specs = {name: one.spec for name, one in providers.items()}
        how = setting(reach=Reach({name: ChannelReach(None) for name in specs}), channels=specs)
        how = msgspec.structs.replace(how, accounts=terms)
        daemon = Daemon(store, Clock(), how, providers, Catalogue())
        running.append(daemon)
        await daemon.start(book_of(text))
        return daemon

    yield begin
    for daemon in running:
        await stop(daemon)


async def stop(daemon: Daemon) -> None:
    await daemon.stop()
    await asyncio.to_thread(daemon.store.close)


def events(name: str, count: int, prefix: str = "c") -> list[Event]:
    at = Instant(time.time_ns() // 1000)
    return [event(name, f"{prefix}{number}", at=at) for number in range(count)]


@pytest.mark.asyncio
async def test_a_restart_bursts_no_rate(start: Start) -> None:
    first = Provider("push")
    daemon = await start({"push": first}, AccountTerms("push", ("push",), 20))
    await daemon.accept(events("paid", 60))
    await reached(lambda: len(first.sent) >= 20)
    await stop(daemon)
    again = Provider("push")
    await start({"push": again}, AccountTerms("push", ("push",), 20))
    await reached(lambda: len(first.sent) + len(again.sent) == 60)
    went = sorted([*first.sent, *again.sent])
    assert all(later - earlier > 0.9 for earlier, later in zip(went, went[20:], strict=False))


@pytest.mark.asyncio
async def test_channels_that_share_an_account_share_its_rate_and_its_calls(start: Start) -> None:
    both = {"push": Provider("push", batch=5), "sms": Provider("sms", batch=5)}
    daemon = await start(both, AccountTerms("one", ("push", "sms"), 20, 1))
    both["push"].open.clear()
    await daemon.accept([*events("paid", 20), *events("asked", 20)])
    await reached(lambda: bool(both["push"].calls or both["sms"].calls))
    if not both["push"].calls:  # the other came first, and its calls are over
        await reached(lambda: bool(both["push"].calls))
    calls = len(both["sms"].calls)
    await asyncio.sleep(0.2)
    assert len(both["sms"].calls) == calls  # the only call that may be under way is push's
    both["push"].open.set()
    await reached(lambda: len(both["push"].sent) + len(both["sms"].sent) == 40)
    went = sorted(at for one in both.values() for at, count in one.calls for _ in range(count))
    assert all(later - earlier > 0.9 for earlier, later in zip(went, went[20:], strict=False))


@pytest.mark.asyncio
async def test_a_wait_that_one_channel_is_asked_for_holds_the_other_of_its_account(start: Start) -> None:
    both = {"push": Provider("push"), "sms": Provider("sms")}
    daemon = await start(both, AccountTerms("one", ("push", "sms")))
    both["push"].answer = Retry("slow down", after=0.7, account=True)
    await daemon.accept(events("paid", 1))
    await reached(lambda: len(both["push"].calls) == 1)
    both["push"].answer = Sent()
    asked = both["push"].calls[0][0]
    await daemon.accept(events("asked", 1))
    await reached(lambda: len(both["sms"].sent) == 1)
    assert both["sms"].sent[0] - asked >= 0.7


@pytest.mark.asyncio
async def test_a_broken_provider_is_called_no_more_until_one_message_gets_through(
    start: Start, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segue.delivery.accounts.FIRST_REST", 600_000)
    push = Provider("push", batch=1)
    push.answer = Retry("connection refused")
    daemon = await start({"push": push})
    await daemon.accept(events("paid", 40))
    await reached(lambda: daemon.accounts["push"].breaker == "open")
    assert len(push.calls) <= FAILURES
    push.answer = Sent()
    tried = len(push.calls)
    await reached(lambda: len(push.calls) > tried)
    assert push.calls[tried][1] == 1
    await reached(lambda: len(push.sent) == 40)
    assert daemon.accounts["push"].breaker == "closed"
    assert daemon.accounts["push"].opened == 1
    attempts = daemon.store.write(lambda tx: tx.row("select max(attempts), sum(attempts) from message")).result(5)
    assert attempts[1] == 40 + tried  # nothing was tried in vain while it was open
    assert daemon.store.write(load_accounts).result(5)["push"].opened is None


@pytest.mark.asyncio
async def test_a_restart_keeps_a_breaker_open(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    push = Provider("push", batch=1)
    push.answer = Retry("connection refused")
    daemon = await start({"push": push})
    await daemon.accept(events("paid", 40))
    await reached(lambda: daemon.accounts["push"].breaker == "open")
    await stop(daemon)
    again = Provider("push", batch=1)
    daemon = await start({"push": again})
    await asyncio.sleep(0.3)
    assert (daemon.accounts["push"].breaker, again.calls) == ("open", [])


@pytest.mark.asyncio
async def test_a_hanging_provider_leaves_the_latency_of_another_channel_alone(start: Start) -> None:
    both = {"push": Provider("push"), "sms": Provider("sms")}
    daemon = await start(both)

    async def latencies(prefix: str) -> list[float]:
        found = []
        for number in range(20):
            before, sent = time.time(), len(both["sms"].sent)
            await daemon.accept(events("asked", 1, f"{prefix}{number}-"))
            await reached(lambda sent=sent: len(both["sms"].sent) > sent)  # type: ignore[misc]
            found.append(time.time() - before)
        return found

    alone = await latencies("alone")
    both["push"].open.clear()
    await daemon.accept(events("paid", 300))
    await reached(lambda: bool(both["push"].calls))
    beside = await latencies("beside")
    both["push"].open.set()
    assert not both["push"].sent
    assert median(beside) < 2 * median(alone) + 0.05


@pytest.mark.asyncio
async def test_a_pause_by_another_process_holds_at_once_and_its_end_is_heard_within_a_second(
    start: Start, path: Path
) -> None:
    push = Provider("push")
    daemon = await start({"push": push})
    one = Pause("rule", "a", Instant(1), "eve")
    await asyncio.to_thread(change, path, lambda tx: put_pause(tx, one))
    await daemon.accept(events("paid", 3))
    await reached(lambda: daemon.pauses.now == (one,))
    assert not push.calls
    before = time.monotonic()
    await asyncio.to_thread(change, path, lambda tx: remove_pause(tx, "rule", "a"))
    await reached(lambda: len(push.sent) == 3)
    assert time.monotonic() - before < 3


def test_a_rate_counts_from_when_the_provider_has_heard_of_the_messages() -> None:
    now, micros = Instant(1_780_000_000_000_000), 0

    def moment() -> Instant:
        return Instant(now + micros)

    def free(at: int) -> int:
        nonlocal micros
        micros = at
        return account.room(100, "push")

    account = Account(AccountTerms("push", ("push",), rate=10.0), moment)
    store = Store(None)
    try:
        claimed = store.apply(lambda tx: account.take(tx, account.room(100, "push")))
        flight = account.depart(claimed)
        assert free(1_100_000) == 0, "it is not called yet"
        account.begin_call(flight)
        micros = 1_200_000
        account.end_call([Sent()])
        account.arrive(flight)
        assert [free(at) for at in (2_199_999, 2_200_000)] == [0, 10]

        claimed = store.apply(lambda tx: account.take(tx, 10))
        account.begin_call(account.depart(claimed))  # it hangs, but the provider has heard of it by now
        assert [free(2_200_000 + at) for at in (1_249_999, 1_250_000)] == [0, 10]

        micros = 4_000_000
        store.apply(lambda tx: account.take(tx, 10))  # and then a crash: nobody knows when it was called
        again = Account(account.terms, moment)
        again.go_on(store.apply(load_accounts)["push"])
        micros = 5_200_000
        assert again.room(100, "push") == 0
        micros = 5_250_000
        assert again.room(100, "push") == 10
    finally:
        store.close()


@pytest.mark.asyncio
async def test_an_account_that_nobody_may_call_for_a_day_is_called_again_once_somebody_says_so(
    start: Start, path: Path
) -> None:
    push = Provider("push")
    push.answer = Retry("429", after=86_400.0, account=True)
    daemon = await start({"push": push})
    await daemon.accept(events("paid", 1))
    await reached(daemon.accounts["push"].held)
    push.answer = Sent()
    await daemon.accept(events("paid", 1, "d"))
    now = Instant(time.time_ns() // 1000)
    assert await asyncio.to_thread(change, path, lambda tx: call_again(tx, "push", now)) is not None
    await reached(lambda: len(push.sent) == 1)

    push.answer = Retry("429", after=86_400.0, account=True)
    await daemon.accept(events("paid", 1, "e"))
    await reached(daemon.accounts["push"].held)
    await stop(daemon)
    daemon = await start({"push": push})
    await asyncio.sleep(0.6)  # what was said before the start is no word about the wait that came after it
    assert daemon.accounts["push"].held()


@pytest.mark.asyncio
@pytest.mark.parametrize(("sort", "name"), [("rule", "a"), ("channel", "push")])
async def test_a_pause_stops_what_is_claimed_and_not_called_yet(
    start: Start, path: Path, monkeypatch: pytest.MonkeyPatch, sort: Sort, name: str
) -> None:
    def pause_now(point: str) -> None:
        if point == "after-claim-commit":
            change(path, lambda tx: put_pause(tx, Pause(sort, name, Instant(1), "eve")))

    monkeypatch.setattr("segue.runtime.sender.reach", pause_now)
    push = Provider("push")
    daemon = await start({"push": push}, text=BOTH)
    await daemon.accept(events("paid", 3))
    await reached(lambda: daemon.pauses.now != ())
    await asyncio.sleep(0.1)
    assert not push.calls
    with read_only(path) as tx:
        assert tx.rows("select distinct state, claimed, attempts from message") == [(0, None, 0)]
    monkeypatch.undo()
    await asyncio.to_thread(change, path, lambda tx: remove_pause(tx, sort, name))
    await reached(lambda: len(push.sent) == 3)


@pytest.mark.asyncio
async def test_a_dead_letter_that_another_process_puts_up_is_looked_at_at_once(start: Start, path: Path) -> None:
    push = Provider("push")
    push.answer = Rejected("no credit")
    daemon = await start({"push": push})
    await daemon.accept(events("paid", 3))

    def dead() -> list[LedgerRow]:
        with read_only(path) as tx:
            return load_dead(tx, 2**62, 10)

    await reached(lambda: len(dead()) == 3)
    push.answer = Sent()
    before = time.monotonic()
    await asyncio.to_thread(change, path, lambda tx: put_up_again(tx, dead(), daemon.clock.look(), "eve"))
    await reached(lambda: len(push.sent) == 3)
    assert time.monotonic() - before < 3


def test_providers_seconds_are_the_machine_s() -> None:
    assert abs(accounts.wall() - time.time() * 1e6) < 1e6
