"""Events from sources: understood by the plugin, committed by the inbox, and only then acknowledged."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog

from segue.api import Event, Instant, Received, Rejection, Request, Response, Source, SourceSpec
from segue.runtime.busy import Busy
from segue.store.errors import StoreUnavailable
from segue.web.answers import problem, unavailable
from segue.web.endpoints import Answering, Endpoint
from segue.web.metrics import HttpMetrics

__all__ = ["Accept", "Refuse", "source_endpoints"]

_log = structlog.get_logger(__name__)

Accept = Callable[[Sequence[Event], str], Awaitable[None]]
"""``accept(events, source)`` returns once the events are committed; where they are not it raises Busy or
StoreUnavailable."""

Refuse = Callable[[str, Sequence[Rejection]], None]
"""``refuse(source, rejections)`` keeps what was refused as far as it is worth keeping, and returns at once."""


def source_endpoints(
    name: str,
    spec: SourceSpec,
    source: Source,
    accept: Accept,
    refuse: Refuse,
    now: Callable[[], Instant],
    metrics: HttpMetrics,
) -> list[Endpoint]:
    """The endpoints of one source, by its name in segue.toml, one for each of its routes. Raises ValueError for a route
    that is none."""
    metrics.declare(name)
    answer = _answering(name, source, accept, refuse, now, metrics)

    def refused(bad: Response) -> None:
        metrics.rejected(name, 1)
        refuse(name, (Rejection(reason=_said(bad)),))

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
    name: str, source: Source, accept: Accept, refuse: Refuse, now: Callable[[], Instant], metrics: HttpMetrics
) -> Answering:
    async def answer(request: Request) -> Response:
        began = time.perf_counter()
        try:
            received = source.receive(request, now())
        except RecursionError:
            metrics.rejected(name, 1)
            bad = problem(400, "invalid", "the body is nested too deeply")
            refuse(name, (Rejection(reason=_said(bad), raw=request.body),))
            return bad
        if not isinstance(received, Received):
            raise TypeError(f"source {name} answered with {type(received).__name__}, not with Received")
        if received.events:
            if refused := await _refused(received.events):
                return refused
            metrics.accepted(name, len(received.events), time.perf_counter() - began)
        rejections = received.rejections
        if not rejections and received.response.status >= 400:
            rejections = (Rejection(reason=_said(received.response), raw=request.body),)
        if rejections:
            metrics.rejected(name, len(rejections))
            refuse(name, rejections)
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


class _Problem(msgspec.Struct):
    """What an answer says to people, where it is one of ours."""

    message: str


def _said(answer: Response) -> str:
    """The sentence in an answer that refuses."""
    try:
        return msgspec.json.decode(answer.body, type=_Problem).message
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        text = answer.body[:200].decode("utf-8", "replace").strip()
        return f"It was answered with {answer.status}: {text}" if text else f"It was answered with {answer.status}."
