"""What could stand next in a text that is being written: the parser's own answer, for completion.

Only what stands before the place is looked at. Where that cannot be read, the last step before it is read by itself, as
if it stood in a rule without mistakes: one slip further up must not silence the help below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

import msgspec
from lark.exceptions import UnexpectedInput

from segue.diagnostics import Lines
from segue.language.characters import clean
from segue.language.expectations import plain_words
from segue.language.keywords import STEPS, WEEKDAYS
from segue.language.parser import grammar
from segue.language.pieces import cut

_WORD_BEING_TYPED: Final = re.compile(r"[^\W\d]\w*\Z")
_NUMBER_BEING_TYPED: Final = re.compile(r"(?<![\w:.-])\d[\w:.-]*\Z")
_PART: Final = re.compile(r"(?P<comment>#[^\n]*)|(?P<text>\"[^\"\n]*\"?)|[^#\"]+")
_STEP_OR_LINE: Final = re.compile(rf"(?<![\w.])(?:{'|'.join(sorted(STEPS))})(?!\w)")
_PHRASES: Final = {
    "ELSE_IF": "else if",
    "IN_LAST": "in last",
    "CAN_GET": "can get",
    "TIME_BETWEEN": "time between",
    "BEST_TIME": "best time",
}
_STAND_IN: Final = "when x\n"

Inside = Literal["text", "comment", ""]


class Word(msgspec.Struct, frozen=True):
    """A word before the place: the grammar's kind of word (`NAME`, `STRING`, `WAIT` …) and its text."""

    kind: str
    text: str


class Ahead(msgspec.Struct, frozen=True):
    """``start`` is where the word being typed begins (the place itself when none is). ``inside`` says whether the place
    is within a text in quotes (``start`` is then after the quote) or a comment. ``accepts`` are the kinds of words that
    the grammar takes there, ``words`` the plain ones among them as they are written. ``before`` are the words of the
    same rule or declaration that come before, ``begins`` the first of them. ``complete``: what stands before is whole,
    so something new may begin."""

    start: int
    inside: Inside = ""
    accepts: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    before: tuple[Word, ...] = ()
    begins: str = ""
    complete: bool = False


def look_ahead(text: str, offset: int) -> Ahead:
    """What could stand at ``offset``. Never raises, whatever the text."""
    written, _ = clean(Lines("", text[:offset]))
    inside, start = _inside(written)
    if inside == "comment":
        return Ahead(start, inside)
    if not inside:
        typed = _WORD_BEING_TYPED.search(written) or _NUMBER_BEING_TYPED.search(written)
        start = typed.start() if typed else len(written)
    until = start - 1 if inside else start
    pieces, _, _ = cut(written[:until])
    if not pieces:
        return Ahead(start, inside, complete=True)
    piece = pieces[-1]
    if piece.too_deep is not None:
        return Ahead(start, inside)
    for candidate in _readings(written[piece.start : until]):
        read = _read(candidate)
        if read is not None:
            accepts, before = read
            return Ahead(start, inside, accepts, _words(accepts), before, piece.begins, "$END" in accepts)
    return Ahead(start, inside, begins=piece.begins)


def _inside(text: str) -> tuple[Inside, int]:
    line = text.rfind("\n") + 1
    for part in _PART.finditer(text, line):
        if part.end() < len(text):
            continue
        if part.lastgroup == "comment":
            return "comment", part.start()
        if part.lastgroup == "text" and (part.group() == '"' or not part.group().endswith('"')):
            return "text", part.start() + 1
    return "", len(text)


def _readings(text: str) -> Iterator[str]:
    """The whole piece, and then its last steps, each as if it followed a plain trigger."""
    yield text
    starts = [match.start() for match in _STEP_OR_LINE.finditer(text)]
    for start in reversed(starts[-2:]):
        yield _STAND_IN + text[start:]


def _read(text: str) -> tuple[frozenset[str], tuple[Word, ...]] | None:
    try:
        reading = grammar().parse_interactive(text)
        tokens = reading.exhaust_lexer()
        accepts: set[str] = reading.accepts()  # type: ignore[no-untyped-call]
        return frozenset(accepts), tuple(Word(token.type, str(token)) for token in tokens)
    except (UnexpectedInput, RecursionError):
        return None


def _words(accepts: frozenset[str]) -> frozenset[str]:
    found = set(plain_words(accepts)) - {"else"}
    if "ELSE" in accepts:
        found.add("else")
    found.update(phrase for kind, phrase in _PHRASES.items() if kind in accepts)
    found.update(WEEKDAYS if "WEEKDAY" in accepts else ())
    return frozenset(found)
