"""Texts as they go by SMS: tidied, and cut into the parts that the operator charges for (3GPP TS 23.040 9.2.3.24.1)."""

from __future__ import annotations

import unicodedata
from typing import Final

import msgspec

from segue.api.sms.alphabet import Alphabet, alphabet_of, units_of

__all__ = ["Parts", "TextError", "count_parts", "readable_text", "split_text"]

SINGLE: Final[dict[Alphabet, int]] = {"gsm-7": 160, "ucs-2": 70}
"""Units of a text that goes alone."""
PART: Final[dict[Alphabet, int]] = {"gsm-7": 153, "ucs-2": 67}
"""Units of one of several parts, each of which begins with a header of six bytes."""


class TextError(ValueError):
    """This text cannot go as an SMS; the text says why."""


class Parts(msgspec.Struct, frozen=True):
    """A text cut into parts. ``units`` are septets (GSM-7) or 16-bit units (UCS-2) of the whole text."""

    alphabet: Alphabet
    texts: tuple[str, ...]
    units: int

    @property
    def count(self) -> int:
        """How many messages the operator charges for."""
        return len(self.texts)


def split_text(text: str, alphabet: Alphabet | None = None) -> Parts:
    """Cut a text into parts. Neither the two septets of ``€`` nor the two units of ``😀`` are ever torn apart, so that
    a part may hold one less than it could. ``alphabet`` is the text's own where none is given."""
    used = alphabet_of(text) if alphabet is None else alphabet
    units = [units_of(c, used) for c in text]
    total = sum(units)
    if total <= SINGLE[used]:
        return Parts(used, (text,), total)
    texts: list[str] = []
    begin = filled = 0
    for place, size in enumerate(units):
        if filled + size > PART[used]:
            texts.append(text[begin:place])
            begin, filled = place, 0
        filled += size
    return Parts(used, (*texts, text[begin:]), total)


def count_parts(text: str) -> int:
    """How many messages the operator charges for."""
    return split_text(text).count


def readable_text(text: str) -> str:
    """The text without what surrounds it in its file, and with LF as its only line end. Raises TextError."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").strip()
    if not text:
        raise TextError("the text is empty")
    for character in text:
        if character != "\n" and unicodedata.category(character) in {"Cc", "Cs"}:
            raise TextError(f"the text contains U+{ord(character):04X}, which no SMS can carry")
    return text
