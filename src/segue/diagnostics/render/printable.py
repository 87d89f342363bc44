"""Text of strangers, made fit to print: a rule file can't drive the terminal, or the log, that shows its mistakes."""

from __future__ import annotations

import unicodedata
from typing import Final

_INVISIBLE: Final = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
TAB: Final = "    "


def printable(text: str) -> str:
    """The text with a replacement character for each that does not show, and spaces for tabs."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if character == "\t":
        return TAB
    shows = unicodedata.category(character) not in _INVISIBLE and not _is_none(ord(character))
    return character if shows else "\N{REPLACEMENT CHARACTER}"


def _is_none(point: int) -> bool:
    """Whether a code point will never be a character (Unicode 23.7); terminals disagree about its width."""
    return point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF


def width(text: str) -> int:
    """Columns that a text takes in a terminal, once it is `printable`."""
    columns = 0
    for character in text:
        if character == "\t":
            columns += len(TAB)
        elif unicodedata.combining(character):
            continue
        else:
            columns += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return columns


def encodable(value: object) -> object:
    """The same without lone surrogates, which JSON in UTF-8 can't hold."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case dict():
            return {key: encodable(item) for key, item in value.items()}
        case list() | tuple():
            return [encodable(item) for item in value]
        case _:
            return value
