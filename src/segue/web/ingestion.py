"""Events from sources: understood by the plugin, committed by the inbox, and only then acknowledged."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from segue.api import Event, Instant, Received, Request, Response, Source, SourceSpec
from segue.runtime.busy import Busy
from segue.store.errors import StoreUnavailable
from segue.web.answers import problem, unavailable
from segue.web.endpoints import Answering, Endpoint
from segue.web.metrics import HttpMetrics

__all__ = ["Accept", "source_endpoints"]

_log = structlog.get_logger(__name__)

Accept = Callable[[Sequence[Event], str], Awaitable[None]]
"""``accept(events, source)`` returns once the events are committed; where they are not it raises Busy or
StoreUnavailable."""


def source_endpoints(
    name: str, spec: SourceSpec, source: Source, accept: Accept, now: Callable[[], Instant], metrics: HttpMetrics
) -> list[Endpoint]:
    """The endpoints of one source, by its name in segue.toml, one for each of its routes. Raises ValueError for a route
    that is none."""
    metrics.declare(name)
    answer = _answering(name, source, accept, now, metrics)

    def refused() -> None:
        metrics.rejected(name, 1)

    endpoints = []
    for route in spec.routes:
        method, _, path = route.replace("{source}", name).partition(" ")
        if not method.isupper() or not path.startswith("/"):
            raise ValueError(f"source {name}: {route!r} is no route such as 'POST /v1/track'")
        most = 0 if method in ("GET", "HEAD") else spec.body
        endpoint = Endpoint((method,), path, answer, owner=f"source {name}", most=most, cors=spec.cors, refused=refused)
        endpoints.append(endpoint)
    return endpoints


def _answering(
    name: str, source: Source, accept: Accept, now: Callable[[], Instant], metrics: HttpMetrics
) -> Answering:
    async def answer(request: Request) -> Response:
        began = time.perf_counter()
        try:
            received = source.receive(request, now())
        except RecursionError:
            metrics.rejected(name, 1)
            return problem(400, "invalid", "the body is nested too deeply")
        if not isinstance(received, Received):
            raise TypeError(f"source {name} answered with {type(received).__name__}, not with Received")
        if received.events:
            if refused := await _refused(received.events):
                return refused
            metrics.accepted(name, len(received.events), time.perf_counter() - began)
        rejected = len(received.rejections) or (1 if received.response.status >= 400 else 0)
        if rejected:
            metrics.rejected(name, rejected)
        return received.response

    async def _refused(events: Sequence[Event]) -> Response | None:
        """None once the events are committed; else the answer that makes the client send them again."""
        try:
            await accept(events, name)
        except Busy as busy:
            return unavailable(f"nothing was taken: {busy.reason}", busy.retry_after)
        except StoreUnavailable as error:
            _log.warning("events not stored", source=name, events=len(events), error=str(error))
            return unavailable("nothing was taken: the store does not answer", 5.0)
        except Exception:
            # Nothing says that the events are safe. Sent again, they are found to be duplicates if they were.
            _log.exception("events not stored", source=name, events=len(events))
            return unavailable("nothing was acknowledged: storing failed", 5.0)
        return None

    return answer
