"""What is paused: the daemon hears of it within half a second, whoever said it.

The pause itself holds from the moment it is committed, since every claim looks for it in its own transaction. Here it
is only noticed, so that what waited goes at once when it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import structlog

from segue.clock.bell import Bell
from segue.store.database import Store
from segue.store.errors import StoreUnavailable
from segue.store.pauses import Pause, PauseReader

_log = structlog.get_logger("segue")

EVERY: Final = 0.5
"""Seconds between two looks, of a few microseconds each."""


class Pauses:
    """``now`` are those that hold. ``on_change`` is called when one began or ended."""

    def __init__(self, store: Store, on_change: Callable[[], None]) -> None:
        self.now: tuple[Pause, ...] = ()
        self._store = store
        self._on_change = on_change
        self._reader: PauseReader | None = None

    def start(self, bell: Bell) -> None:
        """Look now, and again and again. Raises StoreUnavailable."""
        if self._store.path is None:
            return
        self._reader = PauseReader(self._store.path)
        self.look()
        bell.ring_every("pauses", EVERY, self.look)

    def stop(self) -> None:
        """Look no more."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def look(self) -> None:
        """Tell of what changed."""
        if self._reader is None:
            return
        try:
            found = self._reader.look()
        except StoreUnavailable as error:
            _log.error("what is paused cannot be read", error=str(error))
            return
        if found is None or found == self.now:
            return
        before, self.now = self.now, found
        for one in found:
            if one not in before:
                _log.warning("paused: nothing is sent", **_named(one), by=one.who, note=one.note or None)
        for one in before:
            if one not in found:
                _log.info("resumed", **_named(one))
        self._on_change()


def _named(one: Pause) -> dict[str, Any]:
    return {one.sort: one.name}
