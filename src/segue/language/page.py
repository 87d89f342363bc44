"""How a formatted text is set: words with their comments, the places where a line may break, and the rows that come
of them.

A statement is what begins a line: a step, a header line, a field. It is set on one row where it fits; where it does
not, its outermost group breaks first, at all of its places. A comment ends its row, so it breaks every group around it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final, assert_never

import msgspec

WIDEST: Final = 100
"""Columns of a row, without the comment at its end."""

HANGING: Final = 4
"""Columns by which a statement's further rows stand in: twice as far as a block, so that neither looks like the
other."""


class Remark(msgspec.Struct, frozen=True):
    """A comment with a row of its own; ``column`` is where it was written, ``blank`` whether after a blank line."""

    text: str
    column: int
    blank: bool


class Word(msgspec.Struct, frozen=True):
    """``before`` are the remarks above it, ``after`` the comment at the end of its row."""

    text: str
    before: tuple[Remark, ...] = ()
    after: str | None = None


class Gap(msgspec.Struct, frozen=True):
    """What stands between two words on one row; a line may break here where ``breaks``."""

    flat: str
    breaks: bool


class Joined(msgspec.Struct, frozen=True):
    """Parts in a row. Made by `joined`, which sees the comments: above the first word (``opens``), after the last
    (``closes``), anywhere between (``inner``)."""

    parts: tuple[Doc, ...]
    opens: bool
    inner: bool
    closes: bool


class Nest(msgspec.Struct, frozen=True):
    """Rows that begin in ``content`` stand in by so many columns more."""

    by: int
    content: Joined


class Group(msgspec.Struct, frozen=True):
    """Breaks at all of its places, or at none."""

    content: Joined


Doc = Word | Gap | Joined | Nest | Group

SPACE: Final = Gap(" ", False)
LINE: Final = Gap(" ", True)
SOFT: Final = Gap("", True)


def joined(*parts: Doc) -> Joined:
    """Parts in a row."""
    opens = inner = closes = False
    empty = True
    for part in parts:
        match part:
            case Gap():
                continue
            case Word():
                opened, within, closed = bool(part.before), False, part.after is not None
            case Joined():
                if not part.parts:
                    continue
                opened, within, closed = part.opens, part.inner, part.closes
            case Nest() | Group():
                opened, within, closed = part.content.opens, part.content.inner, part.content.closes
            case _:
                assert_never(part)
        inner = inner or within or closes or (opened and not empty)
        opens = opens or (opened and empty)
        closes, empty = closed, False
    return Joined(parts, opens, inner, closes)


def nest(by: int, *parts: Doc) -> Nest:
    return Nest(by, joined(*parts))


def group(*parts: Doc) -> Group:
    return Group(joined(*parts))


class Pause(msgspec.Struct, frozen=True):
    """What stands before a statement: remarks; and whether the statement itself comes after a blank line."""

    remarks: tuple[Remark, ...]
    blank: bool

    @property
    def begins_blank(self) -> bool:
        """Whether its first row comes after a blank line."""
        return self.remarks[0].blank if self.remarks else self.blank


class Statement(msgspec.Struct, frozen=True):
    """What begins a row, ``indent`` columns in. ``content`` None: remarks alone. ``blank``: whether a blank line
    stands before it."""

    indent: int
    pause: Pause
    content: Doc | None
    blank: bool


class Row(msgspec.Struct):
    """One line of the text to be."""

    text: str
    comment: str | None = None
    blank: bool = False


def width(text: str) -> int:
    """Columns that a text takes: letters of East Asia two, marks above or below others none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def flat_width(doc: Doc) -> int:
    """Columns that a part takes on one row, its comments not counted."""
    match doc:
        case Word():
            return width(doc.text)
        case Gap():
            return len(doc.flat)
        case Joined():
            return sum(map(flat_width, doc.parts))
        case Nest() | Group():
            return flat_width(doc.content)


