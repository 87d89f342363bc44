"""The mixed stream over HTTP: the daemon's server in this process, a client in another, batches of 100 as SDKs send."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from segue.api import Event, Instant, Source, SourceSpec, SourceTools, to_rfc3339
from segue.api.values import HOUR
from segue.cli.benchmarks.spine import daemon
from segue.cli.benchmarks.workload import Shop
from segue.host import configure, discover
from segue.runtime import process

BATCH: Final = 100
CONNECTIONS: Final = 16


class NoSource(Exception):
    """The source plugin is not installed."""


class OverHttp(msgspec.Struct, frozen=True):
    """How many events, and how many a second were acknowledged."""

    events: int
    decided: float


def find_source() -> tuple[str, SourceSpec, Source]:
    """The Segment source, found as the daemon finds it. Raises NoSource."""
    spec = discover().sources.get("segment")
    if spec is None:
        raise NoSource("the source `segment` is not installed: `pip install segue-segment` adds events over HTTP")
    return spec.name, spec, spec.open(configure(spec.config, {}, "sources.segment"), SourceTools(source="segment"))


async def measure_over_http(folder: Path, customers: int) -> OverHttp:
    """Serve a client of its own until it has been answered for every batch. Raises NoSource."""
    from segue.web.app import create_app
    from segue.web.serve import HttpServer

    source = find_source()
    async with daemon(folder / "http.db", publish=True) as one:

        async def accept(events: Sequence[Event], _: str) -> None:
            await one.accept(events)

        async def no_callback(*_: object) -> None:
            raise RuntimeError("a benchmark has no providers")

        app = create_app(
            sources=[source],
            accept=accept,
            callbacks={},
            settle_callback=no_callback,
            health=dict,
            metrics=bytes,
            now=one.clock.look,
        )
        server = HttpServer(app)
        port = await server.start("127.0.0.1", 0)
        try:
            answer = await _run_client(port, customers)
        finally:
            await server.stop()
        if one.counts.events + one.counts.duplicates != answer["events"]:
            raise RuntimeError(f"{answer['events']} events were sent, {one.counts.events} decided")
    return OverHttp(answer["events"], answer["events"] / answer["seconds"])


async def _run_client(port: int, customers: int) -> dict[str, Any]:
    client = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "segue.cli.benchmarks.over_http",
        str(port),
        str(customers),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, problems = await client.communicate()
    if client.returncode != 0:
        raise RuntimeError(f"the client failed: {problems.decode()[-2000:]}")
    answer: dict[str, Any] = json.loads(out)
    return answer


# In the client's process


async def _send(port: int, customers: int) -> None:
    import aiohttp

    at = Instant(time.time_ns() // 1000 - HOUR)
    calls = [_call(event) for event in Shop(2).stream(0, customers, at)]
    bodies = [_body(calls[start : start + BATCH]) for start in range(0, len(calls), BATCH)]
    waiting = iter(bodies)
    url = f"http://127.0.0.1:{port}/v1/batch"
    headers = {"content-type": "application/json"}

    async def post(session: aiohttp.ClientSession) -> None:
        for body in waiting:
            async with session.post(url, data=body, headers=headers) as answer:
                if answer.status != 200:
                    raise RuntimeError(f"{answer.status}: {await answer.text()}")
                await answer.read()

    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:
        began = time.perf_counter()
        await asyncio.gather(*(post(session) for _ in range(CONNECTIONS)))
        seconds = time.perf_counter() - began
    print(json.dumps({"events": len(calls), "seconds": seconds}), flush=True)


def _call(event: Event) -> dict[str, Any]:
    """The event as Segment's server libraries post it."""
    return {
        "type": "track",
        "messageId": event.message_id,
        "userId": event.user_id,
        "event": event.name,
        "timestamp": to_rfc3339(event.timestamp),
        "context": {"library": {"name": "analytics-python", "version": "2.3.4"}},
        "properties": event.properties,
    }


def _body(calls: Sequence[dict[str, Any]]) -> bytes:
    return json.dumps({"batch": calls, "sentAt": to_rfc3339(Instant(time.time_ns() // 1000))}).encode()


if __name__ == "__main__":
    process.run(_send(int(sys.argv[1]), int(sys.argv[2])))
