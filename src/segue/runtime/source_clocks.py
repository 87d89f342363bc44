"""Whether the clocks of sources are right: what their events say against when they arrive.

Nothing is corrected by it. An event from the future counts as of its arrival, as always; that a clock is wrong is said
once, whenever that changes, and shown until it is right.
"""

from __future__ import annotations

import asyncio
import statistics
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
import structlog

from segue.api import Event, Instant
from segue.api.values import MINUTE, SECOND
from segue.store.clocks import ClockState, State, load_clocks, put_clocks
from segue.store.database import LAST, Store
from segue.store.errors import StoreUnavailable

_log = structlog.get_logger("segue")

BUCKET: Final = 10 * MINUTE
BUCKETS: Final = 6
"""So many pieces of time in which something came are looked back on at least: what a caller sends after an outage, all
of it old, comes within one or two."""
EVENTS: Final = 200
"""So many events are looked back on at least, where there were so many in `MOST_BUCKETS`."""
MOST_BUCKETS: Final = 500
TOLERANCE: Final = 5 * MINUTE
"""An event is dated in the future where it is later than its arrival by more than that."""
FEWEST: Final = 20
"""Of fewer events nothing is said."""
SHARE: Final = 100
"""Of 1,000 events so many must be dated in the future: a single phone with a wrong clock is not the source's."""
BEHIND: Final = 30 * MINUTE
"""The least lag of all events beyond which a clock, or a zone, is late."""
_SAMPLES: Final = 25


_SAID: Final[Mapping[State, str]] = {
    "ahead": "the clock of a source is ahead: its events count as of their arrival, see `segue doctor`",
    "behind": "the clock of a source is behind, or it sends late: see `segue doctor`",
    "right": "the clock of a source is right again",
}


class _Bucket(msgspec.Struct):
    """The events that arrived within one piece of time. ``lag`` is the least of those that were called in; None where
    there were none."""

    number: int
    events: int = 0
    future: int = 0
    lag: int | None = None
    called: int = 0
    samples: list[int] = []


class _Look(msgspec.Struct, frozen=True):
    """What the events of a source say of its clock."""

    events: int
    state: State
    offset: int
    share: int


class SourceClocks:
    """How the clock of each source stands, as of the last look. Used from one event loop. Of those that are ``late``
    on purpose nothing says that a clock is behind."""

    def __init__(self, store: Store, now: Callable[[], Instant], late: frozenset[str] = frozenset()) -> None:
        self.clocks: Mapping[str, ClockState] = {}
        self._late = late
        self._store = store
        self._now = now
        self._buckets: dict[str, deque[_Bucket]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Go on from what the store says, so that nothing is said again."""
        self.clocks = {one.source: one for one in await asyncio.wrap_future(self._store.write(load_clocks))}

    def note(self, events: Sequence[Event], arrived: Instant, *, called: bool) -> None:
        """Events arrived. Those that were not ``called`` in, but fetched or imported, may be old on purpose: of them
        only the future says something."""
        number = arrived // BUCKET
        limit = arrived + TOLERANCE
        bucket, source, in_time = None, None, called
        for event in events:
            if event.source != source or bucket is None:
                source = event.source
                bucket = self._bucket(source, number)
                in_time = called and source not in self._late
            bucket.events += 1
            timestamp = event.timestamp
            if timestamp > limit:
                bucket.future += 1
                if len(bucket.samples) < _SAMPLES:
                    bucket.samples.append(timestamp - arrived)
            if in_time:
                bucket.called += 1
                if bucket.lag is None or arrived - timestamp < bucket.lag:
                    bucket.lag = arrived - timestamp

    def look(self) -> None:
        """Judge every source, say what changed, and keep it."""
        if self._buckets and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._judge())

    async def _judge(self) -> None:
        now = self._now()
        found = dict(self.clocks)
        for source, buckets in self._buckets.items():
            looked = _look_at(buckets)
            before = found.get(source)
            was_behind = before is not None and before.state == "behind" and source not in self._late
            if looked.events < FEWEST or (was_behind and _is_unsure(buckets)):
                continue
            changed = looked.state != (before.state if before is not None else "right")
            since = now if changed or before is None else before.since
            found[source] = ClockState(source, looked.state, looked.offset, looked.share, since)
        told = [one for one in found.values() if one != self.clocks.get(one.source)]
        if not told:
            return
        try:
            await asyncio.wrap_future(self._store.write(lambda tx: put_clocks(tx, told), LAST))
        except StoreUnavailable:
            return  # the next look says it
        for clock in told:
            known = self.clocks.get(clock.source)
            if clock.state != (known.state if known is not None else "right"):
                say = _log.info if clock.state == "right" else _log.warning
                say(
                    _SAID[clock.state],
                    source=clock.source,
                    ahead_seconds=clock.offset // SECOND,
                    dated_in_the_future_percent=clock.share / 10,
                )
        self.clocks = found

    def _bucket(self, source: str, number: int) -> _Bucket:
        buckets = self._buckets.setdefault(source, deque())
        if not buckets or buckets[-1].number != number:
            buckets.append(_Bucket(number))
            seen = sum(one.events for one in buckets)
            while len(buckets) > MOST_BUCKETS or (len(buckets) > BUCKETS and seen - buckets[0].events >= EVENTS):
                seen -= buckets.popleft().events
        return buckets[-1]


def _is_unsure(buckets: Sequence[_Bucket]) -> bool:
    """Whether too little came, since the start, to say that a clock is not behind any more."""
    lags = [one.lag for one in buckets if one.lag is not None]
    return len(lags) < BUCKETS and all(lag > BEHIND for lag in lags)


def _look_at(buckets: Sequence[_Bucket]) -> _Look:
    events = sum(one.events for one in buckets)
    future = sum(one.future for one in buckets)
    share = future * 1000 // events if events else 0
    if share >= SHARE:
        return _Look(events, "ahead", int(statistics.median(n for one in buckets for n in one.samples)), share)
    lags = [one.lag for one in buckets if one.lag is not None]
    if len(lags) >= BUCKETS and sum(one.called for one in buckets) >= FEWEST and min(lags) > BEHIND:
        return _Look(events, "behind", -min(lags), share)
    return _Look(events, "right", 0, share)
