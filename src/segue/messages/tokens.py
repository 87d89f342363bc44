"""Signed tokens: what a link or a code carries, so that whoever shows it is known to have got it from here.

A token says what it is for, and one made for one purpose never opens another. It holds no personal data beyond what
its maker puts in, is not encrypted, and fits into an address as it is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from itsdangerous import BadData, URLSafeSerializer

from segue.api import Instant
from segue.api.values import SECOND

__all__ = ["BadToken", "Signer"]

_DAMAGED: Final = "this link is damaged, or was not made here"

LONGEST: Final = 2000
"""Characters of a token that are looked at; ours are far shorter."""
SEAL: Final = 16
"""Bytes of a seal: HMAC-SHA-256, truncated as RFC 2104, section 5 allows."""
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class BadToken(Exception):
    """The token was not made here, was changed, is for something else, or is too old; the text says which, in words
    for the person who holds it."""


class Signer:
    """Makes and reads tokens by ``keys``: the first signs, all are accepted, so that a key can be replaced."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys or not all(keys):
            raise ValueError("a signer needs a key")
        self._keys = list(reversed(keys))  # itsdangerous signs with the last
        self._derived: dict[str, list[bytes]] = {}

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
            raise BadToken(_DAMAGED) from None
        if until is not None and now >= until * SECOND:
            raise BadToken("this link has expired")
        return content

    def seal(self, purpose: str, content: bytes) -> str:
        """A token for bytes: shorter than that of `sign`, and made in microseconds. It is good for good: where it is
        not to be, ``content`` says until when."""
        mac = hmac.digest(self._keys_for(purpose)[0], content, "sha256")[:SEAL]
        return base64.urlsafe_b64encode(content + mac).rstrip(b"=").decode()

    def unseal(self, purpose: str, token: str) -> bytes:
        """What `seal` put into a token. Raises BadToken, also where it is spelled otherwise than `seal` did."""
        if len(token) > LONGEST:
            raise BadToken("this link is damaged")
        try:
            raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            raise BadToken(_DAMAGED) from None
        content, mac = raw[:-SEAL], raw[-SEAL:]
        good = [hmac.compare_digest(hmac.digest(key, content, "sha256")[:SEAL], mac) for key in self._keys_for(purpose)]
        # Base64 leaves bits of the last character unused, and Python's decoder passes over what is none of its
        # alphabet: one token, one spelling.
        if not any(good) or base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != token:
            raise BadToken(_DAMAGED)
        return content

    def code(self, purpose: str, content: bytes, length: int) -> str:
        """Letters and digits that nobody without the key can guess, the same for the same content. Nothing can be read
        from them: what they stand for is stored."""
        number = int.from_bytes(hmac.digest(self._keys_for(purpose)[0], content, "sha256"), "big")
        digits = []
        for _ in range(length):
            number, digit = divmod(number, len(_DIGITS))
            digits.append(_DIGITS[digit])
        return "".join(digits)

    def _keys_for(self, purpose: str) -> list[bytes]:
        """The keys for one purpose, that which signs first."""
        known = self._derived.get(purpose)
        if known is None:
            salt = f"segue.sealed.{purpose}".encode()
            known = [hmac.digest(key.encode(), salt, "sha256") for key in reversed(self._keys)]
            self._derived[purpose] = known
        return known

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
