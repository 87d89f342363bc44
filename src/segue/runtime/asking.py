"""A loop that asks something outside again and again, and outlives whatever goes wrong."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable
from typing import Final, TypeVar

import structlog

T = TypeVar("T")

_log = structlog.get_logger("segue")

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 10.0
"""Seconds before the same is offered again."""


class Asking:
    """What such loops have in common. ``kind`` is what is asked (``source``), ``name`` which one."""

    def __init__(self, kind: str, name: str) -> None:
        self.name = name
        self._kind = kind
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to ask."""
        self._task = asyncio.create_task(self._serve(), name=f"{self._kind} {self.name}")

    async def stop(self) -> None:
        """Ask no more; returns once what was brought is committed and settled, or dropped to come again."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait({self._task})

    async def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._go_on()
                return
            except Exception:
                # A mistake of ours: the loop must not end by it, nor spin.
                _log.exception(f"a {self._kind}'s loop failed", **{self._kind: self.name})
                await self._unless_stopping(asyncio.sleep(LONGEST_PAUSE))

    async def _go_on(self) -> None:
        """Ask until Segue stops."""
        raise NotImplementedError

    async def _ask(self, question: Awaitable[T]) -> T | None:
        """What it answers; None where Segue stops before that: it is cancelled then."""
        asked = asyncio.ensure_future(question)
        stopping = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({asked, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not asked.done():
            asked.cancel()
            await asyncio.wait({asked})
        try:
            return asked.result()
        except asyncio.CancelledError:
            return None

    async def _pause(self, seconds: float, most: float = LONGEST_PAUSE) -> float:
        """Wait about so long; how long to wait the next time."""
        await self._unless_stopping(asyncio.sleep(seconds * random.uniform(1, 1.5)))
        return min(seconds * 2, most)

    async def _unless_stopping(self, waiting: Awaitable[object]) -> None:
        """Wait for it, or until Segue stops."""
        tasks = {asyncio.ensure_future(waiting), asyncio.ensure_future(self._stopping.wait())}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
