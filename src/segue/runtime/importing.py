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

_HOLD: Final = 0.02
"""Seconds that events may take within a transaction: the commit of so many new pages takes as long again."""
_LOOK: Final = 0.5
"""Seconds between two looks for a piece where none waited."""


def take_past(
    tx: Transaction, running: Running, events: Sequence[Event], now: Instant, *, starts: bool = False
) -> tuple[Outcome, Done]:
    """Take past events in. With ``starts`` they begin journeys as if they arrived now: those that are not too old."""
    keys = {event.message_id: import_rows.key_of(event.message_id) for event in events}
    known = import_rows.find_known(tx, keys)
    fresh = [event for event in events if event.message_id not in known] if known else events
    intake = Intake(Turn(tx, running, now))
    intake.expect(fresh)
    accepted = sum(intake.take(event, now, imported=not starts) for event in fresh)
    done = intake.close()
    unnamed = intake.unnamed  # not known for good: once they are declared they may come again
    import_rows.put_known(
        tx, (key for message_id, key in keys.items() if message_id not in known and message_id not in unnamed)
    )
    erased = intake.refused - len(unnamed)
    return Outcome(accepted, len(events) - accepted - intake.refused, erased, tuple(unnamed.items())), done


class Importer:
    """Takes pieces in, one after the other, for as long as it runs."""

    def __init__(
        self,
        store: Store,
        running: Callable[[], Running],
        now: Callable[[], Instant],
        listener: Callable[[Done], None],
        clocks: SourceClocks | None = None,
    ) -> None:
        self._store = store
        self._running = running
        self._now = now
        self._listener = listener
        self._clocks = clocks
        self._taken: Sequence[Event] = ()
        self._size = 200
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
                if not await self._step():
                    self._looking.clear()
                    await self._rest()
                pause = 0.1
            except StoreUnavailable as error:
                _log.error("the store cannot write", error=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._looking.wait(), _LOOK)
        except TimeoutError:
            return

    async def _step(self) -> bool:
        """Take some events of the piece at hand in; False where none waits."""
        size = self._size
        try:
            done = await asyncio.wrap_future(self._store.write(partial(self._take, size=size), LAST))
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
            self._clocks.note(self._taken, self._now(), called=False)
        self._taken = ()
        self._listener(done)
        return True

    def _take(self, tx: Transaction, size: int) -> Done | None:
        began = time.perf_counter()
        piece = self._look_up(tx)
        if piece is None:
            return None
        events = piece.events[:size]
        outcome, done = take_past(tx, self._running(), events, self._now(), starts=piece.starts)
        self._taken = events
        reach("in-import")
        self._advance(tx, piece, outcome)
        seconds = time.perf_counter() - began
        if seconds > _HOLD:
            self._size = max(1, min(size, int(len(events) * _HOLD / seconds)))
        elif size < BATCH and len(events) == size:
            self._size = min(BATCH, size + max(1, size // 4))
        return done

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
