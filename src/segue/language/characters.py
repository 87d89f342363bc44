"""Characters that look right and are not: curly quotes, odd spaces, invisible marks, alphabets mixed in one word.

They come from word processors, chat programs and web pages. Each gets its own message; then it is replaced by what was
meant, of the same length, so that reading goes on and places stay true.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from segue.diagnostics import Diagnostic, Fix, Lines

_CURLY: Final = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2018\u2019\u201a\u2033"
_SPACES: Final = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u2028\u2029\u0085\u000b"
_MARKS: Final = "\u200b\u200e\u200f\u2060\u061c\u00ad\ufeff"
_BIDI: Final = "\u202a-\u202e\u2066-\u2069"
_DASHES: Final = "\u2010-\u2015\u2212"

_SUSPECT: Final = re.compile(f"[{_CURLY}{_SPACES}{_MARKS}{_BIDI}{_DASHES}]")
_PART: Final = re.compile(
    rf"""(?P<comment>\#[^\n]*)
    |(?P<string>"[^"\n]*"?)
    |(?P<curly>[{_CURLY}][^{_CURLY}"\n]*[{_CURLY}"]|[{_CURLY}])
    |(?P<space>[{_SPACES}]+)
    |(?P<mark>[{_MARKS}]+)
    |(?P<bidi>[{_BIDI}]+)
    |(?P<dash>[{_DASHES}])""",
    re.VERBOSE,
)
_BIDI_MARK: Final = re.compile(f"[{_BIDI}]+")
_LINE_BREAK: Final = re.compile("\r(?!\n|\\Z)|[\u2028\u2029\u0085\u000b\u000c]")
"""What other programs show as the end of a line, where to Segue the comment or text goes on."""

_SCRIPTS: Final = ("LATIN", "CYRILLIC", "GREEK")


def clean(lines: Lines) -> tuple[str, list[Diagnostic]]:
    """The text with such characters replaced, and what there is to say about them."""
    text = lines.text
    if text.isascii() and not _LINE_BREAK.search(text):
        return text, []
    found: list[Diagnostic] = []
    if text.startswith("\ufeff"):  # the byte order mark that some editors put first
        text = " " + text[1:]
    if _SUSPECT.search(text) or _LINE_BREAK.search(text):
        text = _PART.sub(lambda part: _replace(part, lines, found), text)
    return text, found


def is_mixed(word: str) -> bool:
    """Whether a word mixes alphabets which look alike."""
    return not word.isascii() and len(_scripts(word)) > 1


def mixed_scripts(lines: Lines, start: int, word: str) -> Diagnostic | None:
    """What there is to say about a word that mixes alphabets which look alike."""
    if not is_mixed(word):
        return None
    common, odd, *_ = _scripts(word)
    letters = " and ".join(f"`{letter}`" for letter in dict.fromkeys(c for c in word if _script(c) == odd))
    return Diagnostic(
        severity="error",
        code="E0104",
        message=f"`{word}` mixes {common.capitalize()} and {odd.capitalize()} letters",
        primary=lines.span(start, start + len(word)),
        label=f"{letters} {'is' if ' and ' not in letters else 'are'} {odd.capitalize()}",
        hint="letters of two alphabets can look the same and still be two names; type the word anew in one alphabet",
    )


@lru_cache(maxsize=4096)
def _scripts(word: str) -> tuple[str, ...]:
    """The look-alike alphabets of a word, the most used first."""
    count: dict[str, int] = {}
    for letter in word:
        script = _script(letter)
        if script:
            count[script] = count.get(script, 0) + 1
    return tuple(sorted(count, key=lambda script: -count[script]))


def _script(letter: str) -> str | None:
    if not letter.isalpha():
        return None
    first = unicodedata.name(letter, "").split(" ", 1)[0]
    return first if first in _SCRIPTS else None


def _replace(part: re.Match[str], lines: Lines, found: list[Diagnostic]) -> str:
    text, start = part.group(), part.start()
    match part.lastgroup:
        case "comment" | "string":
            for mark in _BIDI_MARK.finditer(text):
                found.append(_bidi(lines, start + mark.start(), start + mark.end()))
            text = _BIDI_MARK.sub(lambda mark: " " * len(mark.group()), text)
            first = _LINE_BREAK.search(text)
            if first is None:
                return text
            found.append(_line_break(lines, start + first.start(), part.lastgroup))
            # What comes after a comment is read too: it is what the author takes for the next lines.
            return _LINE_BREAK.sub("\n" if part.lastgroup == "comment" else " ", text)
        case "curly":
            straight = f'"{text[1:-1]}"' if len(text) > 1 else '"'
            span = lines.span(start, part.end())
            found.append(
                Diagnostic(
                    severity="error",
                    code="E0101",
                    message="texts stand in straight quotes, and these are curly",
                    primary=span,
                    label="curly quotes" if len(text) > 1 else "a curly quote",
                    hint=f"write {straight} instead; word processors and chats bend quotes by themselves",
                    fix=Fix("put straight quotes", span, straight, safe=True) if len(text) > 1 else None,
                )
            )
            return straight
        case "space":
            span = lines.span(start, part.end())
            name = unicodedata.name(text[0], "CONTROL CHARACTER").lower()
            found.append(
                Diagnostic(
                    severity="error",
                    code="E0102",
                    message=f"this looks like a space, but is a special one ({name})",
                    primary=span,
                    label="not an ordinary space",
                    hint="put an ordinary space; such spaces come with text copied from web pages and documents",
                    fix=Fix("put an ordinary space", span, " ", safe=True),
                )
            )
            return " " * len(text)
        case "mark":
            span = lines.span(start, part.end())
            name = unicodedata.name(text[0], "an unnamed mark").lower()
            found.append(
                Diagnostic(
                    severity="error",
                    code="E0103",
                    message=f"there is an invisible character here ({name})",
                    primary=span,
                    label="invisible",
                    hint="delete it; it came with copied text and would make two names that look the same differ",
                    fix=Fix("delete it", span, "", safe=True),
                )
            )
            return " " * len(text)
        case "bidi":
            found.append(_bidi(lines, start, part.end()))
            return " " * len(text)
        case _:
            span = lines.span(start, part.end())
            found.append(
                Diagnostic(
                    severity="error",
                    code="E0105",
                    message=f"`{text}` is a dash, not a minus sign",
                    primary=span,
                    label="a dash",
                    hint="write `-` from the keyboard",
                    fix=Fix("put a minus sign", span, "-", safe=True),
                )
            )
            return "-"


def _bidi(lines: Lines, start: int, end: int) -> Diagnostic:
    span = lines.span(start, end)
    return Diagnostic(
        severity="error",
        code="E0103",
        message="an invisible mark here turns the reading direction, so the text is not what it looks like",
        primary=span,
        label="invisible",
        hint="delete it; a rule must read the same to people and to Segue",
        fix=Fix("delete it", span, "", safe=True),
    )


def _line_break(lines: Lines, offset: int, where: str) -> Diagnostic:
    span = lines.span(offset, offset + 1)
    name = unicodedata.name(
        lines.text[offset], "carriage return" if lines.text[offset] == "\r" else "control character"
    )
    return Diagnostic(
        severity="error",
        code="E0103",
        message=f"an invisible character here looks like the end of the line and is none ({name.lower()})",
        primary=span,
        label="what follows, up to the end of the line, is " + ("comment" if where == "comment" else "text"),
        hint="put an ordinary line break; your editor can save the file with line ends for Unix or Windows",
        fix=Fix("put a line break", span, "\n"),
    )
