"""What is wrong, where, why, and what to do next: one type for every room that has something to say about a text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Literal

import msgspec

Severity = Literal["error", "warning"]


class Span(msgspec.Struct, frozen=True, order=True):
    """A stretch of a file: offsets in characters, ``end`` excluded; ``line`` and ``column`` of its start, from 1."""

    file: str
    start: int
    end: int
    line: int
    column: int


class Label(msgspec.Struct, frozen=True):
    """A second place that explains the first, with a few words about it."""

    span: Span
    text: str


class Fix(msgspec.Struct, frozen=True):
    """A change that mends: put ``replacement`` in place of ``span``.

    ``safe`` says that there is no doubt what was meant, so that ``segue check --fix`` makes it without asking. Any
    other is a guess, such as the nearest known name: editors offer it, and a person decides.
    """

    title: str
    span: Span
    replacement: str
    safe: bool = False


class Diagnostic(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell the author of a rule file.

    ``code`` is stable and has a page (`segue.diagnostics.page`). ``message`` is the fact, ``label`` a few words at
    the place, ``hint`` the next step. ``primary`` is None only for what stands in no file (two plugins that contradict
    each other).
    """

    severity: Severity
    code: str
    message: str
    primary: Span | None
    label: str = ""
    secondary: tuple[Label, ...] = ()
    hint: str = ""
    fix: Fix | None = None

    @property
    def is_error(self) -> bool:
        return self.severity == "error"


class Lines:
    """Offsets of one text to lines and columns. The mark that some editors put before the first word is in none."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self._starts = [len(text) - len(text.removeprefix("\ufeff"))]
        position = text.find("\n")
        while position >= 0:
            self._starts.append(position + 1)
            position = text.find("\n", position + 1)

    def line(self, offset: int) -> int:
        """The line that holds ``offset``, from 1."""
        return max(1, bisect_right(self._starts, offset))

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, each from 1."""
        line = self.line(offset)
        return line, max(0, offset - self._starts[line - 1]) + 1

    def start(self, line: int) -> int:
        """The offset at which a line begins, from 1; that of the last line for one that lies beyond."""
        return self._starts[min(line, len(self._starts)) - 1]

    def span(self, start: int, end: int) -> Span:
        return Span(self.file, start, max(end, start), *self.place(start))

    def source(self, line: int) -> str:
        """The text of a line, from 1, without its line break."""
        start = self._starts[line - 1]
        end = self._starts[line] - 1 if line < len(self._starts) else len(self.text)
        return self.text[start:end].rstrip("\r")


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By file and place, each once: the order in which an author works through them."""

    def place(diagnostic: Diagnostic) -> tuple[str, int, str]:
        span = diagnostic.primary
        return (span.file, span.start, diagnostic.code) if span else ("", 0, diagnostic.code)

    return tuple(sorted(dict.fromkeys(diagnostics), key=place))
