"""Events from sources: understood by the plugin, committed by the inbox, and only then acknowledged."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

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

MOST_EVENTS: Final = 20_000
"""Events that one call may bring: they are committed together, and meanwhile all others wait."""

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
    others: Collection[str] = (),
) -> list[Endpoint]:
    """The endpoints of one source, by its name in segue.toml, one for each of its routes; ``others`` are the names of
    the project's other sources. Raises ValueError for a route that is none."""
    metrics.declare(name)
    answer = _answering(name, source, accept, refuse, now, metrics, tuple(f"{other}/" for other in others))

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
    name: str,
    source: Source,
    accept: Accept,
    refuse: Refuse,
    now: Callable[[], Instant],
    metrics: HttpMetrics,
    foreign: tuple[str, ...],
) -> Answering:
    def turn_away(request: Request, bad: Response) -> Response:
        metrics.rejected(name, 1)
        refuse(name, (Rejection(reason=_said(bad), raw=request.body),))
        return bad

    async def answer(request: Request) -> Response:
        began = time.perf_counter()
        try:
            received = source.receive(request, now())
        except RecursionError:
            return turn_away(request, problem(400, "invalid", "the body is nested too deeply"))
        if not isinstance(received, Received):
            raise TypeError(f"source {name} answered with {type(received).__name__}, not with Received")
        if len(received.events) > MOST_EVENTS:
            said = (
                f"brings {len(received.events):,} events, the lines of orders among them; it may bring {MOST_EVENTS:,}"
            )
            return turn_away(request, problem(413, "too_large", f"the request {said}"))
        events, rejections = _own(received.events, foreign)
        if events:
            if refused := await _refused(events):
                return refused
            metrics.accepted(name, len(events), time.perf_counter() - began)
        rejections += received.rejections
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


def _own(events: tuple[Event, ...], foreign: tuple[str, ...]) -> tuple[tuple[Event, ...], tuple[Rejection, ...]]:
    """The events without those under a message id of another source: whoever may call this one could have the events
    of a shop, whose orders are numbered, taken for duplicates before they come. And why those are refused."""
    if not foreign or not any(event.message_id.startswith(foreign) for event in events):
        return events, ()
    reason = "Its message id begins as those of another source do, with that source's name and a slash."
    kept = tuple(event for event in events if not event.message_id.startswith(foreign))
    refused = (
        Rejection(place=event.message_id, reason=reason, raw=msgspec.json.encode(event))
        for event in events
        if event.message_id.startswith(foreign)
    )
    return kept, tuple(refused)


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
