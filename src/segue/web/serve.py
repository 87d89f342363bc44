"""The HTTP server: uvicorn inside the daemon's own event loop, started and stopped by the daemon."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from asyncio import TimerHandle
from collections.abc import Generator
from typing import cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["HttpServer"]

LARGEST_HEAD = 64 * 1024
"""Bytes of a request's first line and headers together."""
HEAD_WITHIN = 20.0
"""Seconds in which they must have come."""
DRAIN_WITHIN = 10.0
"""Seconds that requests under way get to end when the server stops."""


class HttpServer:
    """Serves one application.

    ::

        server = HttpServer(app)
        port = await server.start("127.0.0.1", 0)
        ...
        await server.stop()
    """

    def __init__(self, app: ASGIApp) -> None:
        config = uvicorn.Config(
            app,
            http=_BoundedHttp,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=int(DRAIN_WITHIN),
        )
        self._server = _Server(config)
        self._serving: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port (the one that was free, where 0 was asked for). Raises OSError, naming the
        address, where it cannot be had."""
        listener = _listen(host, port)
        actual = cast(int, listener.getsockname()[1])
        self._serving = asyncio.create_task(self._server.serve([listener]), name="http")
        while not self._server.started:
            if self._serving.done():
                listener.close()
                await self._serving
                raise OSError(f"the HTTP server ended while it was starting on {host} port {port}")
            await asyncio.sleep(0.005)
        return actual

    async def stop(self) -> None:
        """Take no new connections, let requests under way end, close the rest. Does nothing when it isn't running."""
        if self._serving is None:
            return
        self._server.should_exit = True
        serving, self._serving = self._serving, None
        await serving


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals are the daemon's affair."""
        yield


class _BoundedHttp(HttpToolsProtocol):
    """uvicorn's protocol with two limits that it lacks: how large a request's head may be, and how long it may take.
    Without them one client that sends headers for ever holds memory and a connection for ever."""

    _head_bytes = 0
    _in_head = True
    _head_timer: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = False

    def data_received(self, data: bytes) -> None:
        # A head that begins in the middle of this data is counted from the next data on: what came before it here is
        # the end of another request.
        was_in_head = self._in_head
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        if was_in_head:
            self._head_bytes += len(data)
        if self._head_bytes > LARGEST_HEAD:
            self._refuse(b"431 Request Header Fields Too Large")
        elif self._head_timer is None:
            self._await_head()

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_WITHIN, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        self._head_timer = None
        self._refuse(b"408 Request Timeout")

    def _refuse(self, status: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise OSError(error.errno, f"cannot listen on {host} port {port}: {error.strerror or error}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"cannot listen on {host} port {port}: {error.strerror or error}") from error
    listener.setblocking(False)
    return listener
