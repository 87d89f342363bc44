"""Writing a text with the characters of GSM-7, where that is possible: 160 to a message instead of 70."""

from __future__ import annotations

import unicodedata
from typing import Final, Literal

from segue.api.sms.alphabet import alphabet_of

__all__ = ["Transliteration", "transliterate"]

Transliteration = Literal["never", "punctuation", "letters"]
"""What may be replaced: nothing; quotation marks, dashes and spaces, which mean the same; accents as well."""

_PUNCTUATION: Final = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»″", '"'),
        **dict.fromkeys("‘’‚‛‹›′`´", "'"),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u200a\u202f", " "),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\u00ad\ufeff", ""),
        "…": "...",
        "•": "*",
        "·": "*",
    }
)
_LETTERS: Final = str.maketrans(
    {"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "Th", "ð": "d", "ẞ": "SS"}
)


def transliterate(text: str, how: Transliteration) -> str:
    """The text in characters of GSM-7, or the text as it is where some character of it has no stand-in: half a
    replacement would spoil the words and save nothing."""
    if how == "never" or alphabet_of(text) == "gsm-7":
        return text
    plain = unicodedata.normalize("NFC", text).translate(_PUNCTUATION)
    if how == "letters":
        plain = "".join(c if alphabet_of(c) == "gsm-7" else _bare(c) for c in plain.translate(_LETTERS))
    return plain if alphabet_of(plain) == "gsm-7" else text


def _bare(character: str) -> str:
    """A letter without its accents."""
    return "".join(c for c in unicodedata.normalize("NFD", character) if not unicodedata.combining(c))
