"""HTTP as plugins see it: requests that reach Segue for them, and a client for the calls they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec


class Request(msgspec.Struct, frozen=True):
    """A request that arrived. ``path`` starts with ``/``; header names are lower case; ``body`` is as it
    came over the wire (still gzipped if the client gzipped it: ``inflate`` of the core has already undone it
    where the header said so). ``client`` is the network address of whoever called, a proxy's where one stands between;
    empty where it is not known."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    client: str = ""


class Response(msgspec.Struct, frozen=True):
    """An answer: to a request that arrived, or from a provider that was called."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


class HttpError(Exception):
    """The provider could not be asked, or did not answer. ``sent`` tells whether the request may have
    reached it: when True the outcome is unknown, when False it certainly did not."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class HttpClient(Protocol):
    """The one HTTP client that channels share: pooled, with time-outs, and no redirects followed."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = 30.0,
    ) -> Response:
        """Ask once. Answers of any status are returned; raises HttpError where there is none.
        ``timeout`` is in seconds and covers the whole exchange. At most 1 MB of the answer is read."""
        ...
