"""The guarded client: what others chose to be called leads nowhere but outside."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from segue.api import ForbiddenAddress, HttpError, Tools
from segue.host.guard import Guard
from segue.host.http import AiohttpClient

Resolved = list[tuple[Any, ...]]


@asynccontextmanager
async def serving(location: str = "") -> AsyncIterator[tuple[int, list[str]]]:
    """A server on loopback: its port, and the paths that it was asked for."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=302 if location else 200, headers={"Location": location} if location else {})

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1], asked
    finally:
        await runner.cleanup()


@asynccontextmanager
async def client() -> AsyncIterator[AiohttpClient]:
    made = AiohttpClient()
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """What names point to: for each the answers to give, one after another, the last for ever."""
    known: dict[str, list[list[str]]] = {}
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *rest: Any, **more: Any) -> Resolved:
        if host not in known:
            return list(real(host, port, *rest, **more))
        answers = known[host]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0177.0.0.1",
        "2130706433",
        "0",
        "127.0.0.1.",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "１２７.0.0.1",
        "169.254.169.254",
        "[fe80::1%25lo]",
    ],
)
async def test_an_address_inside_is_refused_however_it_is_spelt(host: str) -> None:
    async with serving() as (port, asked), client() as http:
        with pytest.raises(ForbiddenAddress) as caught:
            await http.guarded().request("POST", f"http://{host}:{port}/hook", body=b"x")
        assert not caught.value.sent
        assert asked == []


@pytest.mark.asyncio
@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f.1", "[::ffff:127.0.0.1]", "localhost"])
async def test_the_same_address_is_reached_where_its_network_is_allowed(host: str) -> None:
    """So the refusals above are the guard's, and no accident of how an address is spelt."""
    async with serving() as (port, asked), client() as http:
        guarded = http.guarded(["127.0.0.0/8"])
        assert (await guarded.request("POST", f"http://{host}:{port}/hook")).status == 200
        assert asked == ["/hook"]


@pytest.mark.asyncio
async def test_a_name_that_points_inside_is_refused(names: dict[str, list[list[str]]]) -> None:
    names["hooks.example.test"] = [["127.0.0.1"]]
    async with serving() as (port, asked), client() as http:
        with pytest.raises(ForbiddenAddress, match=r"127\.0\.0\.1 is not a public address"):
            await http.guarded().request("POST", f"http://hooks.example.test:{port}/hook")
        assert asked == []


@pytest.mark.asyncio
async def test_a_name_that_points_elsewhere_a_moment_later_gains_nothing(names: dict[str, list[list[str]]]) -> None:
    """DNS rebinding: the address that was looked at is the one that is connected to, and each look is a new test."""
    names["rebound.example.test"] = [["192.0.2.1"], ["127.0.0.1"]]
    async with serving() as (port, asked), client() as http:
        guarded = http.guarded(["192.0.2.0/24"])
        for _ in range(2):
            with pytest.raises(HttpError):
                await guarded.request("POST", f"http://rebound.example.test:{port}/hook", timeout=0.2)
        assert asked == []


@pytest.mark.asyncio
async def test_of_several_addresses_only_the_public_ones_are_tried(names: dict[str, list[list[str]]]) -> None:
    names["both.example.test"] = [["10.0.0.1", "127.0.0.1"]]
    async with serving() as (port, asked), client() as http:
        assert (await http.guarded(["127.0.0.1/32"]).request("GET", f"http://both.example.test:{port}/x")).status == 200
        assert asked == ["/x"]


