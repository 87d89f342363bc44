"""For people: each diagnostic with the lines it is about, marks under them, and what to do next.

What a diagnostic says of one file is shown in one excerpt, in the order of its lines, the fault marked by ``^`` and
further places by ``-``.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Final

import msgspec

from segue.diagnostics.diagnostic import Diagnostic, Lines, Span
from segue.diagnostics.render.printable import printable, width

_RED, _YELLOW, _BLUE, _GREEN = "\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[1;32m"
_BOLD, _OFF = "\x1b[1m", "\x1b[0m"
_WIDEST: Final = 160
"""A longer line of a file is shown in part."""
_NARROWEST: Final = 40


def render_full(
    diagnostics: Iterable[Diagnostic], texts: Mapping[str, str], *, colour: bool = False, columns: int = 100
) -> str:
    """Each with its place, the lines of the files with marks under the fault and further places, hint and fix.

    ``texts`` holds the files by path; one that is missing is shown without its lines. ``colour`` adds ANSI colours;
    what is said below an excerpt is broken at ``columns``.
    """
    page = _Page(texts, colour, max(columns, _NARROWEST))
    return "\n".join(page.show(diagnostic) for diagnostic in diagnostics)


class _Mark(msgspec.Struct, frozen=True):
    """A place, what is said about it, and how it is drawn."""

    span: Span
    text: str
    sign: str
    tint: str


class _Drawn(msgspec.Struct, frozen=True):
    """A mark in the columns of the shown line: where it begins, and how long it is."""

    column: int
    length: int
    mark: _Mark


class _Page:
    def __init__(self, texts: Mapping[str, str], colour: bool, columns: int) -> None:
        self._texts = texts
        self._lines: dict[str, Lines] = {}
        self._colour = colour
        self._columns = columns

    def show(self, diagnostic: Diagnostic) -> str:
        tint = _RED if diagnostic.is_error else _YELLOW
        head = f"{diagnostic.severity}[{diagnostic.code}]"
        out = [f"{self._paint(head, tint)}{self._paint(': ' + printable(diagnostic.message), _BOLD)}\n"]
        marks = [_Mark(label.span, label.text, "-", _BLUE) for label in diagnostic.secondary]
        if diagnostic.primary:
            marks.insert(0, _Mark(diagnostic.primary, diagnostic.label, "^", tint))
        margin = max((len(str(mark.span.line)) for mark in marks), default=1)
        files = list(dict.fromkeys(mark.span.file for mark in marks))
        for file in files:
            arrow = "-->" if file == files[0] else ":::"
            out += self._excerpt(arrow, [mark for mark in marks if mark.span.file == file], margin)
        notes = [("help", diagnostic.hint)] if diagnostic.hint not in ("", diagnostic.label) else []
        if diagnostic.fix and diagnostic.fix.safe:
            said = diagnostic.fix.title in (diagnostic.label, diagnostic.hint)
            notes.append(("fix", f"{'' if said else diagnostic.fix.title + ': '}`segue check --fix` does it"))
        if notes and any(mark.span.file in self._texts for mark in marks):
            out.append(f"{' ' * margin} {self._bar()}\n")
        for word, text in notes:
            out += self._note(margin, word, text)
        return "".join(out)

    def _note(self, margin: int, word: str, text: str) -> list[str]:
        tint = _GREEN if word == "fix" else _BOLD
        before = f"{' ' * margin} {self._paint('=', _BLUE)} {self._paint(word, tint)}: "
        hanging = " " * (margin + len(word) + 5)
        lines = textwrap.wrap(
            printable(text), self._columns - len(hanging), break_long_words=False, break_on_hyphens=False
        )
        return [f"{before if number == 0 else hanging}{line}\n" for number, line in enumerate(lines)]

    def _excerpt(self, arrow: str, marks: list[_Mark], margin: int) -> list[str]:
        """What there is to see of one file; the first mark says where."""
        first = marks[0].span
        place = f"{printable(first.file)}:{first.line}:{first.column}"
        out = [f"{' ' * margin}{self._paint(arrow, _BLUE)} {place}\n"]
        lines = self._read(first.file)
        if lines is None:
            return out
        out.append(f"{' ' * margin} {self._bar()}\n")
        before: int | None = None
        for number, group in groupby(sorted(marks, key=lambda mark: mark.span.line), key=lambda mark: mark.span.line):
            if before is not None and number == before + 2:
                out.append(self._numbered(before + 1, margin, lines.source(before + 1)))
            elif before is not None and number > before + 2:
                out.append(self._paint("...", _BLUE) + "\n")
            out += self._line(number, lines.source(number), list(group), margin)
            before = number
        return out

    def _line(self, number: int, source: str, marks: list[_Mark], margin: int) -> list[str]:
        """A line of a file with its marks. A very long one is shown around each of them, so that they stay in sight."""
        if len(source) > _WIDEST:
            if len(marks) > 1:
                return [part for mark in marks for part in self._line(number, source, [mark], margin)]
            cut = max(0, marks[0].span.column - 1 - _WIDEST // 2)
        else:
            cut = 0
        shown = source[cut : cut + _WIDEST]
        drawn = []
        for mark in marks:
            begin = mark.span.column - 1 - cut
            length = width(shown[begin : begin + mark.span.end - mark.span.start])
            drawn.append(_Drawn(width(shown[:begin]), max(1, length), mark))
        rows = self._marks(sorted(drawn, key=lambda one: one.column))
        empty = f"{' ' * margin} {self._bar()} "
        return [self._numbered(number, margin, shown), *(f"{empty}{row}\n" for row in rows)]

    def _marks(self, drawn: list[_Drawn]) -> list[str]:
        """The rows under a line, the marks sorted by column. What is said of the last mark stands beside it; of the
        others below, joined by strokes."""
        if any(one.column + one.length > other.column for one, other in pairwise(drawn)):
            return [row for one in drawn for row in self._marks([one])]
        *others, last = drawn
        said = f" {printable(last.mark.text)}" if last.mark.text else ""
        pieces = [(one.column, one.mark.sign * one.length, one.mark.tint) for one in others]
        rows = [self._row([*pieces, (last.column, last.mark.sign * last.length + said, last.mark.tint)])]
        waiting = [one for one in others if one.mark.text]
        if waiting:
            rows.append(self._row([(one.column, "|", one.mark.tint) for one in waiting]))
        while waiting:
            one = waiting.pop()
            strokes = [(other.column, "|", other.mark.tint) for other in waiting]
            rows.append(self._row([*strokes, (one.column, printable(one.mark.text), one.mark.tint)]))
        return rows

    def _row(self, pieces: Sequence[tuple[int, str, str]]) -> str:
        """Texts at columns, from left to right."""
        out, at = [], 0
        for column, text, tint in pieces:
            out.append(" " * (column - at) + self._paint(text, tint))
            at = column + width(text)
        return "".join(out)

    def _numbered(self, number: int, margin: int, source: str) -> str:
        return f"{self._paint(str(number).rjust(margin), _BLUE)} {self._bar()} {printable(source)}".rstrip() + "\n"

    def _read(self, file: str) -> Lines | None:
        if file not in self._lines:
            if file not in self._texts:
                return None
            self._lines[file] = Lines(file, self._texts[file])
        return self._lines[file]

    def _bar(self) -> str:
        return self._paint("|", _BLUE)

    def _paint(self, text: str, tint: str) -> str:
        return f"{tint}{text}{_OFF}" if self._colour else text
