"""Rows as files for other programs: CSV and Parquet, whatever the rows are of."""

from __future__ import annotations

import contextlib
import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, Literal

from segue.cli.spreadsheets import cell

Type = Literal["bool", "int", "float", "str", "json"]
"""What all values of a column of Parquet are; ``json`` where they are of several kinds, or nested."""
_ROWS: Final = 50_000
_LONGEST: Final = 2**63


class NoParquet(Exception):
    """Parquet is written by pyarrow, which is not installed: pip install 'segue[parquet]'"""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def write_csv(path: Path, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write a CSV file (RFC 4180, UTF-8) that only its owner reads. How many rows. Raises OSError: also where there is
    such a file."""
    written = 0
    with create(path) as file:
        table = csv.writer(file, lineterminator="\r\n")
        table.writerow(map(cell, names))
        for row in rows:
            table.writerow(map(cell, row))
            written += 1
    return written


def write_parquet(path: Path, types: Mapping[str, Type], rows: Iterable[Sequence[Any]]) -> int:
    """Write a Parquet file that only its owner reads, with the rows' values in the order of ``types``. How many rows.
    Raises OSError, NoParquet."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise NoParquet from error
    kinds = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(), "str": pa.string(), "json": pa.string()}
    schema = pa.schema([(name, kinds[kind]) for name, kind in types.items()])
    written = 0
    with create(path, "wb") as file, parquet.ParquetWriter(file, schema) as table:
        for piece in _in_pieces(rows):
            held = [[_fitting(row[at], kind) for row in piece] for at, kind in enumerate(types.values())]
            table.write_table(pa.table(held, schema=schema))
            written += len(piece)
    return written


def _fitting(value: Any, kind: Type) -> Any:
    """A value for a column of a kind; a number too large for one is missing."""
    if value is None:
        return None
    if kind == "json":
        return json.dumps(value, ensure_ascii=False)
    if kind == "float":
        with contextlib.suppress(OverflowError):
            return float(value)
        return None
    return None if kind == "int" and not -_LONGEST <= value < _LONGEST else value


def _in_pieces(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    waiting = iter(rows)
    while piece := list(islice(waiting, _ROWS)):
        yield piece


def create(path: Path, mode: str = "w") -> IO[Any]:
    """A new file that only its owner reads."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(handle, mode) if "b" in mode else os.fdopen(handle, mode, encoding="utf-8", newline="")
