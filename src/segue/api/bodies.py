"""Bodies of requests and payloads: JSON from outside, read into types, without what no text may hold; and why one was
refused, in words that name the field.

The decoder's messages are made for the programmer of a schema; whoever sends events gets the field's name, what it must
be, and what came instead.
"""

from __future__ import annotations

import re
from typing import Final, TypeVar

import msgspec

from segue.api.instants import read_instant
from segue.api.values import Instant

__all__ = ["DEEPEST", "LONGEST_ID", "Refused", "clean", "read_id", "read_json", "read_timestamp", "refusal_of"]

T = TypeVar("T")

DEEPEST: Final = 64
"""How deeply a body may be nested: far more than any shop sends, far less than any parser's limit."""
LONGEST_ID: Final = 1000
"""Characters of an id or an event's name: all of them are keys of indexes."""

# An escape in a JSON text: a surrogate pair, a surrogate without its half, NUL, or any other.
_ESCAPE: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|(?P<nul>\\u0000)|\\.",
    re.DOTALL,
)
_SUSPECT: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_MARKS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)


class Refused(Exception):
    """A body that cannot be taken. ``field`` is its name as sent (``event``, ``context.device``), or ``body`` where the
    whole of it is meant; ``problem`` goes on from there: "is missing: …"; ``status`` is
    the 4xx to answer with."""

    def __init__(self, field: str, problem: str, *, status: int = 400) -> None:
        super().__init__(field, problem)
        self.field = field
        self.problem = problem
        self.status = status

    def describe(self, where: str = "") -> str:
        """The sentence to answer with; ``where`` is the call's place in a batch (``batch[3]``)."""
        return f"`{self.path(where)}` {self.problem}"

    def path(self, where: str = "") -> str:
        """The field's full name, seen from the top of the request's body."""
        if not where:
            return self.field
        return where if self.field == "body" else f"{where}.{self.field}"


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
        raise Refused("body", f"is nested more than {DEEPEST} deep")
    try:
        return decoder.decode(clean(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise refusal_of(error) from None


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


def read_id(sent: object, field: str) -> str | None:
    """An id as text; None where there is none. Raises Refused for what is no id, or too long."""
    # RudderStack's SDKs send "" for a visitor who has not signed in.
    if sent is None or sent == "":
        return None
    if isinstance(sent, bool) or not isinstance(sent, str | int | float):
        raise Refused(field, "is no id: it must be text or a number")
    if isinstance(sent, float) and sent.is_integer():
        sent = int(sent)
    text = str(sent)
    if len(text) > LONGEST_ID:
        raise Refused(field, f"has {len(text):,} characters; it may have {LONGEST_ID:,}")
    return text


def read_timestamp(written: str | int | float, field: str) -> Instant:
    """The instant meant by ``written``, as `read_instant` reads it. Raises Refused, naming the field."""
    try:
        return read_instant(written)
    except ValueError as error:
        raise Refused(field, str(error)) from None


def refusal_of(error: Exception) -> Refused:
    """The refusal that a failed decoding means."""
    match error:
        case RecursionError():
            return Refused("body", "is nested too deeply")
        case UnicodeDecodeError():
            return Refused("body", "is not UTF-8")
        case msgspec.ValidationError():
            return _wrong_shape(str(error))
        case _:
            return Refused("body", f"is not valid JSON: {_lower_first(str(error).removeprefix('JSON is malformed: '))}")


_EXPECTED = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
_AT = re.compile(r" - at `(?:key in )?\$\.?([^`]*)`")
_MISSING = re.compile(r"missing required field `([^`]+)`")

_WORDS = {
    "object": "an object",
    "array": "a list",
    "str": "text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "null": "null",
}


def _wrong_shape(message: str) -> Refused:
    at = _AT.search(message)
    # Inside free-form objects the decoder only says "[...]": the nearest field with a name is what helps.
    field = at[1].split("[")[0] if at and at[1] else "body"
    if missing := _MISSING.search(message):
        return Refused(missing[1], "is missing")
    if expected := _EXPECTED.search(message):
        wanted = [part for part in expected[1].split(" | ") if part != "null"]
        words = " or ".join(dict.fromkeys(_WORDS.get(part, part) for part in reversed(wanted)))
        return Refused(field, f"must be {words}, not {_WORDS.get(expected[2], expected[2])}")
    if "out of range" in message:
        return Refused(field, "holds a number that is too large")
    return Refused(field, f"is wrong: {_lower_first(message.split(' - at ', maxsplit=1)[0])}")


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
