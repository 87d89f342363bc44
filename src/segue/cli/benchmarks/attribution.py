"""How long ``segue attribute`` takes from a Parquet file of counted paths, the start of its process included; beside it
what Python, pyarrow and numpy take to start, read the same file and add up one column."""

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
_MODELS: Final = {
    "first, last, linear": ("first", "last", "linear"),
    "position-based, w-shaped": ("position-based", "w-shaped"),
    "markov": ("markov",),
    "shapley": ("shapley",),
}
_SCAN: Final = """
import sys, numpy, pyarrow.parquet
table = pyarrow.parquet.read_table(sys.argv[1], read_dictionary=["path"])
kinds = table["path"].combine_chunks().indices
numpy.bincount(numpy.from_dlpack(kinds), numpy.from_dlpack(table["total_conversions"].combine_chunks()))
"""


def measure_attribution(paths: int, tell: Tell, folder: Path | None = None) -> Table:
    """A row for each group of models: the best of three runs, and how many times the bare scan that is."""
    with TemporaryDirectory(dir=folder) as place:
        file = Path(place) / "paths.parquet"
        tell(f"{paths:,} paths")
        _write(file, paths)
        bare = _best([sys.executable, "-c", _SCAN, str(file)])
        rows = []
        for title, models in _MODELS.items():
            tell(title)
            asked = [part for model in models for part in ("--model", model)]
            command = [sys.executable, "-c", "from segue.cli.main import main; main()", "attribute", "--json", *asked]
            seconds = _best([*command, "--paths", str(file)])
            rows.append((title, paths, seconds, bare, seconds / bare))
    columns = (
        Column("models", "models"),
        Column("paths", "paths", "count"),
        Column("seconds", "seconds", "number"),
        Column("bare_seconds", "bare scan", "number"),
        Column("times", "times it", "number"),
    )
    notes = (
        "from the start of the process to its end; bare scan: Python starts, reads the file and adds up one column",
    )
    return Table("bench-attribution", "Attribution from Parquet", columns, tuple(rows), notes)


def _best(command: list[str]) -> float:
    taken = []
    for _ in range(_TIMES):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - started)
    return min(taken)


def _write(file: Path, paths: int) -> None:
    """Paths of 3.2 touches on average, from twelve channels, one journey in eight converting."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import parquet

    random = np.random.default_rng(6)
    lengths = 1 + random.poisson(2.2, paths)
    names = pa.array([f"channel {number}" for number in range(12)])
    touches = names.take(pa.array(np.minimum(random.geometric(0.25, int(lengths.sum())) - 1, 11)))
    starts = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
    converted = (random.random(paths) < 0.125).astype(np.float64)
    table = {
        "path": pc.binary_join(pa.ListArray.from_arrays(starts, touches), " > "),
        "total_conversions": converted,
        "total_conversion_value": converted * random.exponential(60, paths),
        "total_null": 1 - converted,
    }
    parquet.write_table(pa.table(table), file)
