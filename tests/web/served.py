"""The real application on a real port, with an inbox that writes down what it was given."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from prometheus_client import generate_latest

from segue.api import Callback, Event, Instant, Received, Rejection, Request, Response, Source, SourceSpec
from segue.web.app import create_app
from segue.web.endpoints import Endpoint
from segue.web.metrics import HttpMetrics
from segue.web.serve import HttpServer

NOW = Instant(1_767_225_600_000_000)
KEY = "the-key"
BASIC = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()


class NoSettings(msgspec.Struct, frozen=True):
    """A source without settings."""


class Till:
    """A source of a few lines: a JSON list of names."""

    def receive(self, request: Request, now: Instant) -> Received:
        names = json.loads(request.body)
        events = tuple(Event(message_id=name, timestamp=now, source="till", name=name) for name in names)
        return Received(events, Response(200, b"thanks", {"content-type": "text/plain"}))


def till(source: Source | None = None, **changes: Any) -> tuple[str, SourceSpec, Source]:
    opened: Source = Till() if source is None else source
    fields = {
        "name": "till",
        "doc": "Tills",
        "config": NoSettings,
        "open": lambda *_: opened,
        "routes": ("POST /till",),
    }
    spec = SourceSpec(**{**fields, **changes})
    return spec.name, spec, opened


class Answer(msgspec.Struct):
    """An answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Served:
    """A running server. ``accepted`` holds what the inbox took; set ``failure`` to make it refuse."""

    def __init__(self) -> None:
        self.accepted: list[tuple[str, tuple[Event, ...]]] = []
        self.refused: list[tuple[str, Rejection]] = []
        self.settled: list[tuple[str, Callback]] = []
        self.failure: BaseException | None = None
        self.gate: asyncio.Event | None = None
        self.state: Mapping[str, Any] = {"status": "ok"}
        self.counts = HttpMetrics()
        self.port = 0

    @property
    def events(self) -> list[Event]:
        return [event for _, events in self.accepted for event in events]

    async def accept(self, events: Sequence[Event], source: str) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        self.accepted.append((source, tuple(events)))

    def refuse(self, source: str, rejections: Sequence[Rejection]) -> None:
        self.refused += [(source, one) for one in rejections]

    async def settle(self, channel: str, callback: Callback) -> None:
        if self.failure is not None:
            raise self.failure
        self.settled.append((channel, callback))

    async def raw(self, sent: bytes, *, most: int = 1, hang_up: bool = False, within: float = 20.0) -> list[Answer]:
        """Send bytes, and read ``most`` answers, or as many as come before the server closes. ``hang_up`` ends our half
        of the connection after the bytes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        answers: list[Answer] = []
        try:
            async with asyncio.timeout(within):
                writer.write(sent)
                if hang_up:
                    writer.write_eof()
                try:
                    while len(answers) < most and (answer := await read_answer(reader)) is not None:
                        answers.append(answer)
                except ConnectionError:
                    pass
        finally:
            writer.close()
        return answers

    async def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """One request and its answer."""
        given = {"host": f"127.0.0.1:{self.port}", "connection": "close", **(headers or {})}
        if body and "content-length" not in given and "transfer-encoding" not in given:
            given["content-length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        (answer,) = await self.raw(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)
        return answer

    async def post(self, path: str, body: object, headers: Mapping[str, str] | None = None) -> Answer:
        """A POST with the write key."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.ask("POST", path, raw, {"authorization": BASIC, **(headers or {})})

    def metric(self, line: str) -> float:
        """The value of one line of the metrics, 0 where there is none."""
        for found in generate_latest(self.counts.registry).decode().splitlines():
            name, _, value = found.rpartition(" ")
            if name == line:
                return float(value)
        return 0.0


async def read_answer(reader: asyncio.StreamReader) -> Answer | None:
    """The next answer on a connection, None at its end."""
    line = await reader.readline()
    if not line:
        return None
    status = int(line.split()[1])
    headers: dict[str, str] = {}
    while (line := await reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    length = 0 if status == 204 else int(headers.get("content-length", "0"))
    return Answer(status, headers, await reader.readexactly(length))


@asynccontextmanager
async def serving(
    *sources: tuple[str, SourceSpec, Source],
    callbacks: Mapping[str, Callable[[Request], Awaitable[Callback]]] | None = None,
    pages: Iterable[Endpoint] = (),
) -> AsyncIterator[Served]:
    """A server with these sources, stopped at the end."""
    served = Served()
    app = create_app(
        sources=sources,
        accept=served.accept,
        callbacks={} if callbacks is None else callbacks,
        settle_callback=served.settle,
        health=lambda: served.state,
        metrics=lambda: generate_latest(served.counts.registry),
        now=lambda: NOW,
        counts=served.counts,
        refuse=served.refuse,
        pages=pages,
    )
    server = HttpServer(app)
    served.port = await server.start("127.0.0.1", 0)
    try:
        yield served
    finally:
        await server.stop()
