"""Past events in: pieces that `segue import` has put into the store are taken in here, by whoever holds it.

A piece goes through the same intake as everything that arrives, in transactions that hold the writer for a moment only
and come after all other work. It begins no journey, unless that was asked for; it may stop one. What was imported is
known by a key of its own for good, however short the history is kept.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import structlog

from segue.api import Event, Instant
from segue.runtime.crashpoints import reach
from segue.runtime.inbox import BATCH
from segue.runtime.ingest import Intake
from segue.runtime.running import Running
from segue.runtime.source_clocks import SourceClocks
from segue.runtime.turn import Done, Turn
from segue.store import imports as import_rows
from segue.store.database import LAST, Store, Transaction
from segue.store.errors import StoreUnavailable
from segue.store.imports import Outcome, Piece

_log = structlog.get_logger("segue")

HOLD: Final = 0.03
"""Seconds that a transaction should hold the writer, its commit included. Some commits take longer than most: so much
less than the 50 ms that a transaction may take."""
_SOON: Final = 0.02
_LATER: Final = 0.5
"""Seconds between two looks for a piece where none waited: soon after the last one, and after a while."""


def take_past(
    tx: Transaction,
    running: Running,
    events: Sequence[Event],
    now: Instant,
    *,
    starts: bool = False,
    enough: Callable[[], bool] = lambda: False,
) -> tuple[Outcome, Done]:
    """Take past events in, in their order, until that is ``enough``: the first of them in any case. With ``starts``
    they begin journeys as if they arrived now: those that are not too old."""
    keys = {event.message_id: import_rows.key_of(event.message_id) for event in events}
    known = import_rows.find_known(tx, keys)
    intake = Intake(Turn(tx, running, now))
    intake.expect([event for event in events if event.message_id not in known] if known else events)
    count = accepted = 0
    new: dict[str, bytes] = {}
    for event in events:
        count += 1
        if event.message_id not in known:
            accepted += intake.take(event, now, imported=not starts)
            new[event.message_id] = keys[event.message_id]
        if enough():
            break
    done = intake.close()
    # What is refused for its name is not known for good: once that is declared it may come again.
    import_rows.put_known(tx, (key for message_id, key in new.items() if message_id not in intake.unnamed))
    erased = intake.refused - len(intake.unnamed)
    return Outcome(accepted, count - accepted - intake.refused, erased, tuple(intake.unnamed.items())), done


class Importer:
    """Takes pieces in, one after the other, for as long as it runs."""

    def __init__(
        self,
        store: Store,
        running: Callable[[], Running],
        now: Callable[[], Instant],
        listener: Callable[[Done], None],
        clocks: SourceClocks | None = None,
        hold: float = HOLD,
    ) -> None:
        """``hold`` is how long a transaction should take; half of that goes by taking events in."""
        self._store = store
        self._running = running
        self._now = now
        self._listener = listener
        self._clocks = clocks
        self._seen: Sequence[Event] = ()
        self._hold = hold
        self._size = 200
        self._began, self._taken = 0.0, 0
        self._rest_for = _SOON
        self._piece: Piece | None = None
        self._task: asyncio.Task[None] | None = None
        self._looking = asyncio.Event()

    def start(self) -> None:
        """Begin to look for pieces."""
        self._task = asyncio.create_task(self._serve(), name="importer")

    async def stop(self) -> None:
        """Stop between two transactions: what is left is taken in by whoever holds the store next."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def look(self) -> None:
        """Look for a piece at once."""
        self._looking.set()

    async def _serve(self) -> None:
        pause = 0.1
        while True:
            try:
                if await self._step():
                    self._rest_for = _SOON
                else:
                    self._looking.clear()
                    await self._rest()
                pause = 0.1
            except StoreUnavailable as error:
                _log.error("the store cannot write", error=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._looking.wait(), self._rest_for)
        except TimeoutError:
            self._rest_for = min(self._rest_for * 2, _LATER)

    async def _step(self) -> bool:
        """Take some events of the piece at hand in; False where none waits."""
        size = self._size
        try:
            taking = self._store.write(partial(self._take, size=size), LAST)
            taking.add_done_callback(self._measure)
            done = await asyncio.wrap_future(taking)
        except StoreUnavailable:
            self._piece = None
            raise
        except Exception as error:
            # One event that cannot be taken in must not keep the others out: ever smaller pieces find it.
            if size > 1:
                self._size = max(1, size // 4)
                return True
            done = await asyncio.wrap_future(self._store.write(partial(self._refuse, error=error), LAST))
        if done is None:
            return False
        if self._clocks is not None:
            self._clocks.note(self._seen, self._now(), called=False)
        self._seen = ()
        self._listener(done)
        return True

    def _take(self, tx: Transaction, size: int) -> Done | None:
        self._began, self._taken = time.perf_counter(), 0
        piece = self._look_up(tx)
        if piece is None:
            return None
        events = piece.events[:size]
        end = self._began + self._hold / 2
        outcome, done = take_past(
            tx,
            self._running(),
            events,
            self._now(),
            starts=piece.starts,
            enough=lambda: time.perf_counter() > end,
        )
        reach("in-import")
        self._advance(tx, piece, outcome)
        self._taken, self._seen = outcome.count, events[: outcome.count]
        if self._taken < len(events):  # the rest was looked up for nothing
            self._size -= (self._size - self._taken) // 4
        return done

    def _measure(self, _: object) -> None:
        """A transaction is over: the next takes in as much as fits into the time that one may take. Called by the
        writer, right after the commit."""
        seconds = time.perf_counter() - self._began
        if seconds > self._hold:
            self._size = max(1, int(self._taken * self._hold / seconds))
        elif self._taken == self._size:
            self._size = min(BATCH, self._size + max(1, self._size // 8))

    def _refuse(self, tx: Transaction, error: Exception) -> Done | None:
        piece = self._look_up(tx)
        if piece is None:
            return None
        event = piece.events[0]
        reason = f"{type(error).__name__}: {error}"
        _log.error("a past event cannot be taken in", message_id=event.message_id, error=reason)
        self._advance(tx, piece, Outcome(faults=((event.message_id, reason),)))
        return Done(())

    def _look_up(self, tx: Transaction) -> Piece | None:
        """The piece at hand, as it was left: decoding it anew for each transaction would be most of the work."""
        if self._piece is None:
            self._piece = import_rows.load_piece(tx)
        return self._piece

    def _advance(self, tx: Transaction, piece: Piece, outcome: Outcome) -> None:
        import_rows.advance_piece(tx, piece, outcome)
        rest = piece.events[outcome.count :]
        self._piece = Piece(piece.row, piece.of, rest, piece.taken + outcome.count, piece.starts) if rest else None
