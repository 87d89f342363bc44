"""A channel that is polled and examined harms nobody but itself, whatever it brings."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from segue.api import (
    Answer,
    BaseChannel,
    Channel,
    ChannelSpec,
    Finding,
    Inbound,
    Instant,
    Message,
    Polled,
    Report,
    Sent,
    Tools,
)
from segue.host import Fault, Limits, OpenChannel
from segue.host.http import AiohttpClient

pytestmark = pytest.mark.asyncio

QUICK = Limits(opening=0.3, fetching=0.3, settling=0.3, examining=0.3, closing=0.3, grace=0.2, first=0.05, longest=0.1)
BOUNCE = Report(id="1", what="undelivered", at=Instant(1), key="k", reason="gone\n")
MESSAGE = Message(
    key="0" * 32,
    channel="email",
    name="m",
    kind="promotional",
    customer="ann",
    address="ann@example.test",
    content={},
    rule="r",
    expires=Instant(1),
)


class Config(msgspec.Struct, frozen=True):
    password: str = "hunter2"


class Mailbox(BaseChannel):
    """A channel that brings what a test tells it."""

    def __init__(self, bring: Callable[[], Any]) -> None:
        self.bring = bring
        self.settled: list[tuple[str, ...]] = []

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        return [Sent() for _ in messages]

    async def poll(self) -> Polled:
        return await self._brought()  # type: ignore[no-any-return]

    async def settle(self, polled: Polled) -> None:
        self.settled.append(polled.taken)

    async def examine(self) -> Sequence[Finding]:
        return await self._brought()  # type: ignore[no-any-return]

    async def _brought(self) -> Any:
        brought = self.bring()
        return await brought if isinstance(brought, Awaitable) else brought


@asynccontextmanager
async def opened(mailbox: Channel, said: list[str] | None = None) -> AsyncIterator[OpenChannel]:
    spec = ChannelSpec(
        name="told",
        doc="x",
        config=Config,
        open=lambda config, tools: mailbox,
        address="email",
        reactions=("complained",),
        polls=True,
        examines=True,
    )
    http = AiohttpClient()
    heard = said if said is not None else []
    channel = await OpenChannel.open(
        spec, Config(), Tools(channel="email", http=http), limits=QUICK, on_fault=heard.append
    )
    try:
        yield channel
    finally:
        await channel.close()
        await http.close()


def raising() -> Any:
    raise OSError("no login with hunter2")


async def test_what_is_brought_comes_back_fit_to_store_and_is_settled_as_it_was() -> None:
    inbound = Inbound(id="2", address="ann@example.test", text="Hi\0", at=Instant(1))
    mailbox = Mailbox(lambda: Polled(reports=(BOUNCE,), inbound=(inbound,), taken=("new/1",), again=5))
    async with opened(mailbox) as channel:
        polled = await channel.poll()
        assert polled.reports[0].reason == "gone"
        assert polled.inbound[0].text == "Hi"
        assert (polled.taken, polled.again) == (("new/1",), 5)
        await channel.settle(polled)
    assert mailbox.settled == [("new/1",)]


@pytest.mark.parametrize(
    ("bring", "said"),
    [
        (raising, "it raised OSError: no login with …"),
        (lambda: None, "NoneType"),
        (lambda: Polled(reports=(msgspec.structs.replace(BOUNCE, what="exploded"),)), "exploded"),
        (lambda: Polled(reports=(msgspec.structs.replace(BOUNCE, key=""),)), "neither key nor receipt"),
        (lambda: Polled(reports=(BOUNCE,) * 1_001), "1,000"),
        (lambda: Polled(again=float("nan")), "nan"),
        (lambda: Polled(again=-1.0), "-1"),
        (lambda: Polled(taken=(7,)), "taken"),  # type: ignore[arg-type]
        (lambda: asyncio.sleep(60), "did not answer within"),
    ],
)
async def test_what_goes_wrong_is_a_fault_and_stops_no_sending(bring: Callable[[], Any], said: str) -> None:
    heard: list[str] = []
    async with opened(Mailbox(bring), heard) as channel:
        for _ in range(QUICK.faults + 1):
            with pytest.raises(Fault, match=said):
                await channel.poll()
        assert said in heard[0]
        assert channel.state == "open"
        assert await channel.send([MESSAGE]) == [Sent()]


async def test_one_that_blocks_while_it_is_polled_is_set_aside() -> None:
    async with opened(Mailbox(lambda: time.sleep(1))) as channel:
        with pytest.raises(Fault, match="blocks"):
            await channel.poll()
        assert channel.state == "set aside"


async def test_findings_come_back_checked() -> None:
    async with opened(Mailbox(lambda: [Finding("SPF", False, "no\nrecord", "publish one")])) as channel:
        assert await channel.examine() == [Finding("SPF", False, "no record", "publish one")]
    for junk in (None, [None], [Finding("SPF", "yes", "x")]):  # type: ignore[arg-type]
        async with opened(Mailbox(lambda junk=junk: junk)) as channel:  # type: ignore[misc]
            with pytest.raises(Fault):
                await channel.examine()


async def test_a_channel_without_the_calls_that_it_declares_does_not_open() -> None:
    class Half:
        async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
            return []

        receive = retract = close = send

    async with opened(Half()) as channel:  # type: ignore[arg-type]
        assert channel.state == "set aside"
        assert channel.reason == "it raised TypeError: open returned Half, which has no poll"
