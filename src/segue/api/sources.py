"""Sources: where events come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from segue.api.events import Event
from segue.api.http import Request, Response
from segue.api.values import Instant


class Received(msgspec.Struct, frozen=True):
    """The events of a request, in order, and the answer to give once they are committed.

    ``rejected`` counts what was refused inside an otherwise good request, for the metric.
    """

    events: tuple[Event, ...]
    response: Response
    rejected: int = 0


class Source(Protocol):
    """An open source that is pushed to over HTTP."""

    def receive(self, request: Request, now: Instant) -> Received:
        """Understand one request; pure. A bad request answers with a 4xx and no events, saying which field is wrong."""
        ...


class SourceSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A source that a plugin offers.

    ``config`` is a msgspec Struct for ``[sources.NAME]``. ``routes`` are the paths it answers, each a
    method and a path such as ``POST /v1/track``; ``{name}`` matches one segment. ``body`` and ``cors`` say how large a
    request may be, in bytes after gzip is undone, and whether browsers on other sites may call it.
    ``decode`` reads one recorded call, as in the files of ``segue replay``: from a line to the event and the instant of
    its arrival. It is pure, and raises ValueError with a sentence that names the wrong field. None where the source's
    format is not one that is recorded.
    """

    name: str
    doc: str
    config: type[msgspec.Struct]
    open: Callable[[Any], Source]
    routes: tuple[str, ...]
    body: int = 500_000
    cors: bool = False
    decode: Callable[[bytes], tuple[Event, Instant]] | None = None
    api: int = 1
