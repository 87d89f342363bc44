"""Seals: how a mail that comes back proves that it answers one of ours.

Anyone can write to the address for bounces, and the keys of messages are no secret. So each key goes out with a code
that only this Segue can make: in the return path (VERP) and in the Message-ID, which bounces, complaints and replies
bring back. Whoever knows the code has seen the mail. A second code in the Message-ID is made with the recipient's
address: a reply counts as theirs only where it comes from there.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable

_SEAL = re.compile(r"([0-9a-f]{32})-([a-z2-7]{16})(?:\.([a-z2-7]{16}))?")
_BYTES = 10  # 80 bits, which make 16 letters: the local part of an address has room for no more than 64 in all


class Seals:
    """Makes and reads them."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def seal(self, key: str) -> str:
        """A message's key with its code: lower case, since servers may change the case of an address."""
        return f"{key}-{self._code(b'mail', key)}"

    def seal_for(self, key: str, address: str) -> str:
        """The same with the code of the address."""
        return f"{self.seal(key)}.{self._code(b'recipient', key, address)}"

    def find(self, texts: Iterable[str]) -> str | None:
        """The key in the first good seal in these texts."""
        for text in texts:
            for found in _SEAL.finditer(text.lower()):
                if hmac.compare_digest(found[2], self._code(b"mail", found[1])):
                    return found[1]
        return None

    def find_from(self, texts: Iterable[str], address: str) -> str | None:
        """The key in the first good seal of a mail that went to this address."""
        for text in texts:
            for found in _SEAL.finditer(text.lower()):
                code = found[3] or ""
                if self.find((found[0],)) and hmac.compare_digest(code, self._code(b"recipient", found[1], address)):
                    return found[1]
        return None

    def _code(self, purpose: bytes, key: str, address: str = "") -> str:
        text = b"\0".join((purpose, key.encode(), address.strip().lower().encode("utf-8", "replace")))
        return base64.b32encode(hmac.digest(self._secret, text, "sha256")[:_BYTES]).decode().lower()
