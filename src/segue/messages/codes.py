"""Coupon codes that are made, and not imported: ``SUMMER-{8}`` is ``SUMMER-`` and eight letters nobody can guess.

The letters are those of a keyed hash (HMAC-SHA256, RFC 2104) of the journey the code is for, so the same journey has
the same code however often its claim is tried. Letters and digits that people take for each other (0 and O; 1, I and L;
U and V) are left out.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
FEWEST: Final = 6
"""Letters that a code needs: 30⁶ are 729 million, so whoever tries a thousand finds none of ten thousand codes."""
_MOST: Final = 40
_PLACE: Final = re.compile(r"\{(\d{1,2})\}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]{0,100}")


def problem_with(pattern: str) -> str | None:
    """What is wrong with a pattern, in words; None where nothing is."""
    if not _PLAIN.fullmatch(_PLACE.sub("", pattern)):
        return "a pattern has letters, digits, - and _, and {8} for eight letters that are made up"
    letters = sum(int(count) for count in _PLACE.findall(pattern))
    if letters < FEWEST:
        return f"a code needs {FEWEST} letters that are made up, or it can be guessed: write {{8}}"
    return f"a code has {_MOST} letters that are made up, at most" if letters > _MOST else None


def make_code(pattern: str, secret: bytes, pool: str, journey: int, trial: int) -> str:
    """The code of a journey. ``trial`` counts from 0, for a code that somebody has already."""
    digest = hmac.digest(secret, f"coupon\0{pool}\0{journey}\0{trial}".encode(), hashlib.sha256)
    number = int.from_bytes(digest)

    def letters(place: re.Match[str]) -> str:
        nonlocal number
        found = []
        for _ in range(int(place[1])):
            number, letter = divmod(number, len(ALPHABET))
            found.append(ALPHABET[letter])
        return "".join(found)

    return _PLACE.sub(letters, pattern)
