"""Journeys and counted paths from rows of CSV, one at a time: needs no extra, and knows the line of a fault."""

from __future__ import annotations

from collections.abc import Iterable

from segue.measure.paths import Coded, Journeys, Outcomes, Touches, put_together, put_together_counted
from segue.measure.tables import Row, read_rows

__all__ = ["ARROW", "COUNTED", "JOURNEYS", "NOBODY", "OPTIONAL", "TOUCHES", "TWICE", "split_path"]

ARROW = ">"
TOUCHES = ("journey_id", "channel", "ts")
JOURNEYS = ("journey_id", "converted", "value", "ts")
COUNTED = ("path", "total_conversions")
OPTIONAL = ("total_conversion_value", "total_null")
NOBODY = "(none)"
"""The label of a touch that has none: without a campaign, say."""
TWICE = "journey {} is there a second time, with another outcome; a journey has one line, and each conversion a journey"


def read_journeys(
    touches: Iterable[str],
    journeys: Iterable[str],
    touches_file: str = "touches",
    journeys_file: str = "journeys",
    by: str | None = None,
) -> Journeys:
    """Put each journey's touches in order of time.

    ``touches`` are the lines of a CSV file with ``journey_id, channel, ts``; ``journeys`` of one with
    ``journey_id, converted, value, ts``, where ``ts`` is the conversion's, and may be empty. ``by`` is a further column
    of the touches. Touches of one instant stay in the order of the file; one at the very instant of the conversion
    counts. A line of journeys that only says again what an earlier one said counts once. Rows are read one at a time,
    in any order. Raises DataError at the first line that is wrong.
    """
    import numpy as np

    known, outcomes, repeated = _read_outcomes(journeys, journeys_file)
    owners: list[int] = []
    channels: list[int] = []
    times: list[int] = []
    labels: list[int] = []
    names: dict[str, int] = {}
    labelled: dict[str, int] = {}
    for row in read_rows(touches, touches_file, TOUCHES if by is None else (*TOUCHES, by)):
        at = row.instant("ts")
        if at is None:
            raise row.error("ts is empty; without its time a touch has no place on the path")
        channel = row.text("channel")
        channels.append(names.setdefault(channel, len(names)))
        owners.append(known.get(row.text("journey_id"), -1))
        times.append(at)
        if by is not None:
            label = row.cells[by].strip() or NOBODY
            labels.append(labelled.setdefault(label, len(labelled)))
    return put_together(
        Touches(
            journeys=np.array(owners, np.int64),
            channels=Coded(tuple(names), np.array(channels, np.int32)),
            times=np.array(times, np.int64),
            labels=None if by is None else Coded(tuple(labelled), np.array(labels, np.int32)),
        ),
        outcomes,
        repeated,
    )


def _read_outcomes(lines: Iterable[str], file: str) -> tuple[dict[str, int], Outcomes, int]:
    """The place of each journey, the outcomes by these places, and how many lines only say again what one said."""
    import numpy as np

    known: dict[str, int] = {}
    converted: list[bool] = []
    values: list[float] = []
    times: list[int] = []
    repeated = 0
    for row in read_rows(lines, file, JOURNEYS):
        name = row.text("journey_id")
        outcome = row.flag("converted"), row.amount("value"), row.instant("ts") or 0
        place = known.setdefault(name, len(known))
        if place < len(converted):
            if outcome != (converted[place], values[place], times[place]):
                raise row.error(TWICE.format(name))
            repeated += 1
            continue
        converted.append(outcome[0])
        values.append(outcome[1])
        times.append(outcome[2])
    outcomes = Outcomes(
        converted=np.array(converted, np.bool_),
        values=np.array(values, np.float64),
        times=np.array(times, np.int64),
    )
    return known, outcomes, repeated


def read_aggregated(lines: Iterable[str], file: str = "paths") -> Journeys:
    """Paths that were counted elsewhere: a CSV file with ``path`` (``email > ads > email``), ``total_conversions``,
    ``total_conversion_value`` and ``total_null`` (journeys on that path that did not convert). The last two may be
    absent. The same path may stand on two lines. Raises DataError at the first line that is wrong."""
    import numpy as np

    present: set[str] = set(OPTIONAL)
    names: dict[str, int] = {}
    channels: list[int] = []
    lengths: list[int] = []
    figures: list[tuple[float, float, float]] = []
    for row in read_rows(lines, file, COUNTED, OPTIONAL):
        present = {name for name in OPTIONAL if name in row.cells}
        path = _split(row)
        channels.extend([names.setdefault(channel, len(names)) for channel in path])
        lengths.append(len(path))
        figures.append(
            (row.amount("total_conversions"), row.amount("total_conversion_value"), row.amount("total_null"))
        )
    conversions, values, nulls = np.array(figures, np.float64).reshape(-1, 3).T
    return put_together_counted(
        Coded(tuple(names), np.array(channels, np.int32)),
        np.array(lengths, np.int64),
        conversions,
        values,
        nulls,
        tuple(name for name in OPTIONAL if name not in present),
    )


def _split(row: Row) -> tuple[str, ...]:
    try:
        return split_path(row.cells["path"])
    except ValueError as error:
        raise row.error(str(error)) from None


def split_path(cell: str) -> tuple[str, ...]:
    """The channels of a written path. Raises ValueError in words."""
    channels = tuple(channel.strip() for channel in cell.split(ARROW)) if cell.strip() else ()
    if not all(channels):
        raise ValueError(f"path is “{cell.strip()}”; write channels with {ARROW} between them, as in email {ARROW} ads")
    return channels
