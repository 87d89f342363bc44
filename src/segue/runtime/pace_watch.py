"""The daemon's look, once a minute, at rules that say how many they expect."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import structlog

from segue.api import Instant
from segue.runtime.pace import Pace, look_at_paces, tidy_paces
from segue.runtime.running import Running
from segue.store.database import LAST, Store, Transaction
from segue.store.errors import StoreUnavailable

_log = structlog.get_logger("segue")


class PaceWatch:
    """How the rules do, as of the last look."""

    def __init__(self, store: Store, running: Callable[[], Running], now: Callable[[], Instant]) -> None:
        self.paces: Mapping[str, Pace] = {}
        self._store = store
        self._running = running
        self._now = now
        self._looking: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Compare what was counted with what is expected, and say what changed."""
        if any(program.rule.expect is not None for program in self._running().current.values()):
            self._looking = asyncio.create_task(self._compare())

    async def _compare(self) -> None:
        def job(tx: Transaction) -> list[Pace]:
            running, now = self._running(), self._now()
            tidy_paces(tx, running, now)
            return look_at_paces(tx, running, now)

        try:
            found = await asyncio.wrap_future(self._store.write(job, LAST))
        except StoreUnavailable:
            return  # the next minute asks again
        for pace in found:
            before = self.paces.get(pace.rule)
            if pace.state != (before.state if before is not None else "as expected"):
                say = _log.info if pace.state == "as expected" else _log.warning
                say(f"entries: {pace.state}", rule=pace.rule, entered=pace.counted, expected=pace.expected)
        self.paces = {pace.rule: pace for pace in found}
