"""Where a command's tables go: the terminal, JSON lines, CSV or Parquet."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from segue.cli.leaving import USAGE, counted, fail, print_json
from segue.cli.tabling.files import NoParquet, Type, write_csv, write_parquet
from segue.cli.tabling.shown import Shown
from segue.cli.tabling.terminal import print_table
from segue.diagnostics.render.printable import encodable
from segue.measure.table import Kind, Table

_TYPES: Final[dict[Kind, Type]] = {
    "text": "str",
    "count": "int",
    "number": "float",
    "share": "float",
    "money": "float",
    "duration": "float",
    "instant": "str",
}


def put(
    tables: Sequence[Table],
    *,
    json: bool = False,
    csv: Path | None = None,
    parquet: Path | None = None,
    shown: Shown | None = None,
) -> None:
    """Print the tables, as JSON lines or for people, or write them to files: one table to the file named, several to a
    folder of that name, each in a file of its own. Files are never overwritten. Ends the command where a file can't be
    written."""
    places = [
        (table, place, write)
        for path, suffix, write in ((csv, ".csv", _csv), (parquet, ".parquet", _parquet))
        if path is not None
        for table, place in _places(tables, path, suffix)
    ]
    for _, place, _ in places:
        if place.exists():
            fail(f"{place} exists already: give another name", USAGE)
    for table, place, write in places:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            write(place, table)
        except NoParquet as error:
            fail(str(error), USAGE)
        except OSError as error:
            with contextlib.suppress(OSError):
                place.unlink(missing_ok=True)
            fail(f"{place}: {error.strerror or error}")
        print(f"{counted(len(table.rows), 'row')} written to {place}", file=sys.stderr)
    if json:
        for table in tables:
            for record in table.records():
                print_json({"table": table.name, **_encodable(record)})
    elif not places:
        for table in tables:
            print_table(table, shown)


def _encodable(record: Mapping[str, object]) -> dict[str, object]:
    return {name: encodable(cell) for name, cell in record.items()}


def _places(tables: Sequence[Table], path: Path, suffix: str) -> Iterator[tuple[Table, Path]]:
    if len(tables) == 1 and not path.is_dir():
        yield tables[0], path
    else:
        yield from ((table, path / f"{table.name}{suffix}") for table in tables)


def _csv(path: Path, table: Table) -> None:
    write_csv(path, [column.name for column in table.columns], table.rows)


def _parquet(path: Path, table: Table) -> None:
    write_parquet(path, {column.name: _TYPES[column.kind] for column in table.columns}, table.rows)
