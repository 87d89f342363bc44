"""Cuts a file at its top-level words, so that every declaration, rule and test is parsed by itself.

For text without mistakes the cut is exact: a top-level word stands nowhere else, apart from the few places named in
`_begins`. For text with mistakes it keeps one from hiding the next. The same pass counts nesting, before
anything that could recurse sees the text.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from segue.language.keywords import OPENERS, TOP_LEVEL
from segue.language.tree import Comment

DEEPEST: Final = 64
"""Blocks, brackets, `not`s and signs within each other. People write fewer than ten."""

_SCAN: Final = re.compile(
    r"(?P<comment>#[^\n]*)|(?P<space>[ \t\f\r\n]+)|(?P<word>[^\W\d]"
    r"[\w\u0300-\u036f\u0591-\u05bd\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e]*)"  # as NAME in the grammar
    # A comment as other tools write it is a mistake: its words begin nothing.
    r"|(?P<remark>//[^\n]*|(?m:^)--[ \t][^\n]*)"
    r'|(?P<text>"[^"\n]*"?)|(?P<number>\d[\w:.%-]*)|(?P<other>.)',
    re.DOTALL,
)
_NEXT: Final = re.compile(r"(?:[ \t\f\r\n]+|#[^\n]*)*")
_TRIGGERS: Final = frozenset(("when", "every", "on"))
_BEFORE_NAMES: Final = frozenset(
    (
        *(
            "send",
            "emit",
            "per",
            "for",
            "unless",
            "until",
            "where",
            "or",
            "and",
            "then",
            "not",
            "in",
            "as",
            "if",
            "worth",
        ),
        *("event", "segment", "policy", "rule", "when", "once"),
    )
)
"""Words after which, on the same line, a top-level word is somebody's attempt at a name."""


class Opener(msgspec.Struct, frozen=True):
    """A word such as `if` that `end` closes, and where it stands."""

    word: str
    start: int


class Piece(msgspec.Struct):
    """One top-level thing. ``end`` is that of its last word; ``open`` are the blocks left open, ``stray`` an `end`
    too many; ``too_deep`` is where nesting went past `DEEPEST`."""

    begins: str
    start: int
    end: int
    open: list[Opener]
    stray: int | None = None
    too_deep: int | None = None


def cut(text: str) -> tuple[list[Piece], list[Comment], list[tuple[int, str]]]:
    """The pieces in order, the comments, and every word that is not plain ASCII with its offset."""
    pieces: list[Piece] = []
    comments: list[tuple[int, int]] = []
    follows: list[int] = []
    foreign: list[tuple[int, str]] = []
    piece: Piece | None = None
    brackets = run = in_head = 0
    in_test = False  # and before what it expects
    before, before_end = "", 0
    for token in _SCAN.finditer(text):
        kind = token.lastgroup
        if kind == "space":
            continue
        start, end = token.span()
        if kind == "comment":
            comments.append((start, end))
            continue
        word = token.group()
        while len(follows) < len(comments):
            follows.append(start)
        if kind == "word":
            if not word.isascii():
                foreign.append((start, word))
            if piece is None or (
                word in TOP_LEVEL
                and not (word == "customer" and in_test)
                and _begins(text, word, start, end, before, before_end, in_head)
            ):
                piece = Piece(begins=word, start=start, end=end, open=[])
                pieces.append(piece)
                brackets = run = 0
                in_head = 3 if word == "rule" else 0
                in_test = word == "test"
            elif word == "expect":
                in_test = False
            elif word in OPENERS and before not in ("else", "on"):
                piece.open.append(Opener(word, start))
            elif word == "end":
                if piece.open:
                    piece.open.pop()
                elif piece.stray is None:
                    piece.stray = start
        elif piece is None:
            piece = Piece(begins=word, start=start, end=end, open=[])
            pieces.append(piece)
        if in_head:
            in_head = 0 if word in _TRIGGERS else in_head - 1 if word != "rule" else in_head
        if word in "([":
            brackets += 1
        elif word in ")]":
            brackets = max(0, brackets - 1)
        if word == "not" or word in "+-":
            run += 1
        elif kind in ("word", "text", "number"):
            run = 0
        if piece.too_deep is None and len(piece.open) + brackets + run > DEEPEST:
            piece.too_deep = start
        piece.end = end
        before, before_end = word, end
    while len(follows) < len(comments):
        follows.append(len(text))
    kept = [
        Comment(start, end, text[start:end].rstrip("\r"), after)
        for (start, end), after in zip(comments, follows, strict=True)
    ]
    return pieces, kept, foreign


def _begins(text: str, word: str, start: int, end: int, before: str, before_end: int, in_head: int) -> bool:
    """Whether a top-level word begins something new here."""
    gap = _NEXT.match(text, end)
    after = text[gap.end()] if gap and gap.end() < len(text) else ""
    if before in _BEFORE_NAMES and "\n" not in text[before_end:start] and not (word == "customer" and before == "when"):
        return False
    match word:
        case "customer":
            return after != "." and before not in ("when", "given")
        case "on":
            return after.isdigit() and not in_head
        case "when" | "every":
            return not in_head
        case "rule":
            return not in_head or "\n" in text[before_end:start]
        case "test":
            return after == '"' or not after.isalpha()
        case _:
            return True


def last_word(text: str, start: int, end: int) -> str:
    """The last word, text or number before ``end``, "" where there is none."""
    last = ""
    for token in _SCAN.finditer(text, start, end):
        if token.lastgroup not in ("space", "comment"):
            last = token.group()
    return last
