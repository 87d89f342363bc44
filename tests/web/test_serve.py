"""The server: starting, stopping, and clients that take their time."""

from __future__ import annotations

import asyncio
import signal

import pytest

from segue.web import bodies, serve
from segue.web.serve import HttpServer
from tests.web.served import BASIC, read_answer, serving, till

pytestmark = pytest.mark.asyncio


async def test_an_address_that_cannot_be_had_is_named() -> None:
    async with serving() as served:

        async def app(scope: object, receive: object, send: object) -> None: ...

        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1 port {served.port}"):
            await HttpServer(app).start("127.0.0.1", served.port)
        with pytest.raises(OSError, match=r"cannot listen on no\.such\.host\.invalid"):
            await HttpServer(app).start("no.such.host.invalid", 0)


async def test_signals_stay_with_the_daemon() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    async with serving():
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


async def test_stopping_lets_a_request_under_way_end_and_takes_no_new_one() -> None:
    async with serving(till()) as served:
        served.gate = asyncio.Event()
        asked = asyncio.create_task(served.post("/till", ["ordered"]))
        await asyncio.sleep(0.2)
        opening = served.gate
        asyncio.get_running_loop().call_later(0.5, opening.set)
    answer = await asked
    assert answer.status == 200
    assert [event.name for event in served.events] == ["ordered"]
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", served.port)


async def test_stopping_twice_or_before_the_start_does_nothing() -> None:
    async def app(scope: object, receive: object, send: object) -> None: ...

    server = HttpServer(app)
    await server.stop()
    await server.start("127.0.0.1", 0)
    await server.stop()
    await server.stop()


async def test_one_connection_carries_many_requests() -> None:
    async with serving(till()) as served:
        body = b'["one"]'
        head = f"POST /till HTTP/1.1\r\nhost: x\r\nauthorization: {BASIC}\r\ncontent-length: {len(body)}\r\n\r\n"
        answers = await served.raw((head.encode() + body) * 50, most=50)
        assert [answer.status for answer in answers] == [200] * 50
        assert len(served.events) == 50


async def test_a_large_body_before_the_next_head_does_not_count_as_head() -> None:
    async with serving(till()) as served:
        body = b'["' + b"x" * 200_000 + b'"]'
        head = f"POST /till HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(head + body + head[:30])
        first = await read_answer(reader)
        writer.write(head[30:] + body)
        second = await read_answer(reader)
        writer.close()
        assert first is not None
        assert second is not None
        assert (first.status, second.status) == (200, 200)


@pytest.mark.parametrize("sent", [b"", b"POST /till HTT", b"POST /till HTTP/1.1\r\nx: y\r\n"])
async def test_a_head_that_trickles_is_cut_off(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "HEAD_WITHIN", 0.3)
    async with serving(till()) as served, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(sent)
        answer = await read_answer(reader)
        assert answer is not None
        assert answer.status == 408
        assert await reader.read() == b""
        writer.close()


async def test_a_body_that_trickles_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "READ_WITHIN", 0.3)
    async with serving(till()) as served, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(b"POST /till HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n[")
        answer = await read_answer(reader)
        assert answer is not None
        assert answer.status == 408
        assert await reader.read() == b""
        writer.close()
        assert served.accepted == []
