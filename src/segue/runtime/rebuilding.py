"""The index of who is in which segment, built for all customers who existed when it began to be kept.

The silent look that `segue.runtime.lookouts` takes at one customer, for many by arrays. Beside a store on disk they are
looked at ahead of the writer, which then has little to do for each piece. That is safe: whoever had an input since the
watch began was looked at before it, and is known to have been, so what was found ahead holds for all others. Who was a
member under the meaning that a segment had before, or whom the condition fails for, is looked at alone, since more
follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from segue.api import Instant
from segue.customers.bulk.crowd import NEVER, Longs, Mask
from segue.runtime.lookouts import Lookouts
from segue.runtime.running import YEAR, Running
from segue.runtime.surveying import Found, Surveyor
from segue.runtime.turn import Done, Turn
from segue.store import lookouts as lookout_rows
from segue.store.crowds import Histories, customers_with
from segue.store.database import Transaction, read_only
from segue.store.lookouts import Watch
from segue.store.schedules import load_customers_in

_AHEAD: Final = 5_000
"""Customers that are looked at ahead of the writer at once."""
_EVENTS: Final = 1_000_000
"""Events that are held at once meanwhile: about 50 MB."""
_ROWS: Final = 3_000
"""Rows of the index that one transaction may come to write: about 10 ms."""


class Ahead:
    """What was found for the customers above ``after``, up to ``upto``, as of a moment. ``numbers`` are theirs, as far
    as they are left to be written."""

    __slots__ = ("after", "at", "found", "numbers", "upto")

    def __init__(self, at: Instant, after: int, upto: int, numbers: Longs, found: Mapping[str, Found]) -> None:
        self.at = at
        self.after = after
        self.upto = upto
        self.numbers = numbers
        self.found = found

    def serves(self, watches: Sequence[Watch]) -> bool:
        """Whether this is what these watches have to go on with."""
        return all(
            (watch.at, watch.cursor) == (self.at, self.after) and watch.subject in self.found for watch in watches
        )

    def split(self, limit: int) -> tuple[Ahead, Ahead | None]:
        """The first so many customers, and the rest (None: there is none)."""
        if len(self.numbers) <= limit:
            return self, None
        last = int(self.numbers[limit - 1])
        first = Ahead(
            self.at,
            self.after,
            last,
            self.numbers[:limit],
            {name: _part(one, slice(limit)) for name, one in self.found.items()},
        )
        rest = {name: _part(one, slice(limit, None)) for name, one in self.found.items()}
        return first, Ahead(self.at, last, self.upto, self.numbers[limit:], rest)


def _part(found: Found, rows: slice) -> Found:
    return Found(found.member[rows], found.due[rows], found.failed[rows], found.alone)


class Rebuilder:
    """Looks ahead for one book: what it learns of values holds from piece to piece."""

    def __init__(self, running: Running, names: Sequence[str]) -> None:
        self.running = running
        self.names = tuple(names)
        self._surveyor = Surveyor(running, self.names)
        self._histories: Histories | None = None
        self._of: tuple[Instant, int, int] = (Instant(0), 0, 0)
        """Under which watch the histories were brought, and of which customers: those above a number, up to another."""

    def look_ahead(self, path: Path) -> Ahead | None:
        """Look at the next customers of a store on disk, beside its writer; None where there is nothing to do."""
        look = partial(read_only, path, much=True)
        with look() as tx:
            watches = lookout_rows.load_watches(tx)
            known = [watches[name] for name in self.names if name in watches]
            if len(known) < len(self.names) or any(one.complete for one in known):
                return None
            if len({(one.at, one.cursor, one.last) for one in known}) > 1:
                return None
            watch, size = known[0], customers_with(tx, _EVENTS)
        at, after, upto = self._of
        if at != watch.at or not after <= watch.cursor < upto:
            self._of = watch.at, watch.cursor, min(watch.cursor + size, watch.last)
            self._histories = self._surveyor.load_histories(look, watch.cursor + 1, self._of[2])
        with look() as tx:
            turn = Turn(tx, self.running, watch.at)
            return self.survey(turn, msgspec.structs.replace(watch, last=self._of[2]), _AHEAD, self._histories)

    def survey(self, turn: Turn, watch: Watch, limit: int, histories: Histories | None = None) -> Ahead:
        """Look at the next customers of a watch, within a transaction."""
        rows, more = load_customers_in(turn.tx, None, watch.cursor, watch.last, limit)
        found: dict[str, Found] = {}
        if rows:
            crowd = self._surveyor.gather(turn, rows, histories)
            found = {name: self._surveyor.look(turn, crowd, name, watch.at) for name in self.names}
        upto = more if more is not None else watch.last
        return Ahead(watch.at, watch.cursor, upto, np.array(rows, dtype=np.int64), found)


class Piece(msgspec.Struct, frozen=True):
    """What came of a piece: what was done, what is left of what was found ahead, and whether all have been looked
    at."""

    done: Done
    ahead: Ahead | None
    complete: bool


def look_at_segments(
    tx: Transaction, running: Running, names: Sequence[str], ahead: Ahead | None, now: Instant, limit: int
) -> Piece:
    """Write a piece of the index. What was not found ahead is found here."""
    watches = lookout_rows.load_watches(tx)
    known = [watch for name in names if (watch := watches.get(name)) is not None and not watch.complete]
    turn = Turn(tx, running, now)
    lookouts = turn.lookouts
    known = [watch for watch in known if lookouts is not None and watch.subject in lookouts.subjects]
    if lookouts is None or not known or len({(one.at, one.cursor, one.last) for one in known}) > 1:
        return Piece(turn.flush(), None, True)
    limit = max(1, min(limit, _ROWS // len(known)))
    if ahead is None or not ahead.serves(known):
        ahead = _rebuilder(tx, running, tuple(one.subject for one in known)).survey(turn, known[0], limit)
    piece, rest = ahead.split(limit)
    if len(piece.numbers):
        there, _ = load_customers_in(tx, None, int(piece.numbers[0]) - 1, int(piece.numbers[-1]), len(piece.numbers))
        # some may have been erased, or turned out to be somebody else, since they were looked at
        gone = ~np.isin(piece.numbers, np.array(there, dtype=np.int64))
        for watch in known:
            _settle(turn, lookouts, watch, piece, gone)
    for watch in known:
        lookouts.cover(watch.subject, piece.upto)
    done = turn.flush()
    lookout_rows.put_watches(tx, [msgspec.structs.replace(watch, cursor=piece.upto) for watch in known])
    complete = piece.upto >= known[0].last
    if complete:
        tx.store.caches.pop("rebuilder", None)
    return Piece(done, rest, complete)


def _rebuilder(tx: Transaction, running: Running, names: tuple[str, ...]) -> Rebuilder:
    """That of the piece before, where it was about the same segments."""
    kept: dict[str, Rebuilder] = tx.store.caches.setdefault("rebuilder", {})
    known = kept.get("")
    if known is None or known.running is not running or known.names != names:
        known = kept[""] = Rebuilder(running, names)
    return known


def _settle(turn: Turn, lookouts: Lookouts, watch: Watch, piece: Ahead, gone: Mask) -> None:
    """Write what was found for one segment, but for those who are known already, and those to be looked at alone."""
    tx, running, found, numbers = turn.tx, turn.running, piece.found[watch.subject], piece.numbers
    due = np.where(found.due == NEVER, NEVER, np.maximum(found.due, watch.at + 1))
    if running.recurs_until is not None:
        due[due > running.recurs_until + YEAR] = NEVER
    kept = (found.member | (due != NEVER)) & ~gone
    alone = found.failed & ~gone
    place_of = {number: place for place, number in enumerate(numbers.tolist())}
    dropped: list[tuple[str, int]] = []
    for number, member, since in lookout_rows.load_range(tx, watch.subject, int(numbers[0]), int(numbers[-1])):
        place = place_of.get(number)
        if place is None:
            continue
        if since == watch.at:  # an input came first
            kept[place] = alone[place] = False
        elif member != found.member[place]:
            alone[place] = True
        elif not kept[place]:
            dropped.append((watch.subject, number))
    lookout_rows.remove_lookouts(tx, dropped)
    kept &= ~alone
    dues = [None if moment == NEVER else moment for moment in due[kept].tolist()]
    lookout_rows.put_range(tx, watch, numbers[kept].tolist(), found.member[kept].tolist(), dues)
    soonest = int(due[kept].min(initial=NEVER))
    if soonest != NEVER:
        lookouts.expect(Instant(soonest))
    rows = numbers[alone].tolist()
    turn.load(rows)
    for row in rows:
        lookouts.settle(turn.people[row], watch.subject)
