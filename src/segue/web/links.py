"""The links that tell when they are opened, and the picture that tells it of a message.

Whoever opens one is sent on to where its maker had it lead: that stands inside the signed token, or behind the short
code, never in the query, so nobody can have these addresses lead elsewhere. What was opened is committed first, with
whatever else waits; where that takes too long, or cannot be, people are sent on all the same.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from segue.api import Instant, Request, Response
from segue.delivery.agents import recognise
from segue.delivery.hits import Hit, What
from segue.messages.links import CLICKS, OPENS, SHORT, TRAP, Expired, Mark, ShortLink, Tracking, location
from segue.messages.tokens import BadToken
from segue.runtime.busy import Busy
from segue.runtime.links import Links
from segue.store.errors import StoreUnavailable
from segue.web.endpoints import Answering, Endpoint
from segue.web.pages import page
from segue.web.wording import Catalogue

__all__ = ["FollowedLinks"]

_log = structlog.get_logger(__name__)

Put = Callable[[Hit], Awaitable[None]]
"""Returns once the hit is committed; raises Busy or StoreUnavailable."""
Find = Callable[[str], Awaitable[ShortLink | None]]
"""What a short code stands for."""

PATIENCE: Final = 0.5
"""Seconds that whoever opened a link waits for it to be committed; afterwards it is so without them."""
_LONGEST_CODE: Final = 32

_PICTURE: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""A GIF of one transparent pixel, the smallest picture that every mail program shows."""
_PICTURE_HEADERS: Final = {
    "content-type": "image/gif",
    "cache-control": "no-store, no-cache, must-revalidate, private, max-age=0",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
}
_REDIRECT_HEADERS: Final = {
    "cache-control": "no-store",
    # The token is the customer's: the page it leads to is not to learn it.
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
}


class FollowedLinks:
    """The endpoints. ``name`` is what customers know the shop by, ``locale`` the project's."""

    def __init__(
        self,
        links: Links,
        tracking: Tracking,
        put: Put,
        find: Find,
        words: Catalogue,
        now: Callable[[], Instant],
        *,
        name: str,
        locale: str,
    ) -> None:
        self._links = links
        self._home = tracking.home
        self._put = put
        self._find = find
        self._words = words
        self._now = now
        self._name = name
        self._locale = locale
        self._noting: set[asyncio.Future[None]] = set()

    def endpoints(self) -> list[Endpoint]:
        """One for each path. They answer also where nothing is followed any more: messages that went out stay."""
        ways: list[tuple[str, Answering]] = [
            (f"{CLICKS}{{token}}", self._click),
            (f"{OPENS}{{token}}", self._open),
            (f"{SHORT}{{code}}", self._short),
        ]
        return [Endpoint(("GET", "HEAD"), path, answer, owner="links") for path, answer in ways]

    async def _click(self, request: Request) -> Response:
        try:
            mark = self._links.mark(CLICKS, request.path.removeprefix(CLICKS), self._now())
        except Expired:
            return self._notice("expired_link", 410)
        except BadToken:
            return self._notice("bad_link", 404)
        return await self._send_on(request, mark)

    async def _short(self, request: Request) -> Response:
        code = request.path.removeprefix(SHORT)
        try:
            found = await self._find(code) if code.isalnum() and code.isascii() and len(code) <= _LONGEST_CODE else None
        except StoreUnavailable as error:
            _log.error("a short link cannot be looked up", error=str(error))
            return self._notice("later", 503)
        if found is None:
            return self._notice("bad_link", 404)
        if self._now() >= found.until:
            return self._notice("expired_link", 410)
        return await self._send_on(request, found.mark)

    async def _open(self, request: Request) -> Response:
        with contextlib.suppress(BadToken):  # a broken picture in somebody's mail helps nobody
            mark = self._links.mark(OPENS, request.path.removeprefix(OPENS), self._now())
            await self._note(request, mark, "opened")
        return Response(200, _PICTURE, _PICTURE_HEADERS)

    async def _send_on(self, request: Request, mark: Mark) -> Response:
        await self._note(request, mark, "clicked")
        target = location(mark.target)
        if not target:
            return self._notice("bad_link", 404)
        return Response(302, b"", {"location": target, **_REDIRECT_HEADERS})

    async def _note(self, request: Request, mark: Mark, what: What) -> None:
        agent = recognise(request.method, request.headers, picture=what == "opened")
        machine = agent.machine or ("it is the link that nobody can see" if mark.link == TRAP else "")
        hit = Hit(mark.key, what, mark.link, mark.links, self._now(), agent.sort, machine, mark.target)
        noting = asyncio.ensure_future(self._put(hit))
        self._noting.add(noting)
        noting.add_done_callback(self._noted)
        await asyncio.wait((noting,), timeout=PATIENCE)

    def _noted(self, noting: asyncio.Future[None]) -> None:
        self._noting.discard(noting)
        fault = None if noting.cancelled() else noting.exception()
        if fault is not None and not isinstance(fault, Busy | StoreUnavailable):
            _log.error("an open or a click was not kept", error=f"{type(fault).__name__}: {fault}")

    def _notice(self, what: str, status: int) -> Response:
        words = self._words.find(self._locale)
        other = (self._home, words.say("to_shop")) if self._home else None
        return page(
            "notice.html",
            status,
            words=words,
            name=self._name,
            title=words.say(f"{what}_title"),
            about=words.say(f"{what}_about"),
            other=other,
        )
