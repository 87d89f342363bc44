"""An event loop on a thread of its own, for code that nobody vouches for.

What runs there may raise anything, block, or stop its loop: the caller, on another loop, measures time by itself
and can always walk away. The threads are daemons, so that one left behind never keeps the process alive.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")

_FAREWELL: Final = 1.0
"""Seconds that cancelled tasks get when a loop ends."""


class Raised:
    """What a call raised; kept as a value because SystemExit would end whichever thread looks at it."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class Call(Generic[T]):
    """A call under way on a `LoopThread`, seen from another event loop."""

    def __init__(self, thread: LoopThread, make: Callable[[], Awaitable[T]]) -> None:
        self._outcome: Future[T | Raised] = Future()
        self._task: asyncio.Task[None] | None = None
        self._make = make
        self._thread = thread
        thread.loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        self._task = self._thread.loop.create_task(self._contain())

    async def _contain(self) -> None:
        # Not in _begin: between the two another task may block the loop, and what is withdrawn then never ran.
        if not self._outcome.set_running_or_notify_cancel():
            return
        result: T | Raised
        try:
            result = await self._make()
        except BaseException as error:  # SystemExit would otherwise leave the loop, and end the thread
            result = Raised(error)
        self._outcome.set_result(result)

    async def wait(self, seconds: float) -> bool:
        """Whether it has ended within ``seconds``."""
        await asyncio.wait({asyncio.wrap_future(self._outcome)}, timeout=seconds)
        return self._outcome.done()

    def outcome(self) -> T | Raised:
        """What came of it, once it has ended."""
        return self._outcome.result()

    def withdraw(self) -> bool:
        """Ask it to stop. True when it had not begun, and now never will."""
        if self._outcome.cancel():
            return True
        self._thread.soon(self._cancel)
        return False

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


class LoopThread:
    """A thread with an event loop that runs until `stop`.

    ``stray`` hears, on this thread, of errors that belong to no call.
    """

    def __init__(self, name: str, stray: Callable[[BaseException | None, str], None]) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(self._handle)
        self._executor = ThreadPoolExecutor(thread_name_prefix=name)
        self.loop.set_default_executor(self._executor)
        self._stray = stray
        self._stopping = False
        self._ended: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        try:
            self._thread.start()
        except BaseException:
            self.loop.close()
            raise

    def call(self, make: Callable[[], Awaitable[T]]) -> Call[T]:
        """Await ``make()`` on this thread's loop. Raises RuntimeError once the loop has ended."""
        return Call(self, make)

    def soon(self, callback: Callable[[], Any]) -> None:
        """Call ``callback`` on this thread, if it ever gets to it."""
        try:
            self.loop.call_soon_threadsafe(callback)
        except RuntimeError:
            return  # the loop has ended, and with it whatever the callback was for

    async def stop(self, seconds: float) -> bool:
        """Ask the loop to end, and wait for it. False when it hasn't within ``seconds``; it ends as soon as it can."""
        self._stopping = True
        self.soon(self.loop.stop)
        await asyncio.wait({asyncio.wrap_future(self._ended)}, timeout=seconds)
        return self._ended.done()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._contained(self.loop.run_forever)
            self._contained(self._dismiss)
        finally:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self.loop.close()
            self._ended.set_result(None)

    def _dismiss(self) -> None:
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.wait(tasks, timeout=_FAREWELL))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())

    def _contained(self, run: Callable[[], None]) -> None:
        try:
            run()
        except BaseException as error:  # a task of the plugin's own that calls sys.exit() ends up here
            self._stray(error, "")

    def _handle(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._stray(context.get("exception"), str(context.get("message", "")))
