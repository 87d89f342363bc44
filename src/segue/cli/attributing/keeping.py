"""Paths counted from day to day: a file that a day's journeys are added to, and that any model reads."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from segue.measure import DataError, Journeys, ModelError, read_path_file
from segue.measure.paths import add_up
from segue.measure.rows import ARROW, COUNTED, OPTIONAL

__all__ = ["add_to", "keep"]


def add_to(state: Path, day: Journeys, again: bool) -> Journeys:
    """The paths counted in ``state`` and a day's journeys together. Changes nothing yet: `keep` does. Raises DataError,
    OSError: also where exactly these journeys were added before, unless told to add them ``again``."""
    for name in day.paths.names:
        if ARROW in name or name != name.strip():
            raise DataError(
                str(state), 1, f"the channel “{name}” cannot stand in a path, where {ARROW} parts channels; rename it"
            )
    if not state.exists():
        return add_up(day)
    if not again and day.journeys and _told(day) in _added(state):
        raise ModelError(
            f"{state}: exactly these journeys were added to it before, and nothing was added now; "
            f"--paths {state} gives its figures, and --again adds another day that was the same"
        )
    return add_up(read_path_file(state), day)


def keep(state: Path, whole: Journeys, day: Journeys) -> None:
    """Replace ``state`` by paths that `add_to` gave, and remember beside it that the day is among them.

    The file is replaced at once, so that whoever is interrupted has the old one or the new. Raises DataError, OSError.
    """
    beside = state.with_name(f".{state.name}.new")
    noted = _added(state)
    try:
        _write(beside, whole, parquet=state.suffix.lower() == ".parquet")
        # Noted first, with what the file will be: an entry that the file does not bear out was never carried out.
        told = _told(day)
        noted.pop(told, None)
        noted[told] = _hash(beside)
        lines = "".join(f"{one} {made}\n" for one, made in noted.items())
        _notes(state).write_text(lines, "utf-8")
        os.replace(beside, state)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(state)) from error
    finally:
        beside.unlink(missing_ok=True)


def _notes(state: Path) -> Path:
    return state.with_name(f"{state.name}.added")


def _added(state: Path) -> dict[str, str]:
    """What was added to a file, each with what the file became by it."""
    notes = _notes(state)
    if not notes.exists() or not state.exists():
        return {}
    noted = dict(line.split(" ", 1) for line in notes.read_text("utf-8").splitlines() if " " in line)
    if noted and [*noted.values()][-1] != _hash(state):
        noted.popitem()
    return noted


def _hash(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _told(day: Journeys) -> str:
    """Stands for exactly these journeys: their channels, times, outcomes and order."""
    import numpy as np

    paths = day.paths
    told = hashlib.sha256()
    names = sorted(paths.names)
    places = {name: place for place, name in enumerate(names)}
    codes = np.array([places[name] for name in paths.names], np.int32)[paths.channels] if names else paths.channels
    counts = (day.journeys, day.untouched, day.unattributed_conversions, day.unattributed_value)
    told.update(repr((names, *counts)).encode())
    for column in (codes, paths.starts, paths.conversions, paths.values, paths.counts, paths.times):
        if column is not None:
            told.update(column.tobytes())
    return told.hexdigest()


def _write(place: Path, whole: Journeys, *, parquet: bool) -> None:
    if parquet:
        _write_parquet(place, whole)
        return
    with place.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow((*COUNTED, *OPTIONAL))
        table.writerows(_rows(whole))


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
