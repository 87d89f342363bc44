"""The two alphabets of SMS, and how many parts a text takes (3GPP TS 23.038 6.2.1, TS 23.040 9.2.3.24.1)."""

from __future__ import annotations

from typing import Final, Literal

Alphabet = Literal["gsm-7", "ucs-2"]

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""Each takes two septets, and both go in the same part."""

_SINGLE = {"gsm-7": 160, "ucs-2": 70}
_PART = {"gsm-7": 153, "ucs-2": 67}


def alphabet_of(text: str) -> Alphabet:
    """GSM-7 where every character is in its basic or extension table, else UCS-2."""
    return "gsm-7" if all(c in BASIC or c in EXTENSION for c in text) else "ucs-2"


def count_parts(text: str) -> int:
    """How many messages the operator charges for. A character of two units is never cut in half."""
    alphabet = alphabet_of(text)
    sizes = [_size(c, alphabet) for c in text]
    if sum(sizes) <= _SINGLE[alphabet]:
        return 1
    parts, filled = 1, 0
    for size in sizes:
        if filled + size > _PART[alphabet]:
            parts, filled = parts + 1, 0
        filled += size
    return parts


def _size(character: str, alphabet: Alphabet) -> int:
    if alphabet == "gsm-7":
        return 2 if character in EXTENSION else 1
    return 2 if ord(character) > 0xFFFF else 1
