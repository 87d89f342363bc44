"""HTTP as plugins see it: requests that reach Segue for them, and a client for the calls they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

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


class ForbiddenAddress(HttpError):
    """A guarded client was asked for an address that it may not call. Nothing was sent, and nothing ever will be there
    unless the settings allow it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, sent=False)


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


@runtime_checkable
class GuardsAddresses(Protocol):
    """A client that can be had guarded, as the host's can; `segue.api.Tools.guarded` asks it."""

    def guarded(self, allow: Sequence[str] = ()) -> HttpClient:
        """A client that calls public addresses only, and those in the networks ``allow``. Raises ValueError where one
        of these is no network."""
        ...
