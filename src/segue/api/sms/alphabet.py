"""The two alphabets of SMS: GSM-7 with its extension table (3GPP TS 23.038 6.2.1), and UCS-2.

No national language tables: hardly any operator offers them, and a telephone without them shows other letters.
"""

from __future__ import annotations

from typing import Final, Literal

__all__ = ["BASIC", "EXTENSION", "Alphabet", "alphabet_of", "decode_gsm", "encode_gsm", "outside_gsm", "units_of"]

Alphabet = Literal["gsm-7", "ucs-2"]

_ESCAPE: Final = 0x1B
_TABLE: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}

BASIC: Final = frozenset(_TABLE) - {"\x1b"}
EXTENSION: Final = frozenset(_EXTENDED)
"""Each takes two septets, and both go in the same part."""

_CODES: Final = {
    **{character: bytes((code,)) for code, character in enumerate(_TABLE) if code != _ESCAPE},
    **{character: bytes((_ESCAPE, code)) for character, code in _EXTENDED.items()},
}
_CHARACTERS: Final = {code[-1]: character for character, code in _CODES.items() if len(code) == 2}


def alphabet_of(text: str) -> Alphabet:
    """GSM-7 where every character is in its basic or extension table, else UCS-2."""
    return "gsm-7" if all(c in _CODES for c in text) else "ucs-2"


def outside_gsm(text: str) -> tuple[str, ...]:
    """The characters that make a text UCS-2, each once, in the order in which they appear."""
    return tuple(dict.fromkeys(c for c in text if c not in _CODES))


def units_of(character: str, alphabet: Alphabet) -> int:
    """How many septets (GSM-7) or 16-bit units (UCS-2) a character takes; never to be cut in between."""
    if alphabet == "gsm-7":
        return 2 if character in EXTENSION else 1
    return 2 if ord(character) > 0xFFFF else 1


def encode_gsm(text: str) -> bytes:
    """A text as septets, one to a byte, as SMPP has it. Raises ValueError for a character that GSM-7 has not."""
    try:
        return b"".join(_CODES[c] for c in text)
    except KeyError as error:
        raise ValueError(f"{error.args[0]!r} is not in the alphabet GSM-7") from None


def decode_gsm(septets: bytes) -> str:
    """The text of septets, one to a byte. An escape before what the extension table lacks shows the basic character, as
    the standard wants; a byte above 127 becomes a replacement mark."""
    text: list[str] = []
    escaped = False
    for code in septets:
        if code == _ESCAPE and not escaped:
            escaped = True
            continue
        if code > 0x7F:
            text.append("\ufffd")
        elif escaped:
            text.append(_CHARACTERS.get(code, " " if code == _ESCAPE else _TABLE[code]))
        else:
            text.append(_TABLE[code])
        escaped = False
    return "".join(text)
