"""Rows of a CSV file (RFC 4180, UTF-8, a header line), with the place for whatever is wrong with one."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from segue.api import Instant, from_datetime
from segue.api.values import SECOND


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
        if not (math.isfinite(number) and number >= 0):
            raise self.error(f"{column} is “{cell}”; it must be a number, 0 or more, with a point for decimals")
        return number

    def flag(self, column: str) -> bool:
        cell = self.text(column).lower()
        if cell in ("1", "true", "yes"):
            return True
        if cell in ("0", "false", "no"):
            return False
        raise self.error(f"{column} is “{cell}”; write 1 or 0")

    def instant(self, column: str) -> Instant | None:
        """An instant in RFC 3339, or in Unix seconds; None for an empty cell. Without an offset it is taken as UTC."""
        cell = self.cells.get(column, "").strip()
        if not cell:
            return None
        try:
            if cell.removeprefix("-").replace(".", "", 1).isdecimal():
                return Instant(round(float(cell) * SECOND))
            moment = datetime.fromisoformat(cell)
            return from_datetime(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
        except (ValueError, OverflowError) as error:
            raise self.error(f"{column} is “{cell}”; write an instant such as 2026-11-27T08:00:00Z") from error


def require_columns(file: str, header: Sequence[str], columns: Sequence[str], optional: Sequence[str]) -> None:
    """Raises DataError where one of the columns is not there, or one is there twice."""
    missing = [name for name in columns if name not in header]
    if missing:
        wanted = ", ".join((*columns, *optional))
        raise DataError(file, 1, f"there is no column {' and no column '.join(missing)}; the columns are {wanted}")
    doubled = [name for name in (*columns, *optional) if header.count(name) > 1]
    if doubled:
        raise DataError(file, 1, f"there are two columns {doubled[0]}")


def read_rows(
    lines: Iterable[str], file: str, columns: tuple[str, ...], optional: tuple[str, ...] = ()
) -> Iterator[Row]:
    """The rows of a file that has at least these columns, one at a time. Others don't matter. Raises DataError."""
    reader = csv.reader(lines, strict=True)
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
        raise DataError(
            file, reader.line_num + 1, "is not UTF-8 text; save it as UTF-8, here or further down"
        ) from error
