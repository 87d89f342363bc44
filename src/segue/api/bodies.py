"""Bodies of requests: JSON from outside, read into types, without what no text may hold."""

from __future__ import annotations

import re
from typing import Final, TypeVar

import msgspec

__all__ = ["Refused", "clean", "read_json"]

T = TypeVar("T")

DEEPEST: Final = 64
"""How deeply a body may be nested: far more than any shop sends, far less than any parser's limit."""

# An escape in a JSON text: a surrogate pair, a surrogate without its half, NUL, or any other.
_ESCAPE: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|(?P<nul>\\u0000)|\\.",
    re.DOTALL,
)
_SUSPECT: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_AT: Final = re.compile(r" - at `(?:key in )?\$\.?([^`]*)`$")


class Refused(Exception):
    """A request that cannot be taken: ``reason`` is a sentence that says what is wrong and what would be right,
    ``status`` the 4xx to answer with."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


def clean(body: bytes) -> bytes:
    """The JSON text without what no text may hold: NUL goes, half an emoji (a title cut in JavaScript) becomes U+FFFD.
    An order is not refused for a product's name. A byte order mark at the start goes too (RFC 8259, section 8.1)."""
    if b"\\u" in body and _SUSPECT.search(body):
        body = _ESCAPE.sub(_mended, body)
    return body.removeprefix(b"\xef\xbb\xbf")


def _mended(escape: re.Match[bytes]) -> bytes:
    if escape["lone"]:
        return rb"\ufffd"
    return b"" if escape["nul"] else escape[0]


def read_json(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """A body as the decoder's type, cleaned first. Raises Refused: not JSON, another type than it must be, too deep."""
    if _depth(body) > DEEPEST:
        raise Refused(f"the body is nested more than {DEEPEST} deep")
    try:
        return decoder.decode(clean(body))
    except msgspec.ValidationError as error:
        raise Refused(_in_words(str(error))) from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"the body is not JSON that can be read: {error}") from None


def _depth(body: bytes) -> int:
    """How deeply brackets are nested outside of texts, or more: only counted where there are that many at all."""
    if body.count(b"{") + body.count(b"[") <= DEEPEST:
        return 0
    deepest = depth = 0
    for mark in _MARKS.finditer(body):
        kind = mark[0]
        if kind in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif kind in b"}]":
            depth -= 1
    return deepest


_MARKS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)


def _in_words(message: str) -> str:
    at = _AT.search(message)
    where = f"`{at[1]}`" if at is not None and at[1] else "the body"
    said = message[: at.start()] if at is not None else message
    return f"{where} is not what it must be: {said[:1].lower()}{said[1:]}"
