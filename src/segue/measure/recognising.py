"""Files of journeys and of counted paths, whatever they are written in."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from segue.measure import rows
from segue.measure.paths import Journeys
from segue.measure.tables import DataError

__all__ = ["is_parquet", "read_journey_files", "read_path_file"]

LARGE = 4_000_000
"""Bytes of CSV from which on it pays to load pyarrow."""


def is_parquet(path: Path) -> bool:
    """Parquet is known by its first bytes, whatever the file is called. A pipe has none: what is peeked at is gone."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def read_journey_files(touches: Path, journeys: Path, by: str | None = None) -> Journeys:
    """Journeys from a file of touches and one of journeys, each CSV or Parquet. Raises DataError, OSError."""
    parquet = [path for path in (touches, journeys) if is_parquet(path)]
    if _by_column(parquet, touches, journeys):
        from segue.measure import columnar

        try:
            return columnar.read_journeys(touches, journeys, by)
        except DataError:
            if parquet:
                raise
            # The rows are read again, one by one, to find the line.
    with (
        touches.open(encoding="utf-8-sig", newline="") as touch_lines,
        journeys.open(encoding="utf-8-sig", newline="") as journey_lines,
    ):
        return rows.read_journeys(touch_lines, journey_lines, str(touches), str(journeys), by)


def read_path_file(path: Path) -> Journeys:
    """Counted paths from a file of CSV or Parquet. Raises DataError, OSError."""
    parquet = [path] if is_parquet(path) else []
    if _by_column(parquet, path):
        from segue.measure import columnar

        try:
            return columnar.read_aggregated(path)
        except DataError:
            if parquet:
                raise
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return rows.read_aggregated(lines, str(path))


def _by_column(parquet: list[Path], *paths: Path) -> bool:
    installed = find_spec("pyarrow") is not None
    if parquet and not installed:
        raise DataError(str(parquet[0]), 1, "is Parquet, which pyarrow reads: pip install 'segue[parquet]'")
    return bool(parquet) or (installed and sum(path.stat().st_size for path in paths) >= LARGE)
