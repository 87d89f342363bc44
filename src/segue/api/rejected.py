"""The report of rows of a file that were refused: a CSV file of its own, with the place and reason of each."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from segue.api.cells import harmless
from segue.api.sources import Rejection

_HEAD: Final = ("file", "place", "reason", "row")


class RejectedRows:
    """The report of one file, ``NAME.rejected.csv``: made with its first row. Have it on disk before the position that
    counts its rows is committed; then a crash neither loses nor doubles one."""

    def __init__(self, folder: Path, name: str, kept: int = 0) -> None:
        """The report of the file ``name``, in ``folder``. ``kept`` rows of an earlier run stand: what it wrote beyond
        them comes again. Raises OSError."""
        self.path = folder / f"{name}.rejected.csv"
        self.count = 0
        self._name = name
        self._open: TextIO | None = None
        if kept and self.path.exists():
            _cut(self.path, kept + 1)
            self.count = kept
        else:
            self.path.unlink(missing_ok=True)

    def add(self, rejections: Iterable[Rejection]) -> None:
        """Write rows down."""
        rows = [
            (
                self._name,
                one.place.removeprefix(f"{self._name}, "),
                one.reason,
                one.raw.decode("utf-8", "replace").replace("\0", "\ufffd"),
            )
            for one in rejections
        ]
        if not rows:
            return
        if self._open is None:
            self._open = self.path.open("a", encoding="utf-8", newline="")
            if not self.count:
                csv.writer(self._open).writerow(_HEAD)
        csv.writer(self._open).writerows([[harmless(cell) for cell in row] for row in rows])
        self._open.flush()
        self.count += len(rows)

    def close(self) -> None:
        """Let go of the file."""
        if self._open is not None:
            self._open.close()
            self._open = None


def _cut(path: Path, rows: int) -> None:
    """Leave only the first rows of a file."""
    with path.open("r+b") as file:
        length = 0

        def lines() -> Iterator[str]:
            nonlocal length
            for line in _lines(file):
                length += len(line)
                yield line.decode("utf-8", "replace")

        reader = csv.reader(lines())
        for _ in range(rows):
            if next(reader, None) is None:
                break
        file.truncate(length)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline():
        yield line
