"""Sources: where events come from.

Some are called over HTTP (``routes``): they understand a request, and Segue answers once its events are committed.
Others fetch (``fetches``): a database that is polled, a folder, a broker. What they bring is committed together with
the position up to which they came, and only then acknowledged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Protocol

import msgspec

from segue.api.events import Event
from segue.api.http import HttpClient, Request, Response
from segue.api.values import Instant


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """Something that cannot become an event: ``place`` finds it again (``orders.csv, line 7``; empty where it is the
    whole request), ``reason`` is a sentence that says what is wrong and what would be right, ``raw`` is it as it came.
    Segue keeps the newest of each source, for ``segue rejected``."""

    reason: str
    place: str = ""
    raw: bytes = b""


class Received(msgspec.Struct, frozen=True):
    """The events of a request, in order, and the answer to give once they are committed. ``rejections`` are what was
    refused inside an otherwise good request."""

    events: tuple[Event, ...]
    response: Response
    rejections: tuple[Rejection, ...] = ()


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """What a source fetched. ``position`` says, in the source's own words, where to go on from: it is committed with
    the events, and handed to `FetchingSource.fetch` the next time, also after a crash; None leaves it as it is.
    ``again`` is in how many seconds to ask next, 0 for at once."""

    events: tuple[Event, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    position: str | None = None
    again: float = 0.0


class SourceFile(msgspec.Struct, frozen=True):
    """A file of past events: its name, its content, which can be read again from any place, and when it was last
    changed."""

    name: str
    content: BinaryIO
    modified: Instant


class Source(Protocol):
    """An open source that is called over HTTP."""

    def receive(self, request: Request, now: Instant) -> Received:
        """Understand one request; pure. A bad request answers with a 4xx and no events, saying which field is wrong."""
        ...


class FetchingSource(Protocol):
    """An open source that fetches. It runs on an event loop of its own; one call is under way at a time."""

    async def fetch(self, position: str | None) -> Fetched:
        """Bring what is new, about a thousand events at the most; one that waits for news comes back without any after
        a few seconds. ``position`` is the last that was committed, None at the first time. Raising means that the other
        side cannot be reached: it is asked again later, ever less often, after `close` and a new ``open``."""
        ...

    async def settle(self, fetched: Fetched) -> None:
        """Everything of it is committed: acknowledge it to the other side, where that is its way. What was
        acknowledged but never settled comes again, and is found to be a duplicate by its message ids."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class SourceTools(msgspec.Struct, frozen=True, kw_only=True):
    """What the host lends a source: ``source``, its name in segue.toml (events carry it as their ``source``), the
    shared HTTP client, and the address under which the outside reaches this Segue (None: nothing was configured)."""

    source: str
    http: HttpClient | None = None
    url: str | None = None


class SourceSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A source that a plugin offers.

    ``config``      a msgspec Struct for ``[sources.NAME]``
    ``open``        makes the source from its configuration and its tools; a fetching one on its own event loop.
                    Libraries that take time or memory are imported there, not with the plugin
    ``routes``      the paths it answers, each a method and a path such as ``POST /hooks/{source}``; ``{source}``
                    becomes its name in segue.toml, so that two shops can use one plugin, and any other ``{name}``
                    matches one segment
    ``fetches``     whether it fetches (`FetchingSource`); it may do both
    ``body``        how large a request may be, in bytes after gzip is undone; ``cors``  whether browsers on other sites
                    may call it
    ``decode``      reads one recorded call, as in the files of ``segue replay``: from a line to the event and the
                    instant of its arrival (the lines of an order are added by Segue). It is pure, and raises ValueError
                    with a sentence that names the wrong field. None where the source's format is not one that is
                    recorded
    ``reads``       how the names of files end that it reads for ``segue import``, such as ``.csv``; and ``read``, which
                    reads one with the configuration and tools, from a position on (None: the beginning). It gives
                    pieces of about a thousand events, each with the position after it: read from there, the file
                    gives what would have come next. It raises ValueError with a sentence about a file that cannot be
                    read at all
    ``carts``       whether it reports how carts change and never that one was abandoned: Segue then has
                    ``cart_abandoned`` happen where nobody orders for an hour, or as long as the project says
    ``unasked``     whether it is open in a project whose segue.toml names no source; it then needs no settings
    """

    name: str
    doc: str
    config: type[msgspec.Struct]
    open: Callable[[Any, SourceTools], Any]
    routes: tuple[str, ...] = ()
    fetches: bool = False
    body: int = 500_000
    cors: bool = False
    decode: Callable[[bytes], tuple[Event, Instant]] | None = None
    reads: tuple[str, ...] = ()
    read: Callable[[SourceFile, Any, SourceTools, str | None], Iterator[Fetched]] | None = None
    carts: bool = False
    unasked: bool = False
    api: int = 1
