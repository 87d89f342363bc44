"""The stretch of time that a report is about."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo

import msgspec

from segue.api import Instant, from_datetime
from segue.api.values import DAY
from segue.program.calendar import at_wall, local


class Period(msgspec.Struct, frozen=True):
    """From ``since`` until before ``until``."""

    since: Instant
    until: Instant

    def __contains__(self, moment: Instant) -> bool:
        return self.since <= moment < self.until

    def before(self, zone: tzinfo) -> Period:
        """The stretch before this one that it is fair to compare with: as many days earlier as this has days, begun
        ones included, from and until the same times of the day. One of a few hours, unless they are the first of a
        day, is compared with the hours before it."""
        if self.of_hours(zone):
            return Period(Instant(2 * self.since - self.until), self.since)
        back = timedelta(days=len(self.days(zone)))
        return Period(*(_shifted(moment, back, zone) for moment in (self.since, self.until)))

    def of_hours(self, zone: tzinfo) -> bool:
        """Whether this is a few hours, which are no day that has begun."""
        return self.until - self.since < DAY and at_wall(local(self.since, zone).date(), 0, zone) != self.since

    def days(self, zone: tzinfo) -> list[date]:
        """Each day of the zone's calendar of which a part is in the period, the first one first."""
        if self.until <= self.since:
            return []
        first, last = local(self.since, zone).date(), local(Instant(self.until - 1), zone).date()
        return [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]

    def splits(self, zone: tzinfo) -> list[Period]:
        """The period by days, the first and last of which may be parts of days."""
        starts = [at_wall(day, 0, zone) for day in self.days(zone)]
        ends = [*starts[1:], self.until]
        return [Period(max(start, self.since), end) for start, end in zip(starts, ends, strict=True)]


def _shifted(moment: Instant, back: timedelta, zone: tzinfo) -> Instant:
    wall = local(moment, zone)
    return from_datetime(datetime.combine(wall.date() - back, wall.time().replace(fold=0), tzinfo=zone))
