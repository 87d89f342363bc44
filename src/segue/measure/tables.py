"""Rows of a CSV file (RFC 4180, UTF-8, a header line), with the place for whatever is wrong with one."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Final

import msgspec

from segue.api import Instant, from_datetime
from segue.api.values import SECOND

LARGEST: Final = 1e18
"""Numbers lie below it, so that sums of them are exact enough to be told, and never endless."""
UNITS: Final = ((1e11, SECOND), (1e14, SECOND // 1000), (1e17, 1))
"""Up to which size a number is seconds, milliseconds or microseconds since 1970, with the microseconds of one; beyond,
it is nanoseconds. Times from 1973 to 5138 are told right, whichever they are written in."""


class DataError(Exception):
    """A file that cannot be counted with: its name, the line (from 1; of Parquet the row), and what to do about it."""

    def __init__(self, file: str, line: int, message: str, unit: str = "line") -> None:
        super().__init__(f"{file}, {unit} {line}: {message}")
        self.file = file
        self.line = line
        self.message = message


class Row(msgspec.Struct, frozen=True):
    """One line of a table. A column that the file lacks is an empty cell."""

    file: str
    line: int
    cells: Mapping[str, str]

    def error(self, message: str) -> DataError:
        return DataError(self.file, self.line, message)

    def text(self, column: str) -> str:
        """A cell that must not be empty."""
        found = self.cells.get(column, "").strip()
        if not found:
            raise self.error(f"{column} is empty")
        return found

    def amount(self, column: str) -> float:
        """A number, 0 or more; an empty cell is 0."""
        cell = self.cells.get(column, "").strip()
        try:
            number = float(cell or 0)
        except ValueError:
            number = math.nan
        if not 0 <= number < LARGEST:
            raise self.error(f"{column} is “{shown(cell)}”; {AMOUNT}, with a point for decimals")
        return number

    def flag(self, column: str) -> bool:
        cell = self.text(column).lower()
        if cell in ("1", "true", "yes"):
            return True
        if cell in ("0", "false", "no"):
            return False
        raise self.error(f"{column} is “{cell}”; write 1 or 0")

    def instant(self, column: str) -> Instant | None:
        """An instant in RFC 3339, or a number since 1970 by `UNITS`; None for an empty cell. Without an offset it is
        taken as UTC."""
        cell = self.cells.get(column, "").strip()
        if not cell:
            return None
        try:
            if cell.removeprefix("-").isdecimal():
                return _since_1970(int(cell))
            if cell.removeprefix("-").replace(".", "", 1).isdecimal():
                return _since_1970(float(cell))
            moment = datetime.fromisoformat(cell)
            return from_datetime(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
        except (ValueError, OverflowError) as error:
            raise self.error(f"{column} is “{shown(cell)}”; {INSTANT}") from error


AMOUNT: Final = "it must be a number, 0 or more, and below 10^18"
INSTANT: Final = "write an instant such as 2026-11-27T08:00:00Z"


def shown(cell: object) -> str:
    """A cell as a message quotes it: one that is endless is cut."""
    text = str(cell)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _since_1970(number: float) -> Instant:
    if not abs(number) < 2**63:
        raise ValueError(number)
    for below, unit in UNITS:
        if abs(number) < below:
            return Instant(round(number * unit))
    return Instant(round(number / 1000))


def require_columns(file: str, header: Sequence[str], columns: Sequence[str], optional: Sequence[str]) -> None:
    """Raises DataError where one of the columns is not there, or one is there twice."""
    missing = [name for name in columns if name not in header]
    if missing:
        wanted, found = ", ".join((*columns, *optional)), ", ".join(name for name in header if name)
        raise DataError(
            file,
            1,
            f"there is no column {' and no column '.join(missing)}; the columns are {wanted}, and the file has "
            f"{shown(found) or 'none'}",
        )
    doubled = [name for name in (*columns, *optional) if header.count(name) > 1]
    if doubled:
        raise DataError(file, 1, f"there are two columns {doubled[0]}")


def read_rows(
    lines: Iterable[str], file: str, columns: tuple[str, ...], optional: tuple[str, ...] = ()
) -> Iterator[Row]:
    """The rows of a file that has at least these columns, one at a time. Others don't matter. Between cells stands
    what stands between those of the header: a comma, a semicolon or a tab. Raises DataError."""
    rest = iter(lines)
    try:
        first = next(rest, "")
    except UnicodeDecodeError as error:
        raise DataError(file, 1, _NO_TEXT) from error
    reader = csv.reader(chain([first], rest), strict=True, delimiter=delimiter_of(first))
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        require_columns(file, header, columns, optional)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise DataError(file, reader.line_num, f"{len(cells)} cells, but the header has {len(header)}")
            yield Row(file, reader.line_num, dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        raise DataError(file, reader.line_num, f"is not CSV: {error}") from error
    except UnicodeDecodeError as error:
        raise DataError(file, reader.line_num + 1, _NO_TEXT) from error


_NO_TEXT: Final = "is not UTF-8 text; save it as UTF-8, here or further down"


def delimiter_of(header: str) -> str:
    """What stands between the cells of a header."""
    return max(",;\t", key=header.count)
