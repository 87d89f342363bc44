"""Polling by watermark: page by page from the newest watermark on, less an overlap.

One round goes from ``high`` less the overlap to the end, in pages whose place is a watermark and a key, so that rows
with the same watermark are neither lost nor doubled between two pages. The highest watermark of a round, though never
one beyond the database's own present, is where the next begins from.
"""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import date, datetime
from typing import Any, Final

import msgspec

from segue.api import Event, Fetched, Instant, Rejection, SourceTools
from segue.api.bodies import Refused
from segue.api.cells import read_cell, read_zone
from segue.api.mapping import Reader
from segue_sql.config import Config, check
from segue_sql.marks import Mark, before, decode_mark, encode_mark, kind_of, name_mark
from segue_sql.questions import page
from segue_sql.systems import Answer, open_system

__all__ = ["PAGE", "SqlSource"]

PAGE: Final = 1_000
"""Rows of one page."""
_LARGEST_ROW: Final = 256_000
"""Bytes of a row as JSON."""
_MOST_SEEN: Final = 200_000
"""Rows within the overlap that are remembered, so that they need not be offered again and again."""


class Place(msgspec.Struct, frozen=True):
    """The position: ``high`` is the highest watermark of the rounds before, ``top`` of this one so far; ``after`` the
    row at which the last page of this round ended, None where a round begins. ``type`` is the driver's number of the
    watermark's type."""

    type: int | None = None
    high: Mark | None = None
    top: Mark | None = None
    after: tuple[Mark, Mark] | None = None