def rows_of(statement: Statement) -> list[Row]:
    """The rows of a statement."""
    margin = " " * statement.indent
    rows = [Row("", margin + remark.text, remark.blank) for remark in statement.pause.remarks]
    if statement.content is not None:
        setter = _Setter(statement.indent)
        setter.set(statement.content)
        setter.rows[0].blank = statement.pause.blank
        rows += setter.rows
    if rows:
        rows[0].blank = statement.blank
    return rows


class _Setter:
    """Sets one statement. ``_indent`` is None while a row is open, else where the next one begins."""

    def __init__(self, indent: int) -> None:
        self.rows: list[Row] = []
        self._hanging = indent + HANGING
        self._indent: int | None = indent
        self._column = 0
        self._gap = ""
        self._words: list[str] = []  # of the open row; a row may be as long as a file

    def set(self, doc: Doc) -> None:
        todo: list[tuple[int, bool, Doc]] = [(self._indent or 0, False, Group(joined(doc)))]
        while todo:
            indent, flat, part = todo.pop()
            match part:
                case Word():
                    self._word(part, max(indent, self._hanging))
                case Gap():
                    self._gap += part.flat
                    if part.breaks and not flat:
                        self._indent = indent
                case Joined():
                    todo += [(indent, flat, each) for each in reversed(part.parts)]
                case Nest():
                    todo.append((indent + part.by, flat, part.content))
                case Group():
                    fits = flat or (not part.content.inner and self._fits(indent, part.content, todo))
                    todo.append((indent, fits, part.content))
                case _:
                    assert_never(part)
        self._finish()

    def _word(self, word: Word, hanging: int) -> None:
        if word.before and self._indent is None:
            self._indent = hanging
        if self._indent is not None:
            self._finish()
            for remark in word.before:
                self.rows.append(Row("", " " * self._indent + remark.text))
            self._words.append(" " * self._indent)
            self._column, self._gap, self._indent = self._indent, "", None
        self._words += (self._gap, word.text)
        self._column += len(self._gap) + width(word.text)
        self._gap = ""
        if word.after is not None:
            self._finish(word.after)
            self._indent = hanging

    def _finish(self, comment: str | None = None) -> None:
        if self._words:
            self.rows.append(Row("".join(self._words), comment))
            self._words.clear()

    def _fits(self, indent: int, content: Joined, after: list[tuple[int, bool, Doc]]) -> bool:
        """Whether a group goes on this row, with what follows up to the next place where the line may break. Looks no
        further than the row is wide."""
        left = WIDEST - (self._column + len(self._gap) if self._indent is None else self._indent)
        todo: list[tuple[bool, Doc]] = [(True, content)]
        following = len(after)
        while left >= 0:
            if not todo:
                if not following:
                    return True
                following -= 1
                _, flat, part = after[following]
                todo.append((flat, part))
                continue
            flat, part = todo.pop()
            match part:
                case Word():
                    left -= width(part.text)
                    if part.after is not None:
                        return left >= 0
                case Gap():
                    if part.breaks and not flat:
                        return True
                    left -= len(part.flat)
                case Joined():
                    todo += [(flat, each) for each in reversed(part.parts)]
                case Nest() | Group():
                    todo.append((flat, part.content))
        return False


def text_of(rows: Iterable[Row]) -> str:
    """The text: comments at the ends of neighbouring rows stand in one column, where the rows stay narrow enough."""
    lines: list[str] = []
    run: list[Row] = []

    def finish() -> None:
        column = max((width(row.text) for row in run), default=0) + 2
        if any(column + width(row.comment or "") > WIDEST for row in run):
            column = 0
        for row in run:
            room = max(2, column - width(row.text))
            if row.blank:
                lines.append("")
            lines.append(f"{row.text}{' ' * room}{row.comment}")
        run.clear()

    for row in rows:
        if row.text and row.comment is not None:
            if row.blank:
                finish()
            run.append(row)
            continue
        finish()
        if row.blank:
            lines.append("")
        lines.append(row.text or row.comment or "")
    finish()
    return "".join(line + "\n" for line in lines)
