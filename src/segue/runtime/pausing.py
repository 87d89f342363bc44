"""What commands ask of a daemon that sends: what is paused, dead letters that were put up again, accounts that are to
be called again. It hears of it within half a second, whoever said it.

A pause itself holds from the moment it is committed: every claim looks for it in its own transaction, and what was
claimed before is asked for here once more before it is called. What waited goes at once when it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import structlog

from segue.clock.bell import Bell
from segue.runtime.accounts import Account
from segue.store.database import Store
from segue.store.errors import StoreUnavailable
from segue.store.pauses import Asked, AskedReader, Pause

_log = structlog.get_logger("segue")

EVERY: Final = 0.5
"""Seconds between two looks, of a few microseconds each."""


class Pauses:
    """``now`` are those that hold. ``on_change`` is called when one began or ended, or something else was asked;
    ``accounts`` are those of the channels."""

    def __init__(self, store: Store, on_change: Callable[[], None], accounts: Iterable[Account] = ()) -> None:
        self._asked = Asked()
        self._accounts = {one.name: one for one in accounts}
        self._store = store
        self._on_change = on_change
        self._reader: AskedReader | None = None
        self._begun = False

    @property
    def now(self) -> tuple[Pause, ...]:
        """The pauses that hold."""
        return self._asked.pauses

    def start(self, bell: Bell) -> None:
        """Look now, and again and again. Raises StoreUnavailable."""
        if self._store.path is None:
            return
        self._reader = AskedReader(self._store.path)
        self.look()
        self._begun = True
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
            _log.error("what was asked cannot be read", error=str(error))
            return
        if found is None or found == self._asked:
            return
        if self._begun:  # what was asked before the start, the accounts' state tells
            self._let_go(found.called_again)
        before, self._asked = self._asked.pauses, found
        for one in found.pauses:
            if one not in before:
                _log.warning("paused: nothing is sent", **_named(one), by=one.who, note=one.note or None)
        for one in before:
            if one not in found.pauses:
                _log.info("resumed", **_named(one))
        self._on_change()

    def _let_go(self, asked: dict[str, int]) -> None:
        """Have accounts called again of which that was asked just now."""
        for name, at in asked.items():
            if at != self._asked.called_again.get(name) and name in self._accounts:
                self._accounts[name].let_go()


def _named(one: Pause) -> dict[str, Any]:
    return {one.sort: one.name}
