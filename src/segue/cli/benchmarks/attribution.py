"""How long ``segue attribute`` takes from Parquet, the start of its process included: from counted paths, and from the
touches and journeys that they are of. Beside it what Python, pyarrow and numpy take to start, read the same files and
add up one column."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from segue.cli.benchmarks.figures import Tell
from segue.measure.table import Column, Table

WHOLE: Final = 1_000_000
QUICK: Final = 100_000
_TIMES: Final = 3
_BEGIN: Final = 1_767_225_600_000_000
_MONTH: Final = 30 * 86_400_000_000
_MODELS: Final = {
    "first, last, linear": ("first", "last", "linear"),
    "position-based, w-shaped": ("position-based", "w-shaped"),
    "time-decay": ("time-decay",),
    "markov": ("markov",),
    "shapley": ("shapley",),
}
_SEGUE: Final = "from segue.cli.main import main; main()"
_SCAN: Final = """
import sys, numpy, pyarrow.parquet
table = pyarrow.parquet.read_table(sys.argv[1], read_dictionary=["path"])
kinds = table["path"].combine_chunks().indices
numpy.bincount(numpy.from_dlpack(kinds), numpy.from_dlpack(table["total_conversions"].combine_chunks()))
"""
_SCAN_JOURNEYS: Final = """
import sys, numpy, pyarrow.parquet
touches = pyarrow.parquet.read_table(sys.argv[1], read_dictionary=["channel"])
journeys = pyarrow.parquet.read_table(sys.argv[2])
numpy.bincount(numpy.from_dlpack(touches["channel"].combine_chunks().indices))
numpy.from_dlpack(journeys["value"].combine_chunks()).sum()
"""


def measure_attribution(paths: int, tell: Tell, folder: Path | None = None) -> Table:
    """A row for each kind of file and group of models: the best of three runs, and how many times the bare scan that
    is."""
    with TemporaryDirectory(dir=folder) as place:
        counted, touches, journeys = (Path(place) / f"{name}.parquet" for name in ("paths", "touches", "journeys"))
        tell(f"{paths:,} paths")
        _write(counted, touches, journeys, paths)
        rows = []
        for what, scan, files in (
            ("counted paths", _SCAN, {"--paths": counted}),
            ("touches and journeys", _SCAN_JOURNEYS, {"--touches": touches, "--journeys": journeys}),
        ):
            bare = _best([sys.executable, "-c", scan, *map(str, files.values())])
            for title, models in _MODELS.items():
                # Counted paths have no times.
                if models == ("time-decay",) and "--paths" in files:
                    continue
                tell(f"{what}: {title}")
                asked = [part for model in models for part in ("--model", model)]
                given = [part for option, file in files.items() for part in (option, str(file))]
                seconds = _best([sys.executable, "-c", _SEGUE, "attribute", "--json", *asked, *given])
                rows.append((what, title, paths, seconds, bare, seconds / bare))
    columns = (
        Column("files", "files"),
        Column("models", "models"),
        Column("paths", "paths", "count"),
        Column("seconds", "seconds", "number"),
        Column("bare_seconds", "bare scan", "number"),
        Column("times", "times it", "number"),
    )
    notes = (
        "from the start of the process to its end; bare scan: Python starts, reads the files and adds up one column",
    )
    return Table("bench-attribution", "Attribution from Parquet", columns, tuple(rows), notes)


def _best(command: list[str]) -> float:
    taken = []
    for _ in range(_TIMES):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - started)
    return min(taken)


def _write(counted: Path, touches: Path, journeys: Path, paths: int) -> None:
    """Journeys of 3.2 touches on average within a month, from twelve channels, one in eight converting."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import parquet

    random = np.random.default_rng(6)
    lengths = 1 + random.poisson(2.2, paths)
    met = int(lengths.sum())
    names = pa.array([f"channel {number}" for number in range(12)])
    channels = names.take(pa.array(np.minimum(random.geometric(0.25, met) - 1, 11)))
    starts = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
    converted = random.random(paths) < 0.125
    won = converted.astype(np.float64)
    values = won * random.exponential(60, paths)
    of_paths = {
        "path": pc.binary_join(pa.ListArray.from_arrays(starts, channels), " > "),
        "total_conversions": won,
        "total_conversion_value": values,
        "total_null": 1 - won,
    }
    parquet.write_table(pa.table(of_paths), counted)
    owners = np.repeat(np.arange(paths), lengths)
    times = random.integers(_BEGIN, _BEGIN + _MONTH, met)
    ids = pc.binary_join_element_wise("j", pc.utf8_lpad(pa.array(np.arange(paths)).cast(pa.string()), 9, "0"), "")
    kind = pa.timestamp("us", tz="UTC")
    ordered = pa.array(times[np.lexsort((times, owners))]).cast(kind)
    of_touches = {"journey_id": ids.take(pa.array(owners)), "channel": channels, "ts": ordered}
    parquet.write_table(pa.table(of_touches), touches)
    ends = pa.array(np.where(converted, _BEGIN + _MONTH, 0), mask=~converted).cast(kind)
    parquet.write_table(pa.table({"journey_id": ids, "converted": converted, "value": values, "ts": ends}), journeys)
