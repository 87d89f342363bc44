"""The lines of a text file: encodings, byte order marks, gzip, and what a hostile file may not do."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final, cast

from segue_files.rows import Unreadable

__all__ = ["LONGEST_LINE", "Lines", "TooLong"]

LONGEST_LINE: Final = 1_000_000
"""Characters of a line that are looked at."""
_GZIP: Final = b"\x1f\x8b"
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNSUSPICIOUS: Final = 64 * 1024 * 1024
_HIGHEST_RATIO: Final = 200
"""Bytes that a packed byte may become, after the first 64 MB: a table becomes 10 to 50 of one, a bomb 1,000."""


class TooLong(Exception):
    """A line that has no end in sight. What was to come of it has been passed over."""


class _Watched(io.RawIOBase):
    """A packed file, unpacked: stops where it becomes far more than a table would."""

    def __init__(self, content: BinaryIO) -> None:
        self._content = content
        self._packed = gzip.GzipFile(fileobj=content)
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        try:
            count = self._packed.readinto(cast("bytearray", buffer))
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise Unreadable(f"is a damaged gzip file: {error}") from None
        self._given += count
        if self._given > _UNSUSPICIOUS and self._given > _HIGHEST_RATIO * max(self._content.tell(), 1):
            raise Unreadable(
                f"becomes over {_HIGHEST_RATIO} times its size when it is unpacked: that is no table; unpack it by "
                "hand where it is meant"
            )
        return count


class Lines:
    """The lines of a file, each with its end, counted by ``number``. Bytes that are no text in the encoding come as
    lone surrogates."""

    def __init__(self, content: BinaryIO, encoding: str) -> None:
        """Raises Unreadable where the encoding does not exist."""
        content.seek(0)
        packed = content.read(2) == _GZIP
        content.seek(0)
        plain = io.BufferedReader(_Watched(content), 1 << 16) if packed else io.BufferedReader(_Kept(content), 1 << 16)
        begin = plain.peek(4)[:4]
        self.encoding = next((name for mark, name in _MARKS if begin.startswith(mark)), encoding or "utf-8")
        try:
            self._text = io.TextIOWrapper(plain, encoding=self.encoding, errors="surrogateescape", newline="")
        except LookupError:
            raise Unreadable(f"is to be read as {encoding!r}, and there is no such encoding") from None
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.read()
        if not line:
            raise StopIteration
        return line

    def read(self) -> str:
        """The next line; empty at the end. Raises TooLong, and goes on with the line after it; Unreadable."""
        try:
            line = self._text.readline(LONGEST_LINE)
            if len(line) < LONGEST_LINE or line.endswith(("\n", "\r")):
                self.number += bool(line)
                return line
            while rest := self._text.readline(LONGEST_LINE):
                if rest.endswith(("\n", "\r")):
                    break
        except UnicodeError as error:
            raise Unreadable(f"is no {self.encoding} text after line {self.number:,}: {error}") from None
        self.number += 1
        raise TooLong

    def skip(self, count: int) -> None:
        """Pass over the next lines."""
        while self.number < count:
            try:
                if not self.read():
                    return
            except TooLong:
                continue


class _Kept(io.RawIOBase):
    """An open file that stays open, and whose place tells how far it was read."""

    def __init__(self, content: BinaryIO) -> None:
        self._content = content

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        target = memoryview(cast("bytearray", buffer))
        data = self._content.read(len(target))
        target[: len(data)] = data
        return len(data)
