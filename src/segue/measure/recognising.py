"""Files of journeys and of counted paths, whatever they are written in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, cast

from segue.measure import rows
from segue.measure.paths import Journeys
from segue.measure.tables import DataError

__all__ = ["is_gzip", "is_parquet", "read_journey_files", "read_path_file"]

LARGE = 4_000_000
"""Bytes of CSV from which on it pays to load pyarrow."""


def is_parquet(path: Path) -> bool:
    """Parquet is known by its first bytes, whatever the file is called."""
    return _first_bytes(path) == b"PAR1"


def is_gzip(path: Path) -> bool:
    """Whether a file is compressed with gzip, whatever it is called."""
    return _first_bytes(path)[:2] == b"\x1f\x8b"


def _first_bytes(path: Path) -> bytes:
    """Of a pipe none: what is peeked at is gone."""
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(4)


@contextmanager
def _open(path: Path) -> Iterator[IO[str]]:
    """The lines of a text, compressed or not, in UTF-8, or in UTF-16 where it begins with the mark of that."""
    begins = _first_bytes(path)
    encoding = "utf-16" if begins[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    if not is_gzip(path):
        with path.open(encoding=encoding, newline="") as file:
            yield file
        return
    import gzip
    import zlib

    try:
        with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as unpacked:
            yield cast("IO[str]", unpacked)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(str(path), 1, f"cannot be unpacked: {error}") from error


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
    with _open(touches) as touch_lines, _open(journeys) as journey_lines:
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
    with _open(path) as lines:
        return rows.read_aggregated(lines, str(path))


def _by_column(parquet: list[Path], *paths: Path) -> bool:
    installed = find_spec("pyarrow") is not None
    if parquet and not installed:
        raise DataError(str(parquet[0]), 1, "is Parquet, which pyarrow reads: pip install 'segue[parquet]'")
    return bool(parquet) or (installed and sum(path.stat().st_size for path in paths) >= LARGE)
