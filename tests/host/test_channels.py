"""An open channel harms nobody but itself, whatever it does."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from segue.api import (
    Answer,
    BaseChannel,
    Callback,
    ChannelSpec,
    Inbound,
    Instant,
    Message,
    Money,
    Rejected,
    Report,
    Request,
    Response,
    Retry,
    Sent,
    Tools,
    Unknown,
)
from segue.host import Fault, Limits, OpenChannel
from segue.host.http import AiohttpClient

pytestmark = pytest.mark.asyncio

QUICK = Limits(opening=0.3, receiving=0.3, closing=0.3, grace=0.2, first=0.05, longest=0.1, faults=3)


class Config(msgspec.Struct, frozen=True):
    password: str = "hunter2"


class Told(BaseChannel):
    """A channel that does what a test tells it."""

    def __init__(self, do: Callable[[Sequence[Message]], Any]) -> None:
        self.do = do
        self.closed = 0

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        result = self.do(messages)
        if asyncio.iscoroutine(result):
            result = await result
        return result  # type: ignore[no-any-return]

    async def close(self) -> None:
        self.closed += 1


def message(n: int = 0) -> Message:
    return Message(
        key=f"{n:032x}",
        channel="sms",
        name="m",
        kind="promotional",
        customer="ann",
        address="+358401",
        content={"text": "hi"},
        rule="r",
        expires=Instant(0),
    )


def good(messages: Sequence[Message]) -> list[Answer]:
    return [Sent(one.key) for one in messages]


def spec_of(make: Callable[[Any, Tools], Any], **changes: Any) -> ChannelSpec:
    values: dict[str, Any] = {"doc": "x", "config": Config, "address": "phone", "timeout": 0.3}
    return ChannelSpec(name="told", open=make, **(values | changes))


@asynccontextmanager
async def opened(
    make: Callable[[Any, Tools], Any], limits: Limits = QUICK, said: list[str] | None = None, **changes: Any
) -> AsyncIterator[OpenChannel]:
    tools = Tools(channel="sms", http=AiohttpClient())
    heard = said if said is not None else []
    channel = await OpenChannel.open(spec_of(make, **changes), Config(), tools, limits=limits, on_fault=heard.append)
    try:
        yield channel
    finally:
        await channel.close()


def doing(do: Callable[[Sequence[Message]], Any]) -> Callable[[Any, Tools], Told]:
    return lambda config, tools: Told(do)


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def test_answers_come_back_in_order_from_a_thread_of_the_channels_own() -> None:
    threads: set[str] = set()

    def send(messages: Sequence[Message]) -> list[Answer]:
        threads.add(threading.current_thread().name)
        return good(messages)

    async with opened(doing(send)) as channel:
        assert channel.state == "open"
        assert await channel.send([message(1), message(2)]) == [Sent(f"{1:032x}"), Sent(f"{2:032x}")]
        assert await channel.send([]) == []
    assert threads == {"segue-channel-sms"}


async def test_a_provider_that_quotes_the_key_tells_nobody() -> None:
    def send(messages: Sequence[Message]) -> list[Answer]:
        return [Rejected("no: Bearer hunter2"), Retry("hunter2", after=3.0), Unknown("hunter2?"), Sent("hunter2")]

    async with opened(doing(send)) as channel:
        answers = await channel.send([message(n) for n in range(4)])
    assert answers == [Rejected("no: Bearer …"), Retry("…", after=3.0), Unknown("…?"), Sent("hunter2")]


async def test_open_is_called_on_the_channels_loop() -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    def make(config: Any, tools: Tools) -> Told:
        loops.append(asyncio.get_running_loop())
        return Told(good)

    async with opened(make):
        assert loops[0] is not asyncio.get_running_loop()


async def test_no_call_gets_more_than_a_batch_and_no_more_are_in_flight_than_declared() -> None:
    sizes: list[int] = []
    flying = most = 0

    async def send(messages: Sequence[Message]) -> list[Answer]:
        nonlocal flying, most
        sizes.append(len(messages))
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0.02)
        flying -= 1
        return good(messages)

    async with opened(doing(send), batch=2, in_flight=2) as channel:
        messages = [message(n) for n in range(5)]
        one, *_ = await asyncio.gather(*(channel.send(messages) for _ in range(3)))
    assert one == good(messages)
    assert max(sizes) == 2
    assert most == 2


def raising(error: BaseException) -> Callable[[Sequence[Message]], Any]:
    def send(messages: Sequence[Message]) -> Any:
        raise error

    return send


@pytest.mark.parametrize(
    ("do", "said"),
    [
        (raising(RuntimeError("no wings")), "it raised RuntimeError: no wings"),
        (raising(RuntimeError("password hunter2")), "it raised RuntimeError: password …"),
        (raising(RuntimeError("a\nb\ud800")), "it raised RuntimeError: a b?"),
        (raising(SystemExit(1)), "it raised SystemExit: 1"),
        (raising(KeyboardInterrupt()), "it raised KeyboardInterrupt"),
        (raising(asyncio.CancelledError()), "it raised CancelledError"),
        (raising(GeneratorExit()), "it raised GeneratorExit"),
        (raising(TimeoutError()), "it raised TimeoutError"),
        (lambda messages: None, "it answered with NoneType, not a list"),
        (lambda messages: good(messages)[1:], "it gave 1 answers to 2 messages"),
        (lambda messages: asyncio.sleep(60), "it did not answer within 0.3 s"),
    ],
)
async def test_what_goes_wrong_leaves_the_outcome_unknown(do: Callable[[Sequence[Message]], Any], said: str) -> None:
    heard: list[str] = []
    async with opened(doing(do), said=heard) as channel:
        answers = await channel.send([message(1), message(2)])
        assert answers == [Unknown(said), Unknown(said)]
        assert channel.state == "open"
        assert channel.faults == 1
    assert heard == [said]


@pytest.mark.parametrize(
    ("junk", "said"),
    [
        (None, "an answer is a NoneType"),
        ("sent", "an answer is a str"),
        (Sent, "not Sent, Retry, Rejected or Unknown"),
        (Sent(7), "Expected `str`, got `int`"),  # type: ignore[arg-type]
        (Sent(parts=0), "0 parts"),
        (Sent(parts=256), "256 parts"),
        (Sent(cost=Money(Decimal(-1), "EUR")), "less than nothing"),
        (Sent(cost=Money(Decimal("nan"), "EUR")), "no amount"),
        (Rejected("x", address_gone="yes"), "Expected `bool`"),  # type: ignore[arg-type]
        (Retry("x", after="soon"), "Expected `float"),  # type: ignore[arg-type]
        (Unknown(None), "Expected `str`"),  # type: ignore[arg-type]
    ],
)
async def test_a_junk_answer_is_unknown_and_its_neighbours_stand(junk: Any, said: str) -> None:
    async with opened(doing(lambda messages: (Sent("a"), junk, Rejected("b", True)))) as channel:
        first, second, third = await channel.send([message(n) for n in range(3)])
        assert first == Sent("a")
        assert isinstance(second, Unknown)
        assert said in second.reason
        assert third == Rejected("b", True)
        assert channel.faults == 1


async def test_answers_are_made_fit_to_store() -> None:
    answers = [Sent("a\0b\ud800"), Retry("x" * 9_000, after=float("nan")), Retry("wait", after=-1.0), Retry("w", 2.5)]
    async with opened(doing(lambda messages: answers)) as channel:
        sent, long, past, fine = await channel.send([message(n) for n in range(4)])
        assert sent == Sent("a b?")
        assert isinstance(long, Retry)
        assert (len(long.reason), long.after) == (500, None)
        assert past == Retry("wait", None)
        assert fine == Retry("w", 2.5)


async def test_whose_wait_it_is_reaches_those_who_keep_it() -> None:
    answers: list[Answer] = [Retry("429", 3.0, account=True), Retry("450", address=True)]
    async with opened(doing(lambda messages: answers)) as channel:
        assert await channel.send([message(n) for n in range(2)]) == answers
        assert channel.faults == 0


async def test_a_channel_that_blocks_its_loop_is_set_aside_and_the_daemon_goes_on() -> None:
    release = threading.Event()
    opened_times = 0

    def make(config: Any, tools: Tools) -> Told:
        nonlocal opened_times
        opened_times += 1
        return Told((lambda messages: release.wait(20)) if opened_times == 1 else good)

    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0.01)

    heart = asyncio.create_task(beat())
    try:
        async with opened(make) as channel:
            answers = await channel.send([message()])
            assert answers == [Unknown("it did not answer within 0.3 s, and blocks its event loop")]
            assert channel.state == "set aside"
            began = time.monotonic()
            (later,) = await channel.send([message()])
            assert time.monotonic() - began < 0.05
            assert isinstance(later, Retry)
            assert "the channel sms is set aside: it did not answer" in later.reason
            assert later.after is not None
            await until(lambda: channel.state == "open")
            assert await channel.send([message()]) == good([message()])
        assert beats > 20
    finally:
        heart.cancel()
        release.set()


async def test_a_call_that_waits_behind_a_blocked_one_was_certainly_not_made() -> None:
    release = threading.Event()
    calls: list[int] = []

    def block(messages: Sequence[Message]) -> list[Answer]:
        calls.append(1)
        release.wait(20)
        return good(messages)

    async with opened(doing(block), in_flight=2) as channel:
        first, second = await asyncio.gather(channel.send([message(1)]), channel.send([message(2)]))
        release.set()
        await until(lambda: not any(thread.alive for thread in channel._abandoned))
        assert {type(first[0]), type(second[0])} == {Unknown, Retry}
        assert len(calls) == 1


async def test_a_channel_that_ignores_its_cancellation_is_set_aside() -> None:
    stubborn = True

    async def send(messages: Sequence[Message]) -> list[Answer]:
        while stubborn:
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                continue
        return good(messages)

    async with opened(doing(send)) as channel:
        assert isinstance((await channel.send([message()]))[0], Unknown)
        assert channel.state == "set aside"
        stubborn = False
        await until(lambda: channel.state == "open")


async def test_with_too_many_threads_stuck_it_stays_aside_and_says_so() -> None:
    release = threading.Event()
    limits = msgspec.structs.replace(QUICK, abandoned=2)
    said: list[str] = []
    try:
        async with opened(doing(lambda messages: release.wait(20)), limits=limits, said=said) as channel:
            for _ in range(2):
                await until(lambda: channel.state == "open")
                await channel.send([message()])
            await until(lambda: "until Segue restarts" in channel.reason)
            assert channel.state == "set aside"
            assert "2 of its threads are stuck" in said[-1]
            assert isinstance((await channel.send([message()]))[0], Retry)
    finally:
        release.set()


async def test_one_that_fails_again_and_again_is_set_aside_and_opened_anew() -> None:
    opened_channels: list[Told] = []

    def make(config: Any, tools: Tools) -> Told:
        opened_channels.append(Told(raising(ValueError("x")) if len(opened_channels) < 2 else good))
        return opened_channels[-1]

    async with opened(make) as channel:
        for _ in range(3):
            assert isinstance((await channel.send([message()]))[0], Unknown)
        assert channel.state == "set aside"
        await until(lambda: channel.state == "open")
        # After the pause one more failure is enough.
        await channel.send([message()])
        assert channel.state == "set aside"
        await until(lambda: channel.state == "open")
        assert await channel.send([message()]) == good([message()])
    assert [one.closed for one in opened_channels] == [1, 1, 1]


async def test_the_wait_before_opening_anew_doubles() -> None:
    times: list[float] = []

    def make(config: Any, tools: Tools) -> Told:
        times.append(time.monotonic())
        if len(times) < 5:
            raise OSError("no route")
        return Told(good)

    limits = msgspec.structs.replace(QUICK, first=0.05, longest=0.2)
    async with opened(make, limits=limits) as channel:
        assert channel.state == "set aside"
        assert channel.reason == "it raised OSError: no route"
        await until(lambda: channel.state == "open")
        assert channel.faults == 4
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    for pause, least in zip(pauses, (0.05, 0.1, 0.2, 0.2), strict=True):
        assert pause >= least * 0.9


class Half:
    async def send(self) -> None:
        return None


async def make_later(config: Any, tools: Tools) -> Told:
    return Told(good)


def block(config: Any, tools: Tools) -> Told:
    time.sleep(1)
    return Told(good)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda config, tools: None, "open returned NoneType, which has no send"),
        (lambda config, tools: Half(), "open returned Half, which has no receive"),
        (make_later, "open is a coroutine function"),
        (lambda config, tools: exec("raise SystemExit(2)"), "it raised SystemExit: 2"),
        (lambda config, tools: exec("raise ValueError(config)", {"config": config}), "password='…'"),
        (block, "it did not answer within 0.3 s, and blocks its event loop"),
    ],
)
async def test_a_channel_that_does_not_open_is_set_aside(make: Any, said: str) -> None:
    async with opened(make, limits=msgspec.structs.replace(QUICK, first=30.0)) as channel:
        assert channel.state == "set aside"
        assert said in channel.reason
        (answer,) = await channel.send([message()])
        assert isinstance(answer, Retry)
        assert answer.after is not None
        assert 25 < answer.after <= 30


async def test_a_task_of_the_channels_own_that_exits_ends_neither_thread_nor_process() -> None:
    kept: list[asyncio.Task[None]] = []

    async def leave() -> None:
        raise SystemExit("bye")

    async def send(messages: Sequence[Message]) -> list[Answer]:
        kept.append(asyncio.create_task(leave()))
        await asyncio.sleep(0.02)
        return good(messages)

    said: list[str] = []
    async with opened(doing(send), said=said) as channel:
        assert await channel.send([message()]) == good([message()])
        assert await channel.send([message()]) == good([message()])
        assert channel.faults >= 2
        kept.clear()
    assert "in a task of its own: it raised SystemExit: bye" in said


async def test_a_channel_that_stops_its_loop_does_not_get_away_with_it() -> None:
    async def send(messages: Sequence[Message]) -> list[Answer]:
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0)
        return good(messages)

    async with opened(doing(send)) as channel:
        assert await channel.send([message()]) == good([message()])
        assert await channel.send([message()]) == good([message()])


async def test_many_channels_that_block_leave_their_neighbours_alone() -> None:
    release = threading.Event()
    try:
        async with opened(doing(lambda messages: release.wait(20))) as bad, opened(doing(good)) as fine:
            stuck = asyncio.create_task(bad.send([message()]))
            for n in range(50):
                assert await fine.send([message(n)]) == good([message(n)])
            assert not stuck.done()
            await stuck
            assert fine.state == "open"
    finally:
        release.set()


# Callbacks


class Receiving(Told):
    def __init__(self, receive: Callable[[Request], Any]) -> None:
        super().__init__(good)
        self._receive = receive

    async def receive(self, request: Request) -> Callback:
        result = self._receive(request)
        if asyncio.iscoroutine(result):
            result = await result
        return result  # type: ignore[no-any-return]


REQUEST = Request("GET", "/callbacks/sms", {}, {"id": "7"}, b"")


def receiving(do: Callable[[Request], Any]) -> Callable[[Any, Tools], Told]:
    return lambda config, tools: Receiving(do)


async def test_a_callback_comes_back_checked() -> None:
    def receive(request: Request) -> Callback:
        report = Report(id=request.query["id"], what="read", at=Instant(1), receipt="a\0")
        inbound = Inbound(id="8", address="+358", text="STOP\0\ud800", at=Instant(2))
        return Callback(reports=[report], inbound=(inbound,), response=Response(200, b"ok"))  # type: ignore[arg-type]

    async with opened(receiving(receive), reactions=("read",)) as channel:
        callback = await channel.receive(REQUEST)
        assert callback.reports == (Report(id="7", what="read", at=Instant(1), receipt="a"),)
        assert callback.inbound == (Inbound(id="8", address="+358", text="STOP?", at=Instant(2)),)
        assert callback.response.body == b"ok"


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "is a NoneType, not Callback"),
        (Callback(response=Response("200")), "Expected `int`"),  # type: ignore[arg-type]
        (Callback(response=Response(99)), "HTTP status 99"),
        (Callback(reports=(1,)), "Expected `object`"),  # type: ignore[arg-type]
        (Callback(reports=(Report(id="1", what="eaten", at=Instant(1), key="k"),)), "reports 'eaten'"),
        (Callback(reports=(Report(id="1", what="delivered", at=Instant(1)),)), "neither key nor receipt"),
        (Callback(inbound=(Inbound(id="", address="a", text="t", at=Instant(1)),)), "has no id"),
    ],
)
async def test_a_junk_callback_is_a_fault(returned: Any, said: str) -> None:
    async with opened(receiving(lambda request: returned)) as channel:
        with pytest.raises(Fault, match=said):
            await channel.receive(REQUEST)
        assert channel.faults == 1


def choke(request: Request) -> Any:
    raise SystemExit(1)


async def test_callbacks_that_raise_never_set_a_channel_aside() -> None:
    async with opened(receiving(choke)) as channel:
        for _ in range(10):
            with pytest.raises(Fault, match="SystemExit"):
                await channel.receive(REQUEST)
        assert channel.state == "open"
        assert await channel.send([message()]) == good([message()])


async def test_a_callback_that_takes_too_long_is_a_fault_and_one_that_blocks_sets_aside() -> None:
    async with opened(receiving(lambda request: asyncio.sleep(60))) as channel:
        with pytest.raises(Fault, match="did not answer"):
            await channel.receive(REQUEST)
        assert channel.state == "open"
    release = threading.Event()
    async with opened(receiving(lambda request: release.wait(20))) as channel:
        with pytest.raises(Fault, match="blocks its event loop"):
            await channel.receive(REQUEST)
        assert channel.state == "set aside"
        with pytest.raises(Fault, match="set aside"):
            await channel.receive(REQUEST)
        release.set()


async def test_what_cannot_be_taken_back_says_so() -> None:
    async with opened(doing(good)) as channel:
        assert await channel.retract([message()]) == [Rejected("this channel cannot take a message back")]


# Closing


async def test_closing_twice_is_harmless_and_ends_the_thread() -> None:
    made: list[Told] = []

    def make(config: Any, tools: Tools) -> Told:
        made.append(Told(good))
        return made[-1]

    async with opened(make) as channel:
        await channel.close()
        await channel.close()
        assert channel.state == "closed"
        assert (await channel.send([message()]))[0] == Retry("the channel sms is closed: Segue is stopping", 0.1)
    assert made[0].closed == 1
    assert not [one for one in threading.enumerate() if one.name == "segue-channel-sms" and not one.daemon]


async def test_closing_waits_for_what_is_in_flight() -> None:
    async def send(messages: Sequence[Message]) -> list[Answer]:
        await asyncio.sleep(0.15)
        return good(messages)

    async with opened(doing(send)) as channel:
        sending = asyncio.create_task(channel.send([message()]))
        await asyncio.sleep(0.05)
        await channel.close()
        assert await sending == good([message()])


async def test_a_channel_that_will_not_close_does_not_hold_up_the_daemon() -> None:
    class Clinging(Told):
        async def close(self) -> None:
            time.sleep(1)

    began = time.monotonic()
    async with opened(lambda config, tools: Clinging(good)):
        pass
    assert time.monotonic() - began < 0.95


async def test_closing_while_set_aside_stops_the_reopening() -> None:
    times: list[int] = []

    def make(config: Any, tools: Tools) -> Told:
        times.append(1)
        raise OSError

    async with opened(make):
        await until(lambda: len(times) > 1)
    count = len(times)
    await asyncio.sleep(0.3)
    assert len(times) == count
