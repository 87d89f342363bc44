"""Diagnostics as text: full (with the source line), concise (one line each) and JSON lines.

Each takes the texts of the files by path, so that nothing is read here. What comes from a file is printed without its
control characters: a rule file can't drive the terminal that shows its mistakes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

import msgspec

from segue.diagnostics.codes import title
from segue.diagnostics.diagnostic import Diagnostic, Lines, Span

_RED, _YELLOW, _BLUE, _BOLD, _OFF = "\x1b[31m", "\x1b[33m", "\x1b[34m", "\x1b[1m", "\x1b[0m"
_WIDEST = 160
# What other programs take for the end of a line, and JSON does not escape by itself.
_LINE_BREAK = re.compile("[\x85\u2028\u2029]")
_INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


def render_concise(diagnostics: Iterable[Diagnostic]) -> str:
    """One line each: ``file:line:column: code message``."""
    lines = []
    for diagnostic in diagnostics:
        span = diagnostic.primary
        place = f"{span.file}:{span.line}:{span.column}: " if span else ""
        lines.append(_printable(f"{place}{diagnostic.code} {diagnostic.message}") + "\n")
    return "".join(lines)


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """One JSON object a line, with the fields of `Diagnostic` and ``title``, the heading of the code's page."""
    lines = []
    for diagnostic in diagnostics:
        record = msgspec.to_builtins(diagnostic)
        record["title"] = title(diagnostic.code)
        line = msgspec.json.encode(_encodable(record)).decode()
        lines.append(_LINE_BREAK.sub(lambda found: f"\\u{ord(found.group()):04x}", line) + "\n")
    return "".join(lines)


def render_full(diagnostics: Iterable[Diagnostic], texts: Mapping[str, str], *, colour: bool = False) -> str:
    """Each with its place, the line of the file with a mark under the fault, further places, hint and fix.

    ``texts`` holds the files by path; one that is missing is shown without its line. ``colour`` adds ANSI colours.
    """
    page = _Page(texts, colour)
    return "\n".join(page.show(diagnostic) for diagnostic in diagnostics)


class _Page:
    def __init__(self, texts: Mapping[str, str], colour: bool) -> None:
        self._texts = texts
        self._lines: dict[str, Lines] = {}
        self._colour = colour

    def show(self, diagnostic: Diagnostic) -> str:
        tint = _RED if diagnostic.is_error else _YELLOW
        head = f"{diagnostic.severity}[{diagnostic.code}]"
        out = [f"{self._paint(head, tint)}{self._paint(': ' + _printable(diagnostic.message), _BOLD)}\n"]
        spans = [label.span for label in diagnostic.secondary]
        if diagnostic.primary:
            spans.append(diagnostic.primary)
        margin = max((len(str(span.line)) for span in spans), default=1)
        if diagnostic.primary:
            out += self._excerpt(diagnostic.primary, diagnostic.label, "^", tint, margin)
        for label in diagnostic.secondary:
            out += self._excerpt(label.span, label.text, "-", _BLUE, margin)
        if diagnostic.hint:
            out.append(self._note(margin, "help", diagnostic.hint))
        if diagnostic.fix:
            out.append(self._note(margin, "fix", diagnostic.fix.title))
        return "".join(out)

    def _note(self, margin: int, word: str, text: str) -> str:
        return f"{' ' * margin} {self._paint('=', _BLUE)} {self._paint(word, _BOLD)}: {_printable(text)}\n"

    def _excerpt(self, span: Span, text: str, mark: str, tint: str, margin: int) -> list[str]:
        bar = self._paint("|", _BLUE)
        pad = " " * margin
        out = [f"{pad}{self._paint('-->', _BLUE)} {_printable(span.file)}:{span.line}:{span.column}\n"]
        source = self._source(span)
        if source is None:
            return out
        first = span.column - 1
        # A very long line is shown around the fault, so that the mark stays in sight.
        cut = max(0, first - _WIDEST // 2) if len(source) > _WIDEST else 0
        shown = source[cut : cut + _WIDEST]
        before = _width(shown[: first - cut])
        length = max(1, _width(shown[first - cut : first - cut + (span.end - span.start)]))
        marks = self._paint(mark * length + (" " + _printable(text) if text else ""), tint)
        number = self._paint(str(span.line).rjust(margin), _BLUE)
        out.append(f"{pad} {bar}\n{number} {bar} {_printable(shown)}\n{pad} {bar} {' ' * before}{marks}\n")
        return out

    def _source(self, span: Span) -> str | None:
        if span.file not in self._lines:
            if span.file not in self._texts:
                return None
            self._lines[span.file] = Lines(span.file, self._texts[span.file])
        return self._lines[span.file].source(span.line)

    def _paint(self, text: str, tint: str) -> str:
        return f"{tint}{text}{_OFF}" if self._colour else text


def _printable(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if character == "\t":
        return "    "
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) in _INVISIBLE else character


def _width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    width = 0
    for character in text:
        if character == "\t":
            width += 4
        elif unicodedata.combining(character):
            continue
        else:
            width += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return width


def _encodable(value: object) -> object:
    """The same without lone surrogates, which JSON in UTF-8 can't hold."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case dict():
            return {key: _encodable(item) for key, item in value.items()}
        case list() | tuple():
            return [_encodable(item) for item in value]
        case _:
            return value
