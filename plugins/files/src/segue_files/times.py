"""Times as a file writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from segue.api import Instant, from_datetime, to_rfc3339
from segue.api.bodies import Refused
from segue.api.instants import read_instant

__all__ = ["Times"]

_NUMBER: Final = re.compile(r"-?\d{1,20}(\.\d{1,9})?")


class Times:
    """Reads times: by a form of `datetime.strptime`, else RFC 3339 and Unix time. Those without a zone are meant in
    ``zone``."""

    def __init__(self, form: str, zone: tzinfo) -> None:
        self._form = form
        self._zone = zone

    def read(self, written: Any, field: str) -> Instant:
        """The instant that is meant. Raises Refused."""
        if isinstance(written, bool) or not isinstance(written, str | int | float):
            raise Refused(field, f"is {str(written)[:40]!r}, which is no time")
        try:
            if not isinstance(written, str):
                return read_instant(written)
            text = written.strip()
            if self._form:
                return self._instant_of(datetime.strptime(text, self._form))  # noqa: DTZ007 - the zone follows
            if _NUMBER.fullmatch(text):
                return read_instant(float(text))
            if self._zone is not UTC and (plain := _without_zone(text)) is not None:
                return self._instant_of(plain)
            return read_instant(text)
        except (ValueError, OverflowError) as error:
            why = f"is {str(written)[:40]!r}, which is not written as {self._form}" if self._form else str(error)
            raise Refused(field, why) from None

    def rewritten(self, written: Any, field: str) -> str:
        """The same time in RFC 3339."""
        return to_rfc3339(self.read(written, field))

    def _instant_of(self, moment: datetime) -> Instant:
        placed = moment if moment.tzinfo is not None else moment.replace(tzinfo=self._zone)
        instant = from_datetime(placed.astimezone(UTC))
        if instant < 0:
            raise ValueError("is before 1970")
        return instant


def _without_zone(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is None else None
