"""The paths that customers took, from files of touches and journeys, or of paths already counted."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

import msgspec

from segue.api import Instant, Path, Paths
from segue.measure.tables import DataError, Row, read_rows

__all__ = ["DataError", "Journeys", "read_aggregated", "read_journeys"]

ARROW = ">"


class Journeys(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """The paths that journeys took, and what could not become part of one.

    ``journeys``                  all journeys that were read
    ``untouched``                 journeys without a touch
    ``unattributed_conversions``  of these, how many converted, and with what value
    ``late``                      touches after the conversion of their journey; they had no part in it
    ``unknown``                   touches of journeys that the other file does not have
    ``absent``                    optional columns that were not there, and were taken as 0
    """

    paths: Paths
    journeys: float
    untouched: float = 0
    unattributed_conversions: float = 0
    unattributed_value: float = 0.0
    late: int = 0
    unknown: int = 0
    absent: tuple[str, ...] = ()


class _Journey(msgspec.Struct):
    converted: bool
    value: float
    at: Instant | None
    touches: list[tuple[Instant, str]] = []


def read_journeys(
    touches: Iterable[str], journeys: Iterable[str], touches_file: str = "touches", journeys_file: str = "journeys"
) -> Journeys:
    """Put each journey's touches in order of time.

    ``touches`` are the lines of a CSV file with ``journey_id, channel, ts``; ``journeys`` of one with
    ``journey_id, converted, value, ts``, where ``ts`` is the conversion's, and may be empty. Touches of one instant
    stay in the order of the file; one at the very instant of the conversion counts. Rows are read one at a time, in any
    order. Raises DataError at the first line that is wrong.
    """
    known = _read_journeys(journeys, journeys_file)
    unknown = 0
    names: dict[str, str] = {}
    for row in read_rows(touches, touches_file, ("journey_id", "channel", "ts")):
        channel = row.text("channel")
        at = row.instant("ts")
        if at is None:
            raise row.error("ts is empty; without its time a touch has no place on the path")
        journey = known.get(row.text("journey_id"))
        if journey is None:
            unknown += 1
        else:
            # One string per channel: a million touches name a dozen of them.
            journey.touches.append((at, names.setdefault(channel, channel)))
    return _assemble(known, unknown)


def _read_journeys(lines: Iterable[str], file: str) -> dict[str, _Journey]:
    known: dict[str, _Journey] = {}
    for row in read_rows(lines, file, ("journey_id", "converted", "value", "ts")):
        name = row.text("journey_id")
        if name in known:
            raise row.error(f"journey {name} is there a second time; a journey has one line")
        converted = row.flag("converted")
        value = row.amount("value")
        known[name] = _Journey(converted, value if converted else 0.0, row.instant("ts"))
    return known


def _assemble(known: dict[str, _Journey], unknown: int) -> Journeys:
    paths = []
    untouched = late = conversions = 0
    value = 0.0
    for journey in known.values():
        end = journey.at if journey.converted else None
        counted = sorted((touch for touch in journey.touches if end is None or touch[0] <= end), key=itemgetter(0))
        late += len(journey.touches) - len(counted)
        if not counted:
            untouched += 1
            conversions += journey.converted
            value += journey.value
            continue
        paths.append(
            Path(
                channels=tuple(channel for _, channel in counted),
                conversions=float(journey.converted),
                value=journey.value,
                times=tuple(at for at, _ in counted),
                converted_at=end,
            )
        )
    return Journeys(
        paths=Paths.of(paths),
        journeys=len(known),
        untouched=untouched,
        unattributed_conversions=conversions,
        unattributed_value=value,
        late=late,
        unknown=unknown,
    )


def read_aggregated(lines: Iterable[str], file: str = "paths") -> Journeys:
    """Paths that were counted elsewhere: a CSV file with ``path`` (``email > ads > email``), ``total_conversions``,
    ``total_conversion_value`` and ``total_null`` (journeys on that path that did not convert). The last two may be
    absent. The same path on two lines is added up by the model. Raises DataError at the first line that is wrong."""
    optional = ("total_conversion_value", "total_null")
    paths = []
    present: set[str] = set(optional)
    journeys = untouched = conversions = value = 0.0
    for row in read_rows(lines, file, ("path", "total_conversions"), optional):
        present = {name for name in optional if name in row.cells}
        path = _aggregated(row)
        journeys += path.count
        if path.channels:
            paths.append(path)
        else:
            untouched += path.count
            conversions += path.conversions
            value += path.value
    return Journeys(
        paths=Paths.of(paths),
        journeys=journeys,
        untouched=untouched,
        unattributed_conversions=conversions,
        unattributed_value=value,
        absent=tuple(name for name in optional if name not in present),
    )


def _aggregated(row: Row) -> Path:
    cell = row.cells["path"].strip()
    channels = tuple(channel.strip() for channel in cell.split(ARROW)) if cell else ()
    if not all(channels):
        raise row.error(f"path is “{cell}”; write channels with {ARROW} between them, as in email {ARROW} ads")
    conversions = row.amount("total_conversions")
    value = row.amount("total_conversion_value")
    return Path(channels, conversions, value, count=conversions + row.amount("total_null"))
