"""The web application: sources, callbacks, health and metrics under one roof.

It knows no store and no clock: what it needs is handed to `create_app`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from segue.api import Instant, Request, Response, Source, SourceSpec
from segue.web.answers import json_answer, problem, send_answer
from segue.web.callbacks import ReceiveCallback, SettleCallback, callback_endpoint
from segue.web.endpoints import Endpoint, Endpoints
from segue.web.ingestion import Accept, Refuse, source_endpoints
from segue.web.metrics import HttpMetrics

__all__ = ["create_app"]


def create_app(
    *,
    sources: Sequence[tuple[str, SourceSpec, Source]],
    accept: Accept,
    callbacks: Mapping[str, ReceiveCallback],
    settle_callback: SettleCallback,
    health: Callable[[], Mapping[str, Any]],
    metrics: Callable[[], bytes],
    now: Callable[[], Instant],
    counts: HttpMetrics | None = None,
    refuse: Refuse = lambda source, rejections: None,
    pages: Iterable[Endpoint] = (),
) -> Starlette:
    """The application.

    ``accept(events, source)`` and ``settle_callback(channel, callback)`` return once everything is committed; until
    then nobody is answered. They raise `segue.runtime.busy.Busy` or `segue.store.errors.StoreUnavailable` for 503 with
    Retry-After. ``refuse(source, rejections)`` is told of what was refused. ``health()`` is shown at ``/healthz`` with
    200 where its ``status`` is ``ok``, else 503. ``metrics()`` is the text for Prometheus at ``/metrics``; ``counts``
    are those of the web itself, best made in the same registry. ``sources`` are those that are called, each with its
    name in segue.toml. ``pages`` are further endpoints: what customers, and people who serve them, look at. Raises
    ValueError where two claim the same route.
    """
    counts = HttpMetrics() if counts is None else counts
    endpoints = Endpoints(counts)
    for name, spec, source in sources:
        others = {other for other, _, _ in sources} - {name}
        for endpoint in source_endpoints(name, spec, source, accept, refuse, now, counts, others):
            endpoints.add(endpoint)
    endpoints.add(callback_endpoint(callbacks, settle_callback))
    for page in pages:
        endpoints.add(page)

    async def healthz(_: Request) -> Response:
        state = health()
        return json_answer(200 if state.get("status") == "ok" else 503, state, {"cache-control": "no-store"})

    async def exposition(_: Request) -> Response:
        return Response(200, metrics(), {"content-type": CONTENT_TYPE_LATEST})

    endpoints.add(Endpoint(("GET", "HEAD"), "/healthz", healthz, owner="health"))
    endpoints.add(Endpoint(("GET", "HEAD"), "/metrics", exposition, owner="metrics"))
    return _Application(endpoints, counts)


class _Application(Starlette):
    """Starlette for all that comes later (pages, websockets), with a short way to the endpoints: most requests."""

    def __init__(self, endpoints: Endpoints, counts: HttpMetrics) -> None:
        super().__init__(routes=[endpoints])
        self._endpoints = endpoints
        self._counts = counts
        self.router.redirect_slashes = False
        self.router.default = self._nothing_here

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            table = self._endpoints.find(scope["path"])
            if table is not None:
                await self._endpoints.serve(table, scope, receive, send)
                return
        await super().__call__(scope, receive, send)

    async def _nothing_here(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.router.not_found(scope, receive, send)
            return
        answer = problem(404, "not_found", "nothing is served at this path", paths=self._endpoints.paths())
        await send_answer(send, answer)
        self._counts.answered("other", 404)