class SqlSource:
    """Polls one query."""

    def __init__(self, config: Config, tools: SourceTools) -> None:
        """Raises ValueError where a setting cannot be meant, ImportError where the driver is missing."""
        check(config)
        self._config = config
        self._zone = read_zone(config.zone)
        self._name = tools.source
        self._reader = Reader(config.map, tools.source, _LARGEST_ROW)
        self._system = open_system(config)
        self._seen: set[tuple[Mark, Mark]] = set()
        self._offered: set[tuple[Mark, Mark]] = set()
        self._turn = threading.Lock()
        """One thread at a time: a fetch that was cancelled may still be asking in its own."""

    async def fetch(self, position: str | None) -> Fetched:
        """The next page of rows. Raises Unreached where the database does not answer."""
        return await asyncio.to_thread(self._fetch, _decode(position))

    async def settle(self, fetched: Fetched) -> None:
        """Its rows are committed: within the overlap they need not be offered again."""
        self._seen |= self._offered
        self._offered = set()

    async def close(self) -> None:
        """Let go of the connection."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._turn:
            self._system.close()

    def _fetch(self, place: Place) -> Fetched:
        with self._turn:
            return self._bring(place)

    def _bring(self, place: Place) -> Fetched:
        config = self._config
        high = decode_mark(place.high) if place.high is not None else None
        since = before(high, config.overlap) if high is not None else None
        after = (decode_mark(place.after[0]), decode_mark(place.after[1])) if place.after is not None else None
        statement = page(config.query, config.watermark, config.row_id, self._system.quote, PAGE, since, after)
        answer = self._system.ask(statement)
        names, rows = answer.names, answer.rows
        marks, type_ = self._marks(answer, place)
        events: list[Event] = []
        rejections: list[Rejection] = []
        now = Instant(time.time_ns() // 1000)
        offered: set[tuple[Mark, Mark]] = set()
        for row, mark in zip(rows, marks, strict=True):
            if mark is None:
                rejections.append(self._unordered(names, row))
            elif mark not in self._seen:
                offered.add(mark)
                self._take(names, row, mark, now, events, rejections)
        found = [mark for mark in marks if mark is not None]
        coming = msgspec.structs.replace(self._next(place, found, whole=len(rows) < PAGE), type=type_)
        self._offered = offered
        return Fetched(
            events=tuple(events),
            rejections=tuple(rejections),
            position=_encode(coming) if coming != place else None,
            again=config.every if len(rows) < PAGE else 0.0,
        )

    def _marks(self, answer: Answer, place: Place) -> tuple[list[tuple[Mark, Mark] | None], int]:
        """Watermark and key of each row, None of one that has none to order by (a date of all zeros, infinity); and
        the type of the watermark. Raises ValueError where that is another one than it was."""
        names, rows = answer.names, answer.rows
        places = []
        for setting in ("watermark", "row_id"):
            name = getattr(self._config, setting)
            if names.count(name) != 1:
                raise ValueError(
                    f"`query` should give one column {name!r}, which is the {setting}; it gives {', '.join(names)}"
                )
            places.append(names.index(name))
        found = [(encode_mark(row[places[0]]), encode_mark(row[places[1]])) for row in rows]
        ordered = [mark for mark, key in found if mark is not None and key is not None]
        type_ = answer.types[places[0]]
        if place.high is not None and (
            ordered[-1][0] != place.high[0] if ordered else place.type is not None and type_ != place.type
        ):
            raise ValueError(
                f"`{self._config.watermark}` was {kind_of(place.high)} and is another now: "
                "give the source another name, and it begins anew"
            )
        kind = ordered[-1][0] if ordered else ""
        return [
            (mark, key) if mark is not None and key is not None and mark[0] == kind else None for mark, key in found
        ], type_

    def _take(
        self,
        names: list[str],
        row: tuple[Any, ...],
        mark: tuple[Mark, Mark],
        now: Instant,
        events: list[Event],
        rejections: list[Rejection],
    ) -> None:
        key = f"{self._name}:{name_mark(mark[1])}@{name_mark(mark[0])}"
        payload: dict[str, Any] = {}
        try:
            payload = {name: read_cell(value, self._zone) for name, value in zip(names, row, strict=True)}
            happened = self._happened(row[names.index(self._config.watermark)], now)
            events += self._reader.read_value(payload, now, arrived=happened, key=key)
        except Refused as refused:
            rejections.append(self._rejection(mark, refused.describe(), payload))
        except ValueError as error:
            rejections.append(self._rejection(mark, str(error), payload))

    def _happened(self, watermark: Any, now: Instant) -> Instant:
        """When a row changed, where its mapping names no time: at its watermark, if that is a time."""
        if not isinstance(watermark, datetime):
            return now
        moment = watermark if watermark.tzinfo is not None else watermark.replace(tzinfo=self._zone)
        return Instant(max(0, min(round(moment.timestamp() * 1_000_000), now)))

    def _unordered(self, names: list[str], row: tuple[Any, ...]) -> Rejection:
        values = dict(zip(names, map(str, row), strict=True))
        mark, key = self._config.watermark, self._config.row_id
        reason = f"`{mark}` is {values[mark]}, or `{key}` is {values[key]}: rows cannot be ordered by that"
        return Rejection(place=f"{key} {values[key]}", reason=reason, raw=msgspec.json.encode(values)[:4096])

    def _rejection(self, mark: tuple[Mark, Mark], reason: str, payload: dict[str, Any]) -> Rejection:
        place = f"{self._config.row_id} {name_mark(mark[1])}, {self._config.watermark} {name_mark(mark[0])}"
        return Rejection(place=place, reason=reason, raw=msgspec.json.encode(payload)[:4096])

    def _next(self, place: Place, marks: list[tuple[Mark, Mark]], *, whole: bool) -> Place:
        """Where to go on; at the end of a round, where the next begins."""
        top = marks[-1][0] if marks else place.top
        if not whole and marks:
            return Place(high=place.high, top=top, after=marks[-1])
        if top is None:
            return Place(high=place.high, after=place.after)
        value = decode_mark(top)
        if isinstance(value, date):  # a date with a slip in its year must not hide all that comes until then
            value = min(value, self._present(value))
        high = encode_mark(value)
        if high is None or (place.high is not None and value < decode_mark(place.high)):
            high = place.high
        if high is not None:
            self._forget(before(decode_mark(high), self._config.overlap))
        if self._config.overlap == 0 and high == top:
            return Place(high=high, after=marks[-1] if marks else place.after)  # exactly on from there
        return Place(high=high)

    def _present(self, like: Any) -> Any:
        if not isinstance(like, datetime):
            return self._system.present(zoned=False).date()
        return self._system.present(zoned=like.tzinfo is not None)

    def _forget(self, since: Any) -> None:
        """Remember only what a later round finds again."""
        if len(self._seen) > _MOST_SEEN:
            self._seen.clear()
        self._seen = {mark for mark in self._seen if decode_mark(mark[0]) >= since}


def _encode(place: Place) -> str:
    return msgspec.json.encode(place).decode()


def _decode(position: str | None) -> Place:
    """Raises ValueError where the position is another source's."""
    if position is None:
        return Place()
    try:
        place = msgspec.json.decode(position, type=Place)
        for mark in (place.high, place.top, *(place.after or ())):
            if mark is not None:
                decode_mark(mark)
    except (msgspec.MsgspecError, ValueError, KeyError, ArithmeticError):
        raise ValueError("the stored position is not one of this source: give the source another name") from None
    return place
