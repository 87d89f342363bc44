"""Who answers a request: a table of paths, looked up rather than searched, each with its methods.

All stand behind one guard, which turns whatever goes wrong into an answer: a client's fault is a 4xx, ours a 5xx that
is logged, and neither is ever an acknowledgement.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

import structlog
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from segue.api import Request, Response
from segue.web.answers import CORS, BadRequest, problem, send_answer
from segue.web.bodies import ClientGone, read_body
from segue.web.metrics import HttpMetrics

__all__ = ["Answering", "Endpoint", "Endpoints"]

_log = structlog.get_logger(__name__)

Answering = Callable[[Request], Awaitable[Response]]
"""What an endpoint does with a request that was read: an answer, always."""

_PREFLIGHT = (
    *CORS,
    # A star does not cover Authorization (Fetch standard, section 4.9).
    (b"access-control-allow-headers", b"*, Authorization"),
    (b"access-control-max-age", b"86400"),
)


class Endpoint:
    """One route: ``path`` may hold ``{name}`` for one segment; ``most`` is the largest body in bytes. ``refused`` is
    called with the answer to each request that never came to ``answer``, since it could not be read."""

    def __init__(
        self,
        methods: tuple[str, ...],
        path: str,
        answer: Answering,
        *,
        owner: str,
        most: int = 0,
        cors: bool = False,
        refused: Callable[[Response], None] | None = None,
    ) -> None:
        self.methods = methods
        self.path = path
        self.answer = answer
        self.owner = owner
        self.most = most
        self.cors = cors
        self.refused = refused


class Endpoints(BaseRoute):
    """All endpoints, as one route of the application. Raises ValueError where two claim the same method and path."""

    def __init__(self, metrics: HttpMetrics) -> None:
        self._metrics = metrics
        self._exact: dict[str, dict[str, Endpoint]] = {}
        self._patterns: dict[str, tuple[re.Pattern[str], dict[str, Endpoint]]] = {}

    def add(self, endpoint: Endpoint) -> None:
        if "{" in endpoint.path:
            parts = re.split(r"(\{\w+\})", endpoint.path)
            pattern = "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in parts)
            table = self._patterns.setdefault(endpoint.path, (re.compile(pattern), {}))[1]
        else:
            table = self._exact.setdefault(endpoint.path, {})
        for method in endpoint.methods:
            if (other := table.get(method)) is not None:
                raise ValueError(f"{method} {endpoint.path} is claimed by {other.owner} and by {endpoint.owner}")
            table[method] = endpoint

    def paths(self) -> list[str]:
        """Every route, as text: ``POST /v1/track``."""
        tables = [*self._exact.items(), *((path, table) for path, (_, table) in self._patterns.items())]
        return sorted(f"{method} {path}" for path, table in tables for method in table if method != "HEAD")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and (table := self.find(scope["path"])) is not None:
            return Match.FULL, {"endpoint": table}
        return Match.NONE, {}

    def find(self, path: str) -> dict[str, Endpoint] | None:
        """The endpoints of a path by method, None where there are none."""
        table = self._exact.get(path)
        if table is None:
            for pattern, candidates in self._patterns.values():
                if pattern.fullmatch(path):
                    return candidates
        return table

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.serve(scope["endpoint"], scope, receive, send)

    async def serve(self, table: dict[str, Endpoint], scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request whose path is known."""
        method = scope["method"]
        endpoint = table.get(method)
        if endpoint is None:
            await self._other_method(table, method, send)
            return
        try:
            answer = await self._answer(endpoint, scope, receive)
        except ClientGone:
            return
        extra = CORS if endpoint.cors else ()
        try:
            await send_answer(send, answer, extra)
        except ValueError as error:
            _log.error("answer not sendable", route=endpoint.path, owner=endpoint.owner, error=str(error))
            answer = _our_fault()
            await send_answer(send, answer, extra)
        self._metrics.answered(endpoint.path, answer.status)

    async def _answer(self, endpoint: Endpoint, scope: Scope, receive: Receive) -> Response:
        try:
            headers = _headers(scope)
            body = await read_body(receive, headers, endpoint.most) if endpoint.most else b""
            query = scope["query_string"]
            request = Request(
                method=scope["method"],
                path=scope["path"],
                headers=headers,
                query=dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {},
                body=body,
                client=scope["client"][0] if scope.get("client") else "",
            )
            return await endpoint.answer(request)
        except BadRequest as bad:
            if endpoint.refused is not None:
                endpoint.refused(bad.answer)
            return bad.answer
        except ClientGone:
            raise
        except Exception:
            _log.exception("request failed", route=endpoint.path, owner=endpoint.owner)
            return _our_fault()

    async def _other_method(self, table: dict[str, Endpoint], method: str, send: Send) -> None:
        endpoint = next(iter(table.values()))
        allowed = ", ".join(sorted({*table, "OPTIONS"}))
        if method == "OPTIONS":
            answer = Response(204, headers={"allow": allowed})
            if endpoint.cors:
                methods = (b"access-control-allow-methods", allowed.encode())
                await send_answer(send, answer, (*_PREFLIGHT, methods))
            else:
                await send_answer(send, answer)
        else:
            answer = problem(
                405,
                "method_not_allowed",
                f"{method} is not answered at {endpoint.path}: use {allowed}",
                {"allow": allowed},
            )
            await send_answer(send, answer, CORS if endpoint.cors else ())
        self._metrics.answered(endpoint.path, answer.status)


def _headers(scope: Scope) -> dict[str, str]:
    """Headers by lower-case name; of a repeated one the values joined, as RFC 9110, section 5.3 has it."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1")
        value = raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _our_fault() -> Response:
    return problem(500, "internal", "this failed on our side and is in the log here: send it again")
