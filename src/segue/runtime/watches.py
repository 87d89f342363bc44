"""What the daemon keeps an eye on beside its work, once a minute: nothing is decided by it, but it is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from segue.api import Instant
from segue.clock.bell import Bell
from segue.runtime.names import NameWatch
from segue.runtime.pace_watch import PaceWatch
from segue.runtime.running import Running
from segue.runtime.source_clocks import SourceClocks
from segue.store.database import Store

EVERY: Final = 60.0
"""Seconds between two looks."""


class Watches:
    """The ``pace`` of rules that expect one, the ``names`` that sources use and nobody declared, and the ``clocks`` of
    sources, of which those that are ``late`` send what is old on purpose."""

    def __init__(
        self, store: Store, running: Callable[[], Running], now: Callable[[], Instant], late: frozenset[str]
    ) -> None:
        self.pace = PaceWatch(store, running, now)
        self.names = NameWatch(store)
        self.clocks = SourceClocks(store, now, late)

    async def start(self, bell: Bell) -> None:
        """Go on from what the store says, and look from now on."""
        await self.clocks.start()
        bell.ring_every("watches", EVERY, self.look)

    def look(self) -> None:
        """Look at all of it."""
        for one in (self.pace, self.names, self.clocks):
            one.look()
