"""Offsets in a text, as Segue counts, to lines and columns, as an editor counts, and back.

The protocol ends a line at ``\\n``, ``\\r\\n`` or ``\\r`` and nothing else, and counts columns in UTF-16 code units
unless editor and server agree on something better.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final, Literal

Encoding = Literal["utf-8", "utf-16", "utf-32"]

_LINE_END: Final = re.compile(r"\r\n|\n|\r")


class Places:
    """The lines of one text."""

    def __init__(self, text: str, encoding: Encoding) -> None:
        self.text = text
        self._encoding = encoding
        self._plain = text.isascii() or encoding == "utf-32"
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 0."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self._starts, offset) - 1
        start = self._starts[line]
        return line, offset - start if self._plain else self._units(self.text[start:offset])

    def offset(self, line: int, column: int) -> int:
        """The offset of a line and a column; beyond the end of a line it is the line's end."""
        if line < 0:
            return 0
        if line >= len(self._starts):
            return len(self.text)
        start = self._starts[line]
        end = self._starts[line + 1] if line + 1 < len(self._starts) else len(self.text)
        written = self.text[start:end].rstrip("\r\n")
        if self._plain:
            return start + min(max(column, 0), len(written))
        units = 0
        for place, character in enumerate(written):
            if units >= column:
                return start + place
            units += self._units(character)
        return start + len(written)

    def line_end(self, line: int) -> int:
        """The offset at which a line ends, before its line break."""
        return self.offset(line, len(self.text) * 4)

    def _units(self, text: str) -> int:
        if self._encoding == "utf-8":
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text) + sum(1 for character in text if character > "\uffff")
