"""Channels that are polled: what they bring is committed as a provider's call would be, and only then settled.

A mailbox that cannot be read is asked ever less often, and holds up nothing: sending goes on, and so do the others.
Wall time is what counts between two polls, however fast Segue's own clock goes: the outside does not go faster by it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

import structlog

from segue.api import Callback, Polled
from segue.host import Fault
from segue.runtime.asking import FIRST_PAUSE, Asking
from segue.runtime.busy import Busy
from segue.store.errors import StoreUnavailable

_log = structlog.get_logger("segue")

UNREACHABLE_FIRST: Final = 2.0
UNREACHABLE_LONGEST: Final = 300.0
"""Seconds until a channel that could not be polled is asked again."""

Settle = Callable[[str, Callback], Awaitable[None]]


class Polls(Protocol):
    """A channel as the loop asks it: `segue.host.channels.OpenChannel`, or a test's."""

    async def poll(self) -> Polled: ...
    async def settle(self, polled: Polled) -> None: ...


class Poller(Asking):
    """The loop of one channel. What it counts is since the start."""

    def __init__(self, name: str, channel: Polls, settle: Settle) -> None:
        super().__init__("channel", name)
        self.reports = 0
        """Reports and replies that were committed, those that came before among them."""
        self._channel = channel
        self._settle = settle

    async def _go_on(self) -> None:
        pause = UNREACHABLE_FIRST
        while not self._stopping.is_set():
            try:
                polled = await self._ask(self._channel.poll())
                if polled is None or not await self._commit(polled):
                    return
                await self._channel.settle(polled)
            except Fault:  # whoever opened it has told why
                pause = await self._pause(pause, UNREACHABLE_LONGEST)
                continue
            pause = UNREACHABLE_FIRST
            if polled.again is None:
                return
            await self._unless_stopping(asyncio.sleep(polled.again))

    async def _commit(self, polled: Polled) -> bool:
        """Have everything committed; False where Segue stops before that could be done."""
        pause = FIRST_PAUSE
        while polled.reports or polled.inbound:
            try:
                await self._settle(self.name, Callback(reports=polled.reports, inbound=polled.inbound))
                self.reports += len(polled.reports) + len(polled.inbound)
                return True
            except (Busy, StoreUnavailable) as error:
                if self._stopping.is_set():
                    return False
                if isinstance(error, StoreUnavailable):
                    _log.warning("reports not stored: offered again", channel=self.name, error=str(error))
                pause = await self._pause(max(pause, error.retry_after) if isinstance(error, Busy) else pause)
        return True


class Pollers:
    """The loops of all channels that are polled. ``settle`` is the daemon's, for what providers report."""

    def __init__(self, channels: Mapping[str, Polls], settle: Settle) -> None:
        self.all = {name: Poller(name, channel, settle) for name, channel in channels.items()}

    def start(self) -> None:
        """Begin with all."""
        for poller in self.all.values():
            poller.start()

    async def stop(self) -> None:
        """Stop all, at once."""
        await asyncio.gather(*(poller.stop() for poller in self.all.values()))
