"""From a row to events, by a mapping."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping as Mapped
from typing import Any, Final

from segue.api import Event, Instant
from segue.api.mapping import Mapping, Reader
from segue_files.conventions import content_id
from segue_files.times import Times

__all__ = ["MappedMeaning"]

_COLUMN: Final = re.compile(r"""\$(?:\.([^.\[\]|\s'"]+)|\['([^']*)'\]|\["([^"]*)"\])""")
_LARGEST_ROW: Final = 1_000_000


class MappedMeaning:
    """What the rows of one file mean, by a mapping."""

    def __init__(self, mapping: Mapping, *, source: str, times: Times, undated: Instant) -> None:
        self._reader = Reader(mapping, source, _LARGEST_ROW)
        self._times = times
        self._undated = undated
        found = _COLUMN.match(mapping.time)
        self._time = next((name for name in found.groups() if name is not None), "") if found is not None else ""

    def events_of(self, values: Mapped[str, Any]) -> tuple[Event, ...]:
        """The events of a row. One without an id of its own gets one of its content. Raises Refused."""
        key = content_id(values)
        if self._time in values:
            values = {**values, self._time: self._times.rewritten(values[self._time], self._time)}
        now = Instant(time.time_ns() // 1000)
        return self._reader.read_value(values, now, arrived=self._undated, key=key)
