"""HTTP/2, which APNs speaks and nothing else, and which Segue's shared client cannot: httpx, with h2."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import httpx

from segue.api import HttpError, Response

LARGEST_ANSWER: Final = 10_000
"""Bytes of an answer that are read. Apple's have fewer than a hundred."""

_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class _Line:
    """A client with its connection, and how many requests are under way on it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.busy = 0


class Connection:
    """One connection for all messages, as Apple asks. No redirect is followed, no proxy is taken from the environment,
    and no request is repeated.

    A connection on which an exchange was given up is taken out of use, and closed with its last request: what is left
    unread of an answer uses up the window that all streams of a connection share (RFC 9113, 5.2), and httpx would go on
    with it until nothing comes through any more.
    """

    def __init__(self, url: str, trusted: str | None, timeout: float) -> None:
        self._url = url
        self._host = urlsplit(url).netloc
        self._timeout = timeout
        self._context = ssl.create_default_context(cafile=trusted)
        self._line = self._open()
        self._retired: set[_Line] = set()

    async def post(self, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Ask once. Raises HttpError where there is no answer; its text names the host, never the path."""
        line = self._line
        line.busy += 1
        try:
            async with asyncio.timeout(self._timeout):
                return await self._ask(line, path, headers, body)
        except _NOT_SENT as error:
            raise HttpError(f"{self._host}: no connection: {type(error).__name__}", sent=False) from None
        except TimeoutError:
            self._retire(line)
            raise HttpError(f"{self._host}: no answer within {self._timeout:g} s", sent=True) from None
        except Exception as error:  # not all that h2 makes of a broken stream is told as an error of httpx
            self._retire(line)
            raise HttpError(f"{self._host}: the connection broke: {type(error).__name__}", sent=True) from None
        finally:
            line.busy -= 1
            if line.busy == 0 and line in self._retired:
                self._retired.discard(line)
                await line.client.aclose()

    async def close(self) -> None:
        for line in (self._line, *self._retired):
            await line.client.aclose()
        self._retired.clear()

    async def _ask(self, line: _Line, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        async with line.client.stream("POST", self._url + path, headers=dict(headers), content=body) as answer:
            read = bytearray()
            async for piece in answer.aiter_raw():
                read += piece
                if len(read) > LARGEST_ANSWER:
                    self._retire(line)
                    break
            return Response(answer.status_code, bytes(read[:LARGEST_ANSWER]), dict(answer.headers))

    def _retire(self, line: _Line) -> None:
        self._retired.add(line)
        if line is self._line:
            self._line = self._open()

    def _open(self) -> _Line:
        client = httpx.AsyncClient(
            http1=False,
            http2=True,
            verify=self._context,
            limits=httpx.Limits(max_connections=2, max_keepalive_connections=2, keepalive_expiry=600.0),
            timeout=httpx.Timeout(self._timeout),
            trust_env=False,
            follow_redirects=False,
        )
        return _Line(client)
