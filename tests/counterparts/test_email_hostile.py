"""The email channel against servers that never end what they say; and two streams, one of whose servers is down."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from segue.api import Retry, Sent, Unknown
from segue_email_smtp.streams import Stream
from tests.counterparts.mail import channel, message
from tests.counterparts.misbehaving_smtp import MisbehavingSmtp
from tests.counterparts.process import free_port

pytestmark = pytest.mark.asyncio

Saying = Callable[[asyncio.StreamWriter, bytes], Awaitable[None]]


class Raw:
    """A server that speaks properly up to a moment, and then without an end."""

    host = "127.0.0.1"
    port = 0


async def trickle(writer: asyncio.StreamWriter, code: bytes) -> None:
    """A line of an answer every hundredth of a second."""
    while True:
        writer.write(code + b"-and so on\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def drip(writer: asyncio.StreamWriter, code: bytes) -> None:
    """One line, a character every hundredth of a second."""
    writer.write(code + b" ")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def flood(writer: asyncio.StreamWriter, code: bytes) -> None:
    """Ten megabytes in one answer."""
    for _ in range(160):
        writer.write(code + b"-" + b"x" * 65_000 + b"\r\n")
        await writer.drain()
    writer.write(code + b" done\r\n")
    await writer.drain()


@asynccontextmanager
async def serving(stage: str, how: Saying) -> AsyncIterator[Raw]:
    talking: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(here: str, code: bytes) -> None:
            if here == stage:
                await how(writer, code)
            else:
                writer.write(code + b" OK\r\n")

        here = asyncio.current_task()
        assert here is not None
        talking.add(here)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await say("greeting", b"220")
            while line := await reader.readline():
                word = line[:4].decode().strip().lower()
                await say(word, b"354" if word == "data" else b"250")
                if word == "data":
                    await reader.readuntil(b"\r\n.\r\n")
                    await say("end", b"250")
        writer.transport.abort()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    raw = Raw()
    raw.port = server.sockets[0].getsockname()[1]
    try:
        yield raw
    finally:
        server.close()
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
        await asyncio.sleep(0)


@pytest.mark.parametrize("how", [trickle, drip, flood])
@pytest.mark.parametrize("stage", ["greeting", "ehlo", "mail", "rcpt", "data", "end"])
async def test_a_server_that_does_not_end_its_answer_holds_nobody_up(stage: str, how: Saying) -> None:
    began = time.monotonic()
    async with serving(stage, how) as server, channel(server, connections=1, timeout=0.2) as email:
        answers = await email.send([message("ann@example.test"), message("bob@example.test")])
    assert time.monotonic() - began < 4
    assert {type(one) for one in answers} <= ({Unknown, Retry} if stage == "end" else {Retry})
    assert all(len(one.reason) <= 400 for one in answers if isinstance(one, Retry | Unknown))


async def test_a_server_that_is_down_stops_its_own_stream_alone() -> None:
    with MisbehavingSmtp() as server:
        down = Stream(host="127.0.0.1", port=free_port(), tls="none", sender="news@news.example.test")
        async with channel(server, marketing=down) as email:
            receipt = message("ann@example.test", kind="transactional")
            answers = await email.send([message("bob@example.test"), receipt])
        assert [type(one) for one in answers] == [Retry, Sent]
        assert server.recipients() == ["ann@example.test"]


async def test_each_stream_sends_as_it_says_by_its_own_server() -> None:
    with MisbehavingSmtp() as receipts, MisbehavingSmtp() as campaigns:
        other = Stream(host="127.0.0.1", port=campaigns.port, tls="none", sender="news@news.example.test")
        async with channel(receipts, marketing=other) as email:
            kinds = ("transactional", "promotional", "informational")
            answers = await email.send([message(f"{kind}@example.test", kind=kind) for kind in kinds])
        assert all(isinstance(one, Sent) for one in answers)
        assert receipts.recipients() == ["transactional@example.test"]
        assert sorted(campaigns.recipients()) == ["informational@example.test", "promotional@example.test"]
        assert all(b"From: news@news.example.test\r\n" in raw for _, raw in campaigns.taken)
