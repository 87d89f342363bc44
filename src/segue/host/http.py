"""The HTTP client that channels share, on aiohttp."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Final

import aiohttp
import yarl

from segue import __version__
from segue.api import ForbiddenAddress, HttpError, Response
from segue.host.guard import Forbidden, Guard, GuardedResolver

LARGEST_ANSWER: Final = 1_000_000
"""Bytes of an answer that are read; what follows is dropped together with the connection."""

_SCHEMES: Final = ("http", "https")


class _Progress(SimpleNamespace):
    """How far one exchange has come."""

    begun: bool = False


class _SecondAttempt(aiohttp.ClientError):
    """aiohttp was about to repeat a request by itself."""


class AiohttpClient:
    """`segue.api.HttpClient`: a pool for each event loop that uses it, so that channels on their threads share nothing.

    No redirect is followed (a provider that moves is a matter for its operator, and a redirect could lead into the
    local network), no cookie is kept, no proxy is taken from the environment, and no request is ever repeated: aiohttp
    would send a GET again when a kept-alive connection turns out to be closed, and a second SMS with it.

    Error texts name the host and never the path or query, where some providers want their keys.
    """

    def __init__(self, connections: int = 100, guard: Guard | None = None) -> None:
        self._connections = connections
        self._guard = guard
        self._guarded: dict[tuple[str, ...], AiohttpClient] = {}
        self._sessions: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession]
        self._sessions = weakref.WeakKeyDictionary()

    def guarded(self, allow: Sequence[str] = ()) -> AiohttpClient:
        """See `segue.api.Tools.guarded`. It has connections of its own: one that was made unguarded is not used."""
        networks = tuple(allow)
        if networks not in self._guarded:
            self._guarded[networks] = AiohttpClient(self._connections, Guard(networks))
        return self._guarded[networks]

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
        """Ask once; see `segue.api.HttpClient`."""
        try:
            target = yarl.URL(url)
            if target.scheme not in _SCHEMES or not target.host:
                raise ValueError
        except (ValueError, TypeError):
            raise HttpError("the address is not one of http or https", sent=False) from None
        where = f"{target.scheme}://{target.host}:{target.port}"
        if self._guard is not None and (target.raw_user is not None or target.raw_password is not None):
            raise ForbiddenAddress(f"{where}: the address names a user, as no address does that others may choose")
        progress = _Progress()
        try:
            async with asyncio.timeout(timeout):
                return await self._ask(method, target, progress, query=query, headers=headers, body=body)
        except TimeoutError:
            raise HttpError(f"{where}: no answer within {timeout:g} s", sent=progress.begun) from None
        except (aiohttp.ClientError, OSError, EOFError) as error:
            if isinstance(error.__cause__, Forbidden):
                raise ForbiddenAddress(f"{where}: {error.__cause__}") from None
            if self._guard is not None and isinstance(error, aiohttp.InvalidURL):
                raise ForbiddenAddress(f"{where}: no address on the Internet is spelt like this") from None
            raise HttpError(f"{where}: {_in_words(error)}", sent=progress.begun) from None
        except (ValueError, TypeError) as error:
            # A line break in a header, a name that is no host name: found before anything is written, if at all.
            raise HttpError(
                f"{where}: the request cannot be made: {type(error).__name__}", sent=progress.begun
            ) from None

    async def _ask(
        self,
        method: str,
        target: yarl.URL,
        progress: _Progress,
        *,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        body: bytes | None,
    ) -> Response:
        session = self._session()
        async with session.request(
            method,
            target,
            params=query,
            headers=headers,
            data=body,
            allow_redirects=False,
            trace_request_ctx=progress,
        ) as answer:
            pieces: list[bytes] = []
            size = 0
            while size < LARGEST_ANSWER and (piece := await answer.content.read(LARGEST_ANSWER - size)):
                pieces.append(piece)
                size += len(piece)
            if not answer.content.at_eof():
                answer.close()
            names = dict.fromkeys(name.lower() for name in answer.headers)
            found = {name: ", ".join(answer.headers.getall(name)) for name in names}
            return Response(answer.status, b"".join(pieces), found)

    def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None or session.closed:
            trace = aiohttp.TraceConfig()
            trace.on_request_headers_sent.append(_mark)
            trace.freeze()
            session = aiohttp.ClientSession(
                connector=self._connector(),
                cookie_jar=aiohttp.DummyCookieJar(),
                # Answers come as they are: a small gzip could unfold to gigabytes.
                auto_decompress=False,
                headers={"Accept-Encoding": "identity", "User-Agent": f"Segue/{__version__}"},
                timeout=aiohttp.ClientTimeout(total=None),
                trace_configs=[trace],
                trust_env=False,
            )
            self._sessions[loop] = session
        return session

    def _connector(self) -> aiohttp.TCPConnector:
        if self._guard is None:
            return aiohttp.TCPConnector(limit=self._connections)
        return aiohttp.TCPConnector(
            limit=self._connections, resolver=GuardedResolver(self._guard), socket_factory=self._guard.open_socket
        )

    async def close(self) -> None:
        """Close the connections of the running loop; those of other loops are theirs to close."""
        for client in tuple(self._guarded.values()):
            await client.close()
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()


async def _mark(
    session: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestHeadersSentParams
) -> None:
    """Called when there is a connection and the first byte is about to go."""
    progress = context.trace_request_ctx
    if progress.begun:
        raise _SecondAttempt
    progress.begun = True


def _in_words(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "the host name is not known"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return "TLS failed: the certificate or the protocol was not accepted"
        case aiohttp.ClientConnectorError():
            return f"no connection: {error.os_error.strerror or type(error.os_error).__name__}"
        case aiohttp.ServerDisconnectedError() | ConnectionResetError() | _SecondAttempt():
            return "the connection was closed before the answer came"
        case aiohttp.ClientPayloadError():
            return "the answer was cut off"
        case aiohttp.ClientResponseError():
            return "the answer is not HTTP that can be read"
        case aiohttp.ServerTimeoutError():
            return "the connection took too long"
        case OSError():
            return error.strerror or type(error).__name__
        case _:
            return type(error).__name__
