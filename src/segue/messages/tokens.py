"""Signed tokens: what a link or a code carries, so that whoever shows it is known to have got it from here.

A token says what it is for, and one made for one purpose never opens another. It holds no personal data beyond what
its maker puts in, is not encrypted, and fits into an address as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from itsdangerous import BadData, URLSafeSerializer

from segue.api import Instant
from segue.api.values import SECOND

__all__ = ["BadToken", "Signer"]

LONGEST: Final = 2000
"""Characters of a token that are looked at; ours are far shorter."""


class BadToken(Exception):
    """The token was not made here, was changed, is for something else, or is too old; the text says which, in words
    for the person who holds it."""


class Signer:
    """Makes and reads tokens by ``keys``: the first signs, all are accepted, so that a key can be replaced."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys or not all(keys):
            raise ValueError("a signer needs a key")
        self._keys = list(reversed(keys))  # itsdangerous signs with the last

    def sign(self, purpose: str, content: Any, now: Instant, lives: int | None = None) -> str:
        """A token for ``content`` (JSON), good for ``lives`` microseconds, None for good."""
        until = None if lives is None else -(-(now + lives) // SECOND)
        return self._serializer(purpose).dumps([content, until])

    def read(self, purpose: str, token: str, now: Instant) -> Any:
        """What the token holds. Raises BadToken."""
        if len(token) > LONGEST:
            raise BadToken("this link is damaged")
        try:
            content, until = self._serializer(purpose).loads(token)
        except (BadData, ValueError, TypeError, RecursionError):
            raise BadToken("this link is damaged, or was not made here") from None
        if until is not None and now >= until * SECOND:
            raise BadToken("this link has expired")
        return content

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._keys, salt=f"segue.{purpose}", serializer=_Json, signer_kwargs=_SHA256)


class _Json:
    """msgspec in the place of the standard library's JSON: shorter, and strict."""

    @staticmethod
    def dumps(content: Any) -> str:
        return msgspec.json.encode(content).decode()

    @staticmethod
    def loads(text: bytes | str) -> Any:
        return msgspec.json.decode(text)


_SHA256: Final = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
