"""The HTTP client against a real server, and against one that misbehaves on the wire."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from segue.api import HttpError
from segue.host.http import AiohttpClient

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def client() -> AsyncIterator[AiohttpClient]:
    made = AiohttpClient()
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def serving(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


Wire = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def on_the_wire(handler: Wire) -> AsyncIterator[str]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


async def request_head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


async def test_a_request_goes_out_as_it_was_given_and_the_answer_comes_back() -> None:
    async def echo(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Basic x"
        assert dict(request.query) == {"to": "+358 40&1=2", "text": "näin ☃"}
        return web.Response(status=202, body=await request.read(), headers={"X-Id": "7"})

    async with serving(echo) as url, client() as http:
        answer = await http.request(
            "POST",
            url + "/send",
            query={"to": "+358 40&1=2", "text": "näin ☃"},
            headers={"Authorization": "Basic x"},
            body=b"\x00hi",
        )
    assert (answer.status, answer.body, answer.headers["x-id"]) == (202, b"\x00hi", "7")


async def test_answers_of_any_status_are_returned_and_redirects_are_not_followed() -> None:
    seen: list[str] = []

    async def move(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async with serving(move) as url, client() as http:
        answer = await http.request("GET", url + "/here")
    assert answer.status == 302
    assert answer.headers["location"] == "/elsewhere"
    assert seen == ["/here"]


async def test_no_more_than_a_megabyte_of_an_answer_is_read() -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(100):
            await answer.write(b"x" * 100_000)
        return answer

    async with serving(flood) as url, client() as http:
        answer = await http.request("GET", url)
        assert len(answer.body) == 1_000_000
        assert (await http.request("GET", url)).status == 200


async def test_a_compressed_answer_is_not_unfolded() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)

    async def explode(request: web.Request) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async with serving(explode) as url, client() as http:
        assert (await http.request("GET", url)).body == bomb


async def test_cookies_are_not_kept() -> None:
    seen: list[str | None] = []

    async def bake(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Cookie"))
        return web.Response(headers={"Set-Cookie": "a=b"})

    async with serving(bake) as url, client() as http:
        await http.request("GET", url)
        await http.request("GET", url)
    assert seen == [None, None]


async def failure_of(url: str, method: str = "POST", **more: object) -> HttpError:
    async with client() as http:
        with pytest.raises(HttpError) as caught:
            await http.request(method, url, body=b"hello", **more)  # type: ignore[arg-type]
    return caught.value


async def test_a_refused_connection_was_not_sent() -> None:
    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        return None

    async with on_the_wire(nothing) as url:
        pass
    error = await failure_of(url + "/path?password=hunter2")
    assert not error.sent
    assert "hunter2" not in str(error)
    assert "no connection" in str(error)


async def test_an_unknown_host_was_not_sent() -> None:
    assert not (await failure_of("http://nowhere.invalid/")).sent


@pytest.mark.parametrize("url", ["ftp://a/b", "file:///etc/passwd", "nonsense", "http://", "http://[::1"])
async def test_an_address_that_is_none_was_not_sent(url: str) -> None:
    assert not (await failure_of(url)).sent


async def test_a_line_break_in_a_header_is_refused_before_anything_is_sent() -> None:
    async def ok(request: web.Request) -> web.Response:
        return web.Response()

    async with serving(ok) as url:
        for headers in ({"X-A": "a\r\nX-B: b"}, {"X-A\r\nX-B": "b"}):
            try:
                error = await failure_of(url, headers=headers)
            except pytest.fail.Exception:
                raise
            assert "cannot be made" in str(error)


async def test_plain_http_where_tls_was_expected_was_not_sent() -> None:
    async def ok(request: web.Request) -> web.Response:
        return web.Response()

    async with serving(ok) as url:
        error = await failure_of(url.replace("http:", "https:"))
    assert not error.sent
    assert "TLS" in str(error)


async def test_a_connection_cut_after_the_request_may_have_been_sent() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_head(reader)

    async with on_the_wire(cut) as url:
        error = await failure_of(url)
    assert error.sent
    assert "closed before the answer" in str(error)


async def test_a_reset_after_the_request_may_have_been_sent() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_head(reader)
        writer.transport.abort()

    async with on_the_wire(reset) as url:
        assert (await failure_of(url)).sent


async def test_an_answer_cut_in_the_middle_may_have_been_sent() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()

    async with on_the_wire(half) as url:
        error = await failure_of(url)
    assert error.sent
    assert "cut off" in str(error)


async def test_an_answer_that_is_not_http_may_have_been_sent() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_head(reader)
        writer.write(b"220 smtp.example ESMTP\r\n\r\n")
        await writer.drain()

    async with on_the_wire(babble) as url:
        error = await failure_of(url)
    assert error.sent
    assert "not HTTP" in str(error)


async def test_the_time_limit_covers_a_silent_provider_and_one_that_trickles() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    for wire in (silent, trickle):
        async with on_the_wire(wire) as url:
            error = await failure_of(url, timeout=0.3)
            assert error.sent
            assert "no answer within 0.3 s" in str(error)


async def test_no_request_is_ever_repeated_not_even_a_get_on_a_stale_connection() -> None:
    heads: list[bytes] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await request_head(reader))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        heads.append(await request_head(reader))  # the second request arrives, and the connection is cut

    async with on_the_wire(once) as url, client() as http:
        assert (await http.request("GET", url)).body == b"ok"
        with pytest.raises(HttpError) as caught:
            await http.request("GET", url)
    assert caught.value.sent
    assert len(heads) == 2


async def test_each_event_loop_has_a_pool_of_its_own() -> None:
    async def ok(request: web.Request) -> web.Response:
        return web.Response(body=b"ok")

    async with serving(ok) as url, client() as http:

        async def elsewhere() -> bytes:
            answer = await http.request("GET", url)
            await http.close()
            return answer.body

        assert (await http.request("GET", url)).body == b"ok"
        assert await asyncio.to_thread(lambda: asyncio.run(elsewhere())) == b"ok"
        assert (await http.request("GET", url)).body == b"ok"
