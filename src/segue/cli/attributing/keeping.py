"""Paths counted from day to day: a file that a day's journeys are added to, and that any model reads."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

from segue.measure import DataError, Journeys, read_path_file
from segue.measure.paths import add_up
from segue.measure.rows import ARROW, COUNTED, OPTIONAL

__all__ = ["add_to"]


def add_to(state: Path, day: Journeys) -> Journeys:
    """Add a day's journeys to the paths counted in ``state`` (made where there is none), and give them all.

    The file is replaced at once, so that whoever is interrupted has the old one or the new. Raises DataError, OSError.
    """
    for name in day.paths.names:
        if ARROW in name or name != name.strip():
            raise DataError(
                str(state), 1, f"the channel “{name}” cannot stand in a path, where {ARROW} parts channels; rename it"
            )
    whole = add_up(read_path_file(state), day) if state.exists() else add_up(day)
    _replace(state, whole)
    return whole


def _replace(state: Path, whole: Journeys) -> None:
    beside = state.with_name(f".{state.name}.new")
    try:
        if state.suffix.lower() == ".parquet":
            _write_parquet(beside, whole)
        else:
            with beside.open("w", encoding="utf-8", newline="") as file:
                table = csv.writer(file, lineterminator="\n")
                table.writerow((*COUNTED, *OPTIONAL))
                table.writerows(_rows(whole))
        os.replace(beside, state)
    finally:
        beside.unlink(missing_ok=True)


def _rows(whole: Journeys) -> Iterator[tuple[str, float, float, float]]:
    for path in whole.paths.each():
        yield f" {ARROW} ".join(path.channels), path.conversions, path.value, path.count - path.conversions
    if whole.untouched:
        unattributed = whole.unattributed_conversions
        yield "", unattributed, whole.unattributed_value, whole.untouched - unattributed


def _write_parquet(place: Path, whole: Journeys) -> None:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise DataError(str(place), 1, "Parquet is written by pyarrow: pip install 'segue[parquet]'") from None
    columns = list(zip(*_rows(whole), strict=True)) or [()] * 4
    kinds = (pa.string(), pa.float64(), pa.float64(), pa.float64())
    arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    parquet.write_table(pa.table(dict(zip((*COUNTED, *OPTIONAL), arrays, strict=True))), place)
