"""CSV: whatever stands between its cells, around them, and in front of it."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import msgspec

from segue_files.rows import MOST_COLUMNS, BadRow, Row, Unreadable
from segue_files.text import LONGEST_LINE, Lines, TooLong

__all__ = ["Delimited", "Dialect"]

_DELIMITERS: Final = (",", ";", "\t", "|")
_MOST_REREAD: Final = 1_000
"""Rows whose quotes do not close after which the lines behind the next ones are not read again."""
_SHOWN: Final = 2_000


class Dialect(msgspec.Struct, frozen=True):
    """How a CSV file is written; what is empty is found out. ``escape`` is the character that makes the next one a
    plain one, where quotes in cells are not doubled."""

    delimiter: str = ""
    quote: str = '"'
    escape: str = ""
    encoding: str = ""


class Delimited:
    """A CSV file. Its position is the number of lines read."""

    def __init__(self, content: BinaryIO, dialect: Dialect) -> None:
        """Raises Unreadable where it has no usable head."""
        self._content = content
        self._dialect = dialect
        self._lines = Lines(content, dialect.encoding)
        self._source = _Source(self._lines)
        head = self._head()
        self._delimiter = dialect.delimiter or _delimiter_of(head)
        cells: list[str] = next(self._reader(iter([head])), [])
        if len(cells) > MOST_COLUMNS:
            raise Unreadable(f"has {len(cells):,} columns; a table may have {MOST_COLUMNS:,}")
        self.columns = tuple(cell.strip() for cell in cells)
        self._check_head(head)
        self._begin = self._lines.number

    def _head(self) -> str:
        try:
            for line in self._lines:
                if line.strip():
                    return line
        except TooLong:
            raise Unreadable(
                f"begins with a line of over {LONGEST_LINE:,} characters; it should name the columns"
            ) from None
        raise Unreadable("is empty: its first line should name the columns")

    def _check_head(self, head: str) -> None:
        if "\0" in head:
            raise Unreadable("has a NUL byte in its first line: it is no CSV file, or another encoding")
        if any("\udc80" <= character <= "\udcff" for character in head):
            raise Unreadable(f'is not {self._lines.encoding} text; say what it is: encoding = "windows-1252"')
        names = [name for name in self.columns if name]
        twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
        if twice:
            raise Unreadable(f"names a column twice: {', '.join(twice[:5])}")
        if not names:
            raise Unreadable("has no names of columns in its first line")

    def rows(self, position: int) -> Iterator[Row | BadRow]:
        """The rows after so many lines."""
        lines, source = self._lines, self._source
        lines.skip(position)
        reader = self._reader(source)
        reread = 0
        while True:
            source.begin()
            try:
                cells = next(reader, None)
            except TooLong:
                yield self._bad(f"the line has over {LONGEST_LINE:,} characters")
                reader = self._reader(source)
                continue
            except csv.Error as error:
                # A quote that does not close has taken the lines behind it: they are read again without it.
                if reread < _MOST_REREAD:
                    reread += source.put_back()
                yield self._bad(_explained(error))
                reader = self._reader(source)
                continue
            if cells is None:
                return
            if cells:
                yield self._row(cells)

    def _row(self, cells: list[str]) -> Row | BadRow:
        raw = self._source.taken
        count = len(self.columns)
        if len(cells) > count and any(cells[count:]):
            return self._bad(f"has {len(cells)} cells, and the first line names {count} columns")
        if len(cells) < count:
            return self._bad(f"has {len(cells)} cells of {count}")
        if "\0" in raw:
            return self._bad("holds a NUL byte")
        if not raw.isascii() and any("\ud800" <= character <= "\udfff" for character in raw):
            return self._bad(f"is not {self._lines.encoding} text")
        values: dict[str, Any] = {}
        for name, cell in zip(self.columns, cells, strict=False):
            if cell and name:
                values[name] = cell
        return Row(self._place(), values, _bytes(raw), self._end)

    @property
    def _end(self) -> int:
        return self._source.number

    def _place(self) -> str:
        return f"line {self._source.first}"

    def _bad(self, reason: str) -> BadRow:
        return BadRow(self._place(), reason, _bytes(self._source.taken[:_SHOWN]), self._end)

    def _reader(self, lines: Iterator[str]) -> Any:
        dialect = self._dialect
        return csv.reader(
            lines,
            delimiter=self._delimiter,
            quotechar=dialect.quote or None,
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
            escapechar=dialect.escape or None,
            doublequote=not dialect.escape,
            strict=True,
        )


class _Source:
    """Lines, with those of the row at hand: ``first`` is the number of its first line, ``number`` that of its last."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._again: deque[tuple[int, str]] = deque()
        self._row: list[tuple[int, str]] = []
        self.number = 0
        self.first = 0

    def begin(self) -> None:
        """A row begins."""
        self._row.clear()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._again:
            self.number, line = self._again.popleft()
        else:
            try:
                line = self._lines.read()
            finally:
                self.number = self._lines.number
        if not self._row:
            self.first = self.number
        if not line:
            raise StopIteration
        self._row.append((self.number, line))
        return line

    @property
    def taken(self) -> str:
        """The text of the row."""
        return self._row[0][1] if len(self._row) == 1 else "".join(line for _, line in self._row)

    def put_back(self) -> int:
        """Give all lines of the row but its first again; how many there were."""
        behind = self._row[1:]
        self._again.extendleft(reversed(behind))
        del self._row[1:]
        self.number = self.first
        return len(behind) > 0


def _delimiter_of(head: str) -> str:
    """What stands most often between cells of the first line, quotes aside."""
    plain = "".join(head.split('"')[::2])
    return max(_DELIMITERS, key=lambda one: (plain.count(one), -_DELIMITERS.index(one)))


def _explained(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end" in text:
        return "opens a quote that does not close"
    if "field larger" in text:
        return "opens a quote that does not close within 131,072 characters"
    if "expected after" in text:
        return f"has text after a closing quote ({text})"
    return f"is no CSV row: {text}"


def _bytes(text: str) -> bytes:
    return text.rstrip("\r\n").encode("utf-8", "surrogateescape")
