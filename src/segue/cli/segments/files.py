"""The members of a segment as files for other programs: CSV and Parquet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from segue.cli.tabling import files

Members = Callable[[], Iterable[tuple[str, Mapping[str, Any]]]]
"""Goes through the members anew: the id of each, and the traits."""

MOST_COLUMNS: Final = 200
CUSTOMER: Final = "customer"
"""The first column: the customer's id as the shop knows it."""


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

    def kind(self, name: str) -> files.Type:
        """What all values of a trait are: ``bool``, ``int``, ``float``, ``str``, or ``json`` where they are of several
        kinds, or nested."""
        found = self._kinds.get(name, {"str"})
        if found <= {"int", "float"}:
            return "int" if found == {"int"} else "float"
        if found == {"bool"}:
            return "bool"
        return "str" if found == {"str"} else "json"


def write_csv(path: Path, members: Members) -> tuple[int, Columns]:
    """Write a CSV file. How many rows, and the columns. Raises OSError."""
    columns = Columns(members())
    return files.write_csv(path, (CUSTOMER, *columns.names), _rows(members, columns)), columns


def write_parquet(path: Path, members: Members) -> tuple[int, Columns]:
    """Write a Parquet file: each trait a column of the kind that its values are of, in JSON where these are several.
    How many rows, and the columns. Raises OSError, NoParquet."""
    columns = Columns(members())
    types: dict[str, files.Type] = {CUSTOMER: "str", **{name: columns.kind(name) for name in columns.names}}
    return files.write_parquet(path, types, _rows(members, columns)), columns


def _rows(members: Members, columns: Columns) -> Iterator[list[Any]]:
    for key, traits in members():
        yield [key, *(traits.get(name) for name in columns.names)]
