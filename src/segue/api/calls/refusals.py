"""Why a call was refused, in words that name the field.

The decoder's messages are made for the programmer of a schema; whoever sends events gets the field's name, what it must
be, and what came instead.
"""

from __future__ import annotations

import re

import msgspec

__all__ = ["Refused", "refusal_of"]


class Refused(Exception):
    """A call that cannot be taken. ``field`` is its name as sent (``event``, ``context.device``), or ``body`` where the
    whole of it is meant; ``problem`` goes on from there: "is missing: …"."""

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
