"""Reactions given by hand."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
import pytest

from segue.api import Callback, HttpError, Request, Response, Tools
from segue_console import Config, ConsoleChannel, segue_channels

KEY = "0123456789abcdef0123456789abcdef"


class NoNetwork:
    """The console calls nobody."""

    async def request(self, method: str, url: str, **options: Any) -> Response:
        raise HttpError(f"the console asked for {url}", sent=False)


def call(body: object, method: str = "POST") -> Callback:
    channel = ConsoleChannel(Config(), Tools(channel="email", http=NoNetwork()))
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return asyncio.run(channel.receive(Request(method, "/callbacks/email", {}, {}, raw)))


@pytest.mark.parametrize("what", ["opened", "clicked", "replied", "delivered"])
def test_a_reaction_is_reported_for_the_message_it_names(what: str) -> None:
    found = call({"key": KEY, "what": what})
    assert found.response.status == 202
    (report,) = found.reports
    assert (report.key, report.what) == (KEY, what)


def test_a_reaction_happened_when_it_arrives_also_where_time_is_compressed() -> None:
    (report,) = call({"key": KEY, "what": "opened"}).reports
    assert report.at > (time.time_ns() // 1000) * 1000  # as late as can be: Segue makes its own present of it


def test_what_rules_may_ask_for_is_what_can_be_said() -> None:
    (spec,) = segue_channels()
    assert spec.reactions
    for what in spec.reactions:
        assert call({"key": KEY, "what": what}).reports


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"key": KEY, "what": "undelivered"}, 400),
        ({"key": KEY}, 400),
        ({"key": 7, "what": "opened"}, 400),
        ({"key": KEY, "what": "opened", "more": 1}, 400),
        (b"", 400),
        (b"\xff\xfe", 400),
        (b"[" * 5000, 400),
        (b" " * 20_000, 413),
    ],
)
def test_what_is_no_reaction_is_refused_and_says_why(body: object, status: int) -> None:
    found = call(body)
    assert (found.reports, found.response.status) == ((), status)
    assert found.response.body.endswith(b"\n")


def test_a_reaction_is_posted() -> None:
    assert call({"key": KEY, "what": "opened"}, "GET").response.status == 405
