"""A client in the place of the host's: what a channel asks of its provider, and the answers it gets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Self
from urllib.parse import unquote_plus

import msgspec

from segue.api import Message, Response


class Asked(msgspec.Struct, frozen=True):
    """A request that a channel made."""

    method: str
    url: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    timeout: float

    def carries(self, message: Message) -> bool:
        """Whether the message itself is in it, as far as can be seen: its key, its address or a part of its content; a
        channel may first ask for a token, say."""
        return self.is_addressed(message) or self.shows(message.key, *message.content.values())

    def is_addressed(self, message: Message) -> bool:
        """Whether the address of the message is in it, or is where it goes."""
        if self.url and self.url in message.address:
            return True
        return self.shows(message.address, message.address.lstrip("+"))

    def shows(self, *wanted: str) -> bool:
        """Whether one of these texts stands anywhere in it."""
        raw = " ".join((self.url, *self.query.values(), *self.headers.values(), self.body.decode("utf-8", "replace")))
        return any(one in text for text in (raw, unquote_plus(raw)) for one in wanted if one)


class StandInClient:
    """A client that calls nobody: each request gets the next of ``answers``, the last one again and again; an exception
    is raised. It is `segue.api.HttpClient`, guarded or not. Override `answer` to see what is asked."""

    def __init__(self, *answers: Response | Exception) -> None:
        self.answers = list(answers)

    def answer(self, asked: Asked) -> Response | Exception:
        """What comes of a request."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def guarded(self, allow: Sequence[str] = ()) -> Self:
        """Itself: it calls no address at all."""
        return self

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
        """Answer a request. Raises what `answer` gives, where that is an exception."""
        await asyncio.sleep(0)
        answer = self.answer(Asked(method, url, dict(query or {}), dict(headers or {}), body or b"", timeout))
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        """There is nothing to close."""
