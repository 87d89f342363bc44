"""A provider that takes every message over HTTP, in a process of its own: it answers as a Kannel gateway does, and
reads no more of a request than where it ends. ``python -m segue.cli.benchmarks.http_sink`` prints its port, and, once
its input is closed, how many it took and the seconds of CPU that it used."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Final, cast

_ANSWER: Final = (
    b"HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\nContent-Length: 24\r\n\r\n0: Accepted for delivery"
)


class _Taking(asyncio.Protocol):
    taken = 0

    def __init__(self) -> None:
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        *whole, self._rest = (self._rest + data).split(b"\r\n\r\n")
        _Taking.taken += len(whole)
        if whole and self._transport is not None:
            self._transport.write(_ANSWER * len(whole))


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Taking, "127.0.0.1", 0, backlog=1000)
    began = time.process_time()
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps({"taken": _Taking.taken, "cpu": time.process_time() - began}), flush=True)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())
