"""Conditions on history, by arrays: which events a window holds, when that changes, and whether any happened."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Final

import numpy as np

from segue.api import Instant, Period
from segue.api.values import DAY
from segue.customers.bulk.alone import OfFields, truth_of
from segue.customers.bulk.crowd import NEVER, UNKNOWN, Crowd, Happenings, Longs, Mask
from segue.customers.bulk.outcomes import Outcome
from segue.customers.bulk.reading import fields_of, of_event_alone, timed, zoned
from segue.language import model as m
from segue.program.calendar import add_elapsed
from segue.program.conditions import compile_expression

_EVER: Final = np.iinfo(np.int64).min
_BACK: Final = 8 * DAY
"""How long after it left a window of months an event may come back into it."""
_EARLY: Final = 5 * DAY
"""By how much the moment at which an event leaves such a window is told too early."""
_MOST_MONTHS: Final = 12 * 9_999
"""A window of more months is longer than the calendar: nothing leaves it."""
_FAR: Final = 2**61
"""Longer than any calendar, in microseconds."""


class Selected:
    """The events that a window and a ``where`` leave. ``sure`` are they; ``maybe`` are more, where the ``where`` reads
    what arrays don't hold."""

    __slots__ = ("happenings", "maybe", "sure")

    def __init__(self, happenings: Happenings, sure: Mask, maybe: Mask | None) -> None:
        self.happenings = happenings
        self.sure = sure
        self.maybe = maybe

    def open(self, size: int) -> Mask:
        """Customers with an event of which it is open whether it counts."""
        if self.maybe is None:
            return np.zeros(size, dtype=np.bool_)
        return np.bincount(self.happenings.who[self.maybe & ~self.sure], minlength=size) > 0


class Window:
    """Selects events, and tells when the selection changes by time alone."""

    def __init__(self, node: m.Happened | m.Aggregate, currency: str) -> None:
        self.event = node.event
        self.timed = timed(node)
        self.period = node.window.period if node.window.since == "last" else None
        self._steady = not timed(node.where)
        self._times = node.times if isinstance(node, m.Happened) else None
        self._where: OfFields | None = None
        self._plain = node.where is None
        if node.where is not None and of_event_alone(node.where):
            judge = truth_of(compile_expression(node.where))
            self._where = OfFields(tuple(fields_of(node.where)), currency, judge, zoned=zoned(node.where))

    def select(self, crowd: Crowd, now: Instant) -> Selected:
        """The events that count."""
        happenings = crowd.happenings(self.event)
        inside = (happenings.at > self._since(crowd, happenings, now)) & (happenings.at <= now)
        if self._plain:
            return Selected(happenings, inside, None)
        if self._where is None:
            return Selected(happenings, np.zeros_like(inside), inside)
        return Selected(happenings, inside & self._passes(crowd, happenings, inside), None)

    def _passes(self, crowd: Crowd, happenings: Happenings, among: Mask) -> Mask:
        assert self._where is not None
        passes = np.zeros(len(among), dtype=np.bool_)
        rows = np.flatnonzero(among)
        codes = [happenings.fields[name][rows] for name in self._where.fields]
        passes[rows] = self._where.of(crowd, codes, crowd.zones[happenings.who[rows]]) > 0
        return passes

    def _since(self, crowd: Crowd, happenings: Happenings, now: Instant) -> Longs | int:
        """The last moment before the window, for all or for each event."""
        period = self.period
        if period is None:
            return _EVER
        if not period.months:
            return _before(now, period, None)
        by_zone = np.array([_before(now, period, zone) for zone in crowd.dictionaries.zones.known], dtype=np.int64)
        return by_zone[crowd.zones[happenings.who]]

    def due(self, crowd: Crowd, now: Instant) -> Longs | None:
        """When the selection may change. Windows of months are told too early, by days."""
        if not self.timed:
            return None
        happenings = crowd.happenings(self.event)
        period = self.period
        if self._times is not None and period is not None and not period.months and self._steady:
            return self._falls_short(crowd, happenings, period, self._times, now)
        due = np.full(crowd.size, NEVER, dtype=np.int64)
        later = happenings.at > now
        if later.any():
            np.minimum.at(due, happenings.who[later], happenings.at[later])
        if period is not None and not period.months:
            length = _length(period)
            inside = ~later & (happenings.at > now - length)
            np.minimum.at(due, happenings.who[inside], happenings.at[inside] + length)
        elif period is not None and period.months < _MOST_MONTHS:
            self._leave_by_months(crowd, happenings, period, now, due)
        if not self._steady:
            due[happenings.who[~later]] = UNKNOWN
        return due

    def _falls_short(self, crowd: Crowd, happenings: Happenings, period: Period, times: int, now: Instant) -> Longs:
        """When so many events are no longer in the window: when the last of the newest so many leaves it; or when an
        event comes that is dated later than now."""
        length = _length(period)
        due = np.full(crowd.size, NEVER, dtype=np.int64)
        inside = (happenings.at > now - length) & (happenings.at <= now)
        unsure: Mask | None = None
        if self._where is not None:
            inside &= self._passes(crowd, happenings, inside)
        elif not self._plain:
            unsure = np.bincount(happenings.who[inside], minlength=crowd.size) > 0
        if times > 0:
            at = happenings.at[inside]
            counts = np.bincount(happenings.who[inside], minlength=crowd.size)
            ends = np.cumsum(counts)
            enough = np.flatnonzero(counts >= times)
            due[enough] = at[ends[enough] - times] + length
        if unsure is not None:
            due[unsure] = UNKNOWN
        later = happenings.at > now
        if later.any():
            np.minimum.at(due, happenings.who[later], happenings.at[later])
        return due

    def _leave_by_months(self, crowd: Crowd, happenings: Happenings, period: Period, now: Instant, due: Longs) -> None:
        since = self._since(crowd, happenings, now)
        inside = (happenings.at <= now) & (happenings.at > since)
        leaves = _months_later(happenings.at[inside], period) - _EARLY
        np.minimum.at(due, happenings.who[inside], leaves)
        at_the_edge = (happenings.at <= since) & (happenings.at > np.maximum(since, _EVER + _BACK) - _BACK)
        due[happenings.who[at_the_edge]] = UNKNOWN
        due[due <= now] = UNKNOWN


def _length(period: Period) -> int:
    return min(period.days * DAY + period.micros, _FAR)


def _before(now: Instant, period: Period, zone: tzinfo | None) -> int:
    try:
        return add_elapsed(now, period, zone or UTC, -1)
    except (OverflowError, ValueError):
        return _EVER  # a window longer than the calendar: ever


def _months_later(at: Longs, period: Period) -> Longs:
    """About when an event leaves a window of months: three days too late at most."""
    moments = at.astype("datetime64[us]")
    months = moments.astype("datetime64[M]")
    into = moments - months.astype("datetime64[us]")
    later: Longs = ((months + period.months).astype("datetime64[us]") + into).astype(np.int64)
    return later + _length(period)


class OfHappened:
    """Whether an event happened, at least so many times."""

    def __init__(self, node: m.Happened, currency: str) -> None:
        self._times = node.times
        self._window = Window(node, currency)

    def look(self, crowd: Crowd, now: Instant, *, dues: bool) -> Outcome:
        selected = self._window.select(crowd, now)
        count = np.bincount(selected.happenings.who[selected.sure], minlength=crowd.size)
        yes = count >= self._times
        if selected.maybe is None:
            no = ~yes
        else:
            no = np.bincount(selected.happenings.who[selected.maybe], minlength=crowd.size) < self._times
        return Outcome(yes, no, self._window.due(crowd, now) if dues else None)
