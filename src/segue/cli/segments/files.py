"""The members of a segment as files for other programs: CSV and Parquet."""

from __future__ import annotations

import contextlib
import csv
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

from segue.cli.spreadsheets import cell

Members = Callable[[], Iterable[tuple[str, Mapping[str, Any]]]]
"""Goes through the members anew: the id of each, and the traits."""

MOST_COLUMNS: Final = 200
_ROWS: Final = 50_000
CUSTOMER: Final = "customer"
"""The first column: the customer's id as the shop knows it."""


class NoParquet(Exception):
    """pyarrow, which writes Parquet, is not installed."""


class Columns:
    """The traits that members have, most common ones first, and what their values are. ``left_out`` are those beyond
    the most that a table takes."""

    def __init__(self, members: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        counts: Counter[str] = Counter()
        kinds: dict[str, set[str]] = {}
        for _, traits in members:
            counts.update(traits.keys())
            for name, value in traits.items():
                if value is not None:
                    kinds.setdefault(name, set()).add(type(value).__name__)
        counts.pop(CUSTOMER, None)  # a column of that name is there
        common = [name for name, _ in counts.most_common(MOST_COLUMNS)]
        self.names = sorted(common)
        self.left_out = len(counts) - len(common)
        self._kinds = kinds

    def kind(self, name: str) -> str:
        """What all values of a trait are: ``bool``, ``int``, ``float``, ``str``, or ``json`` where they are of several
        kinds, or nested."""
        found = self._kinds.get(name, {"str"})
        if found <= {"int", "float"}:
            return "int" if found == {"int"} else "float"
        return next(iter(found)) if len(found) == 1 and found <= {"bool", "str"} else "json"


def write_csv(path: Path, members: Members) -> tuple[int, Columns]:
    """Write a CSV file (RFC 4180, UTF-8). How many rows, and the columns. Raises OSError."""
    columns = Columns(members())
    written = 0
    with _create(path) as file:
        table = csv.writer(file, lineterminator="\r\n")
        table.writerow(map(cell, (CUSTOMER, *columns.names)))
        for key, traits in members():
            table.writerow([cell(key), *(cell(traits.get(name)) for name in columns.names)])
            written += 1
    return written, columns


def write_parquet(path: Path, members: Members) -> tuple[int, Columns]:
    """Write a Parquet file: each trait a column of the kind that its values are of, in JSON where these are several.
    How many rows, and the columns. Raises OSError, NoParquet."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise NoParquet from error
    columns = Columns(members())
    types = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(), "str": pa.string(), "json": pa.string()}
    kinds = {name: columns.kind(name) for name in columns.names}
    schema = pa.schema([(CUSTOMER, pa.string()), *((name, types[kind]) for name, kind in kinds.items())])
    written = 0
    with _create(path, "wb") as file, parquet.ParquetWriter(file, schema) as table:
        for rows in _in_pieces(members()):
            held = [[key for key, _ in rows]]
            for name, kind in kinds.items():
                held.append([_fitting(traits.get(name), kind) for _, traits in rows])
            table.write_table(pa.table(held, schema=schema))
            written += len(rows)
    return written, columns


_LONGEST: Final = 2**63


def _fitting(value: Any, kind: str) -> Any:
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


def _in_pieces(members: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[list[tuple[str, Mapping[str, Any]]]]:
    waiting = iter(members)
    while rows := list(islice(waiting, _ROWS)):
        yield rows


def _create(path: Path, mode: str = "w") -> IO[Any]:
    """A new file that only its owner reads."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(handle, mode) if "b" in mode else os.fdopen(handle, mode, encoding="utf-8", newline="")
