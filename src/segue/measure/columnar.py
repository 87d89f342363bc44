"""Journeys and counted paths from Parquet, and from large files of CSV, by whole columns: no Python object for a row.

What is wrong is told by the row for Parquet. For CSV a fault only says that the file must be read again row by row,
which finds the line.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.measure.arrow import ArrowTable, are_empty, to_arrow, to_coded, to_numpy
from segue.measure.paths import Coded, Journeys, Outcomes, Touches, put_together, put_together_counted
from segue.measure.rows import ARROW, COUNTED, JOURNEYS, NOBODY, OPTIONAL, TOUCHES, TWICE, split_path

if TYPE_CHECKING:
    from segue.api.attribution import Floats

__all__ = ["read_aggregated", "read_journeys"]


def read_journeys(touches: Path, journeys: Path, by: str | None = None) -> Journeys:
    """Journeys as `segue.measure.rows.read_journeys` reads them. Raises DataError."""
    import numpy as np
    import pyarrow.compute as pc

    ids, outcomes, repeated = _read_outcomes(ArrowTable(journeys, JOURNEYS))
    table = ArrowTable(touches, TOUCHES if by is None else (*TOUCHES, by))
    times, given = table.instants("ts")
    if not given.all():
        table.fail(int(np.argmin(given)), "ts is empty; without its time a touch has no place on the path")
    # Touches of a journey mostly stand together: each run is looked up once.
    of_touches = table.strings("journey_id")
    runs = np.ones(len(of_touches), np.bool_)
    if of_touches.null_count:
        table.fail(int(np.argmin(to_numpy(pc.is_valid(of_touches)))), "journey_id is empty")
    runs[1:] = to_numpy(pc.not_equal(of_touches[1:], of_touches[:-1]))
    starts = np.flatnonzero(runs)
    of_runs = pc.utf8_trim_whitespace(of_touches.take(to_arrow(starts)))
    empty = are_empty(of_runs)
    if empty.any():
        table.fail(int(starts[np.argmax(empty)]), "journey_id is empty")
    if of_runs.equals(ids):
        looked_up = np.arange(len(ids))
    else:
        looked_up = to_numpy(pc.fill_null(pc.index_in(of_runs, value_set=ids), -1)).astype(np.int64)
    owners = np.repeat(looked_up, np.diff(np.append(starts, len(of_touches))))
    return put_together(
        Touches(
            journeys=owners,
            channels=table.coded("channel"),
            times=times,
            labels=None if by is None else table.coded(by, NOBODY),
        ),
        outcomes,
        repeated,
    )


def _read_outcomes(table: ArrowTable) -> tuple[Any, Outcomes, int]:
    """The journeys, their outcomes, and how many rows only say again what an earlier one said."""
    import numpy as np
    import pyarrow.compute as pc

    ids = table.texts("journey_id")
    times, given = table.instants("ts")
    converted, values, times = table.flags("converted"), table.amounts("value"), np.where(given, times, 0)
    repeated = 0
    if not pc.all(pc.less(ids[:-1], ids[1:]), min_count=0).as_py():
        earlier = to_numpy(pc.index_in(ids, value_set=ids))
        again = earlier != np.arange(len(ids))
        contradicts = again & np.logical_or.reduce([column != column[earlier] for column in (converted, values, times)])
        if contradicts.any():
            row = int(np.argmax(contradicts))
            table.fail(row, TWICE.format(ids[row]))
        repeated = int(again.sum())
        if repeated:
            kept = np.flatnonzero(~again)
            ids = ids.take(to_arrow(kept))
            converted, values, times = converted[kept], values[kept], times[kept]
    return ids, Outcomes(converted=converted, values=values, times=times), repeated


def read_aggregated(path: Path) -> Journeys:
    """Counted paths as `segue.measure.rows.read_aggregated` reads them. Raises DataError."""
    import numpy as np
    import pyarrow.compute as pc

    table = ArrowTable(path, COUNTED, OPTIONAL)
    # A path that stands in many rows is taken apart once, and its rows are added up.
    rows = table.dictionary("path")
    written = rows.dictionary
    kinds = to_numpy(rows.indices)
    parts = pc.split_pattern(written, ARROW)
    lengths = np.diff(to_numpy(parts.offsets)).astype(np.int64)
    empty = are_empty(pc.utf8_trim_whitespace(written))
    coded = to_coded(pc.dictionary_encode(parts.flatten()))
    nameless = np.array([not name for name in coded.names], np.bool_)[coded.codes] if coded.names else np.zeros(0, bool)
    faulty = np.zeros(len(lengths), np.bool_)
    faulty[np.repeat(np.arange(len(lengths)), lengths)[nameless]] = True
    faulty &= ~empty
    if faulty.any():
        row = int(np.argmax(faulty[kinds]))
        try:
            split_path(written[int(kinds[row])].as_py())
        except ValueError as error:
            table.fail(row, str(error))
    lengths[empty] = 0

    def added_up(name: str) -> Floats:
        if name not in table.names:
            return np.zeros(len(lengths))
        added: Floats = np.bincount(kinds, table.amounts(name), len(lengths)).astype(np.float64, copy=False)
        return added

    return put_together_counted(
        Coded(coded.names, coded.codes[~nameless]),
        lengths,
        added_up("total_conversions"),
        added_up("total_conversion_value"),
        added_up("total_null"),
        tuple(name for name in OPTIONAL if name not in table.names),
    )
