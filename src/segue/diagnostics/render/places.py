"""Where a span ends, and how a file is called: what formats for other programs need beside the span itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from segue.diagnostics.diagnostic import Lines, Span


class Ends:
    """The last line and column of spans, from the texts of their files by path."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._lines: dict[str, Lines] = {}

    def of(self, span: Span) -> tuple[int, int] | None:
        """Line and column, from 1, of the character after the span. None without the text, and for a span that
        stands for its whole line (from a file that is no rule file)."""
        text = self._texts.get(span.file)
        if text is None:
            return None
        lines = self._lines.setdefault(span.file, Lines(span.file, text))
        return lines.place(span.end)


def relative(file: str, folder: str) -> str:
    """A file as seen from a folder, with forward slashes. What lies outside the folder keeps its path."""
    path = PurePath(file)
    if folder and path.is_absolute() and path.is_relative_to(folder):
        path = path.relative_to(folder)
    return path.as_posix()