@pytest.mark.asyncio
async def test_the_socket_itself_is_looked_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where the resolver let an address through: the guard that opens sockets knows no names."""
    looked_at: list[str] = []
    real = Guard.require

    def once(self: Guard, address: str) -> None:
        looked_at.append(address)
        if len(looked_at) > 1:
            real(self, address)

    monkeypatch.setattr(Guard, "require", once)
    async with serving() as (port, asked), client() as http:
        with pytest.raises(ForbiddenAddress):
            await http.guarded().request("GET", f"http://localhost:{port}/x")
        assert len(looked_at) >= 2
        assert asked == []


@pytest.mark.asyncio
async def test_a_redirect_is_returned_and_not_followed() -> None:
    async with (
        serving() as (inside, reached),
        serving(f"http://127.0.0.1:{inside}/secret") as (port, _),
        client() as http,
    ):
        answer = await http.guarded(["127.0.0.1/32"]).request("POST", f"http://127.0.0.1:{port}/hook")
    assert answer.status == 302
    assert reached == []


@pytest.mark.asyncio
@pytest.mark.parametrize("user", ["user@", "user:password@", ":@", "example.com@"])
async def test_an_address_with_a_user_is_refused(user: str) -> None:
    async with client() as http:
        with pytest.raises(ForbiddenAddress, match="names a user"):
            await http.guarded(["127.0.0.1/32"]).request("GET", f"http://{user}127.0.0.1:9/")


@pytest.mark.asyncio
async def test_a_connection_that_was_made_unguarded_is_not_used_again() -> None:
    async with serving() as (port, asked), client() as http:
        assert (await http.request("GET", f"http://127.0.0.1:{port}/open")).status == 200
        with pytest.raises(ForbiddenAddress):
            await http.guarded().request("GET", f"http://127.0.0.1:{port}/guarded")
        assert asked == ["/open"]
        assert http.guarded() is http.guarded([])


@pytest.mark.asyncio
async def test_closing_the_client_closes_the_guarded_ones() -> None:
    http = AiohttpClient()
    async with serving() as (port, _):
        guarded = http.guarded(["127.0.0.1/32"])
        await guarded.request("GET", f"http://127.0.0.1:{port}/")
        session = guarded._session()
        await http.close()
        assert session.closed
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::8.8.8.8", True),
        ("10.1.2.3", False),
        ("172.31.0.1", False),
        ("172.32.0.1", True),
        ("192.168.1.1", False),
        ("100.100.100.200", False),
        ("168.63.129.16", False),
        ("192.0.0.192", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("::127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::10.0.0.1", False),
        ("64:ff9b:1::8.8.8.8", False),
        ("fe80::1", False),
        ("fe80::1%2", False),
        ("fec0::1", False),
        ("fd00:ec2::254", False),
        ("ff02::1", False),
        ("2001::7f00:1", False),
        ("2001:db8::1", False),
        ("junk", False),
        ("", False),
    ],
)
def test_only_public_addresses_may_be_called(address: str, good: bool) -> None:
    if good:
        Guard().require(address)
    else:
        with pytest.raises(OSError, match="is not a public address"):
            Guard().require(address)


def test_networks_that_are_allowed_are_no_others() -> None:
    guard = Guard(["10.0.0.0/8", "fd00::/8"])
    guard.require("10.255.0.1")
    guard.require("::ffff:10.0.0.1")
    guard.require("fd00:ec2::254")
    for address in ("11.0.0.1", "8.8.8.8"):
        guard.require(address)
    for address in ("127.0.0.1", "fe80::1", "192.168.0.1"):
        with pytest.raises(OSError, match="is not a public address"):
            guard.require(address)


@pytest.mark.parametrize("network", ["10.0.0.1/8", "everything", "", "10.0.0.0/33"])
def test_what_is_no_network_is_refused_in_words(network: str) -> None:
    with pytest.raises(ValueError, match=r"write one as in 10\.0\.0\.0/8"):
        AiohttpClient().guarded([network])


def test_a_host_that_cannot_guard_says_so_and_lends_nothing() -> None:
    class Plain:
        request = AiohttpClient.request

    with pytest.raises(ValueError, match="no client that can be guarded"):
        Tools(channel="x", http=Plain()).guarded()
