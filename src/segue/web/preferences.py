"""The pages that the links of messages lead to: preferences, unsubscribing with one click, confirming a subscription.

A link is all it takes, without login, and a GET changes nothing: mail scanners open every link (RFC 8058, section 1).
Since a link is a secret that no other site knows, nobody else can have a browser post to it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from email.message import Message
from email.parser import BytesParser
from hashlib import blake2b
from typing import Final, Literal
from urllib.parse import parse_qsl

import structlog

from segue.api import Event, Instant, Request, Response
from segue.customers.wishes import FREQUENCIES
from segue.messages.links import TRAIT
from segue.messages.tokens import BadToken
from segue.runtime.busy import Busy
from segue.runtime.links import PATHS, Links, Purpose
from segue.runtime.preferences import (
    ANY,
    Change,
    Choices,
    Proof,
    events_of,
    unsubscribe,
    wishes,
)
from segue.store.errors import StoreUnavailable
from segue.web.endpoints import Answering, Endpoint
from segue.web.pages import page
from segue.web.wording import Catalogue, Words

__all__ = ["CustomerPages"]

_log = structlog.get_logger(__name__)

Look = Callable[[str], Awaitable[Choices | None]]
"""What the holder of the link of a message, by its key, sees."""
Take = Callable[[Sequence[Event]], Awaitable[None]]
"""Returns once the events are committed; raises Busy or StoreUnavailable."""

LARGEST: Final = 16_384
"""Bytes of a form that is posted. Ours are far smaller."""
_MOST_FIELDS: Final = 300
_ONE_CLICK: Final = ("List-Unsubscribe", "One-Click")
_SOURCES: Final[dict[Purpose, str]] = {
    "preferences": "preference page",
    "unsubscribe": "unsubscribe link",
    "confirm": "confirmation link",
}
"""What the ledger names as the source of what was said there."""
_CONFIRM: Final = ("confirm", "yes")
_FOLLOWED: Final = "tracking"
"""The switch beside those of kinds and channels, whose names have a point in them."""
_TOKEN: Final = re.compile(r"/[puc]/([^/]+)")

Form = list[tuple[str, str]]
Answer = Callable[[Request, Choices, Words], Awaitable[Response]]


class CustomerPages:
    """The pages, as endpoints. ``name`` is what customers know the shop by."""

    def __init__(
        self,
        links: Links,
        look: Look,
        take: Take,
        words: Catalogue,
        now: Callable[[], Instant],
        *,
        name: str,
        locale: str,
    ) -> None:
        self._links = links
        self._look = look
        self._take = take
        self._words = words
        self._now = now
        self._name = name
        self._locale = locale

    def endpoints(self) -> list[Endpoint]:
        """One for reading and one for writing, for each purpose."""
        ways: list[tuple[Purpose, Answer, Answer]] = [
            ("preferences", self._show_preferences, self._save_preferences),
            ("unsubscribe", self._ask_to_unsubscribe, self._unsubscribe),
            ("confirm", self._ask_to_confirm, self._confirm),
        ]
        found: list[Endpoint] = []
        for purpose, show, act in ways:
            path = PATHS[purpose] + "{token}"
            found.append(Endpoint(("GET", "HEAD"), path, self._answering(purpose, show), owner="customer pages"))
            found.append(Endpoint(("POST",), path, self._answering(purpose, act), owner="customer pages", most=LARGEST))
        return found

    def _answering(self, purpose: Purpose, answer: Answer) -> Answering:
        async def endpoint(request: Request) -> Response:
            words = self._words.find(self._locale)
            match = _TOKEN.fullmatch(request.path)
            try:
                key = self._links.read(purpose, match.group(1) if match else "")
                choices = await self._look(key)
                if choices is None:
                    return self._notice(words, "bad_link", 404)
                words = self._words.find(choices.locale)
                return await answer(request, choices, words)
            except BadToken:
                return self._notice(words, "bad_link", 404)
            except _NoForm as wrong:
                _log.info("a form cannot be read", reason=str(wrong))
                return self._notice(words, "nothing_changed", 400)
            except (Busy, StoreUnavailable) as error:
                _log.error("what a customer chose cannot be kept", error=str(error))
                return self._notice(words, "later", 503, {"retry-after": "60"})

        return endpoint

    # Preferences

    async def _show_preferences(self, request: Request, choices: Choices, words: Words) -> Response:
        known: dict[str, Literal["saved", "nothing_changed"]] = {"yes": "saved", "no": "nothing_changed"}
        return page(
            "preferences.html",
            words=words,
            name=self._name,
            title=words.say("title"),
            choices=choices,
            followed=self._followed(choices),
            said=known.get(request.query.get("saved", "")),
            frequencies=(ANY, *FREQUENCIES),
        )

    async def _save_preferences(self, request: Request, choices: Choices, words: Words) -> Response:
        form = _read_form(request)
        traits: dict[str, str | bool | None] = {}
        if ("do", "none") in form:
            changes = unsubscribe(choices, ANY)
        else:
            shown = {value for name, value in form if name == "shown"}
            wanted = {value for name, value in form if name == "yes"}
            changes = [
                Change(way.channel, choice.kind, "granted" if wanted_now else "withdrawn")
                for choice in choices.kinds
                for way in choice.ways
                if (field := f"{choice.kind}.{way.channel}") in shown and way.hindrance in ("", "pending")
                if (wanted_now := field in wanted) != way.comes
            ]
            if _FOLLOWED in shown and (followed := _FOLLOWED in wanted) != self._followed(choices):
                traits[TRAIT] = followed
            written = dict(form)
            for choice in choices.kinds:
                traits |= wishes(
                    choices,
                    choice.kind,
                    written.get(f"preferred.{choice.kind}", choice.preferred),
                    written.get(f"frequency.{choice.kind}", choice.frequency),
                )
        await self._say(request, "preferences", choices, words, changes, traits)
        # Relative to itself: behind whatever prefix the page was opened, and never to another site.
        return Response(303, headers={"location": f"?saved={'yes' if changes or traits else 'no'}", **_NO_STORE})

    # Unsubscribing

    async def _ask_to_unsubscribe(self, request: Request, choices: Choices, words: Words) -> Response:
        return page(
            "question.html",
            words=words,
            name=self._name,
            title=words.say("unsubscribe_title"),
            about=words.say("unsubscribe_about", by=words.by(choices.channel)),
            kinds=(),
            address=choices.address,
            field=_ONE_CLICK,
            do=words.say("unsubscribe_do"),
            other=(self._to_preferences(choices), words.say("choose_instead")),
            note="",
        )

    async def _unsubscribe(self, request: Request, choices: Choices, words: Words) -> Response:
        if _ONE_CLICK not in _read_form(request):
            raise _NoForm("it does not say List-Unsubscribe=One-Click")
        await self._say(request, "unsubscribe", choices, words, unsubscribe(choices, choices.channel))
        return self._notice(
            words,
            "unsubscribed",
            other=(self._to_preferences(choices), words.say("choose_more")),
            by=words.by(choices.channel),
        )

    # Confirming

    async def _ask_to_confirm(self, request: Request, choices: Choices, words: Words) -> Response:
        if not _to_confirm(choices):
            return self._nothing_to_confirm(choices, words)
        return page(
            "question.html",
            words=words,
            name=self._name,
            title=words.say("confirm_title"),
            about=words.say("confirm_about", by=words.by(choices.channel)),
            kinds=_to_confirm(choices),
            address=choices.address,
            field=_CONFIRM,
            do=words.say("confirm_do"),
            other=None,
            note=words.say("confirm_not"),
        )

    async def _confirm(self, request: Request, choices: Choices, words: Words) -> Response:
        if _CONFIRM not in _read_form(request):
            raise _NoForm("it does not say confirm=yes")
        waiting = _to_confirm(choices)
        if not waiting:
            return self._nothing_to_confirm(choices, words)
        changes = [Change(choices.channel, kind, "granted") for kind in waiting]
        await self._say(request, "confirm", choices, words, changes)
        other = (self._to_preferences(choices), words.say("choose_more"))
        return self._notice(words, "confirmed", other=other)

    def _nothing_to_confirm(self, choices: Choices, words: Words) -> Response:
        other = (self._to_preferences(choices), words.say("choose_more"))
        return self._notice(words, "nothing_to_confirm", other=other)

    # What all do

    def _followed(self, choices: Choices) -> bool | None:
        """Whether this customer's opens and clicks are followed; None where nobody's are."""
        tracking = self._links.tracking
        if tracking is None or tracking.url is None or not (tracking.clicks or tracking.opens):
            return None
        return not tracking.asked if choices.followed is None else choices.followed

    def _to_preferences(self, choices: Choices) -> str:
        """From one page to the other, behind whatever prefix it was opened."""
        return f"..{self._links.path('preferences', choices.key)}"

    async def _say(
        self,
        request: Request,
        purpose: Purpose,
        choices: Choices,
        words: Words,
        changes: Sequence[Change],
        traits: Mapping[str, str | bool | None] = {},
    ) -> None:
        proof = Proof(_SOURCES[purpose], f"page {words.version}", _proof_of(request, choices.key))
        events = events_of(choices, changes, traits, proof, self._now(), confirmed=purpose == "confirm")
        if events:
            await self._take(events)

    def _notice(
        self,
        words: Words,
        what: str,
        status: int = 200,
        headers: dict[str, str] | None = None,
        other: tuple[str, str] | None = None,
        **values: str,
    ) -> Response:
        title = words.say("title" if what == "nothing_changed" else f"{what}_title")
        about = words.say(what if what == "nothing_changed" else f"{what}_about", **values)
        return page("notice.html", status, headers, words=words, name=self._name, title=title, about=about, other=other)


_NO_STORE: Final = {"cache-control": "no-store", "referrer-policy": "no-referrer"}


def _to_confirm(choices: Choices) -> list[str]:
    """What the holder of the link may confirm: the kinds that wait, for the channel and address it was sent to."""
    return choices.pending(choices.channel) if choices.current else []


class _NoForm(Exception):
    """The body is not a form of ours."""


def _read_form(request: Request) -> Form:
    """The fields of a form, URL-encoded or in parts: RFC 8058, section 3.2 allows both. Raises _NoForm."""
    kind = request.headers.get("content-type", "")
    name = kind.partition(";")[0].strip().lower()
    try:
        if name == "application/x-www-form-urlencoded":
            return parse_qsl(request.body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        if name == "multipart/form-data" and kind.isascii() and kind.isprintable():
            return _read_multipart(kind, request.body)
    except ValueError as error:
        raise _NoForm(str(error)) from None
    raise _NoForm(f"content-type {name[:60]!r} is no form")


def _read_multipart(kind: str, body: bytes) -> Form:
    parsed: Message = BytesParser().parsebytes(b"content-type: " + kind.encode("ascii") + b"\r\n\r\n" + body)
    parts = parsed.get_payload()
    if not isinstance(parts, list):
        raise _NoForm("it has no parts")
    form: Form = []
    for part in parts[:_MOST_FIELDS]:
        assert isinstance(part, Message)
        field = part.get_param("name", header="content-disposition")
        value = part.get_payload(decode=True)
        if isinstance(field, str) and isinstance(value, bytes):
            form.append((field, value.decode("utf-8", "replace").rstrip("\r\n")))
    return form


def _proof_of(request: Request, key: str) -> str:
    """What shows who said it: the page, the message whose link was used, and hashes of the network address and the
    browser, made with that message's key so that they tell nothing across customers and can still be compared."""
    path = request.path[:3]
    address = request.headers.get("x-forwarded-for", request.client).split(",")[0].strip()
    seen = [
        f"{what} {blake2b(value.encode(), key=bytes.fromhex(key), digest_size=8).hexdigest()}"
        for what, value in (("address", address), ("browser", request.headers.get("user-agent", "")))
        if value
    ]
    return "; ".join([f"POST {path} by the link of message {key}", *seen])
