"""The project's report, made for messages that have it attached.

A report reads much of the store, so it is made by a process of its own, ``segue report``, with bounds on its time and
memory, one at a time. Whoever asks is never kept waiting: while the page is made its messages are tried again a little
later. A page is made once for a span and a day, and all recipients of that day share it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections import OrderedDict
from datetime import date, timedelta, tzinfo
from pathlib import Path
from typing import Final, Protocol

import msgspec
import structlog

from segue.api import Attachment, Instant, Rejected, Retry
from segue.clock.clock import Clock
from segue.delivery.dead_letters import NOT_MADE
from segue.host.answers import clean
from segue.program.calendar import local

_log = structlog.get_logger("segue")

MEDIA: Final = "text/html; charset=utf-8"
_KEPT: Final = 3
"""Pages that are kept: a day's, of the spans that a project's messages name."""
_FAILURES_KEPT: Final = 20
_START: Final = """
import os, resource
os.nice(10)
for what, most in ((resource.RLIMIT_DATA, {memory}), (resource.RLIMIT_CPU, {seconds})):
    hard = resource.getrlimit(what)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))
from segue.cli.main import main
main()
"""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """``within`` are the seconds that a report may take, ``memory`` the bytes of data it may hold, ``largest`` the
    bytes of its page. After one that failed the next try is in ``pause`` seconds, and four times as long after each;
    after ``tries`` of them its messages fail, and none is made for ``rest`` seconds. ``look``: in how many seconds to
    ask again while it is made. All seconds are the machine's."""

    within: float = 900.0
    memory: int = 2 * 1024**3
    largest: int = 10_000_000
    tries: int = 3
    pause: float = 5.0
    rest: float = 1800.0
    look: float = 3.0


class MakesReports(Protocol):
    """What a sender asks for reports."""

    def ask(self, days: int, at: Instant) -> Attachment | Retry | Rejected:
        """The report of the ``days`` whole days before the day of ``at``; until it is there, when to ask again; or
        that there will be none."""
        ...


class _Failure(msgspec.Struct):
    reason: str
    tries: int
    until: float


class _CannotMake(Exception):
    """No report was made; the text says why."""


class Reports:
    """Makes the reports of the project in the folder ``root``, whose days are those of ``zone``."""

    def __init__(self, root: Path, zone: tzinfo, clock: Clock, bounds: Bounds | None = None) -> None:
        self._root = root
        self._zone = zone
        self._clock = clock
        self._bounds = bounds or Bounds()
        self._made: OrderedDict[tuple[int, date], Attachment] = OrderedDict()
        self._failed: OrderedDict[tuple[int, date], _Failure] = OrderedDict()
        self._making: asyncio.Task[None] | None = None

    def ask(self, days: int, at: Instant) -> Attachment | Retry | Rejected:
        """See `MakesReports`. Called on the daemon's loop."""
        key = (days, local(at, self._zone).date())
        if key in self._made:
            return self._made[key]
        now = asyncio.get_running_loop().time()
        failure = self._failed.get(key)
        if failure is not None and failure.until > now:
            reason = f"{NOT_MADE}{failure.reason}"
            if failure.tries >= self._bounds.tries:
                return Rejected(reason)
            return Retry(reason, after=self._shown(failure.until - now))
        if self._making is None:
            if failure is not None and failure.tries >= self._bounds.tries:
                del self._failed[key]
            self._making = asyncio.create_task(self._make(key), name="report")
        return Retry(
            f"the report of the {days} days before {key[1]} is being made", after=self._shown(self._bounds.look)
        )

    async def stop(self) -> None:
        """Make no more: what is being made is ended, and made anew after the next start."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.wait({self._making})

    def _shown(self, seconds: float) -> float:
        """So many seconds of the machine, by the clock that messages are tried again by."""
        return seconds * self._clock.speed

    async def _make(self, key: tuple[int, date]) -> None:
        days, day = key
        try:
            with tempfile.TemporaryDirectory(prefix="segue-report-") as folder:
                page = await self._run(days, day, Path(folder))
        except (_CannotMake, OSError) as error:
            before = self._failed.pop(key, None)
            tries = before.tries + 1 if before is not None else 1
            last = tries >= self._bounds.tries
            pause = self._bounds.rest if last else self._bounds.pause * 4 ** (tries - 1)
            self._failed[key] = _Failure(str(error), tries, asyncio.get_running_loop().time() + pause)
            _log.error("the report cannot be made", reason=str(error), days=days, day=str(day), tries=tries)
        else:
            self._failed.pop(key, None)
            self._made[key] = Attachment(name=f"report-{day}.html", media=MEDIA, data=page)
        finally:
            self._making = None
            for kept, most in ((self._made, _KEPT), (self._failed, _FAILURES_KEPT)):
                while len(kept) > most:
                    kept.popitem(last=False)

    async def _run(self, days: int, day: date, folder: Path) -> bytes:
        """The page. Raises _CannotMake."""
        bounds = self._bounds
        page = folder / "report.html"
        program = _START.format(memory=bounds.memory, seconds=int(bounds.within) + 1)
        period = ("--since", str(day - timedelta(days=days)), "--until", str(day - timedelta(days=1)))
        process = await asyncio.create_subprocess_exec(
            # -P: what lies in the project's folder is never taken for a module.
            *(sys.executable, "-P", "-c", program, "report", *period, "--out", str(page)),
            cwd=self._root,
            # Libraries that reserve memory for each core would use up what it may hold.
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            stdin=asyncio.subprocess.DEVNULL,
            # Not a file: where the disk is full there would be no word of why it failed.
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            said = await asyncio.wait_for(_hear(process), bounds.within)
        except TimeoutError:
            raise _CannotMake(f"it took longer than {bounds.within:g} s") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode:
            raise _CannotMake(_reason(process.returncode, said, bounds))
        if not page.exists() or not (size := page.stat().st_size):
            raise _CannotMake("no page was written")
        if size > bounds.largest:
            raise _CannotMake(f"it has {size / 1e6:.0f} MB, and mailboxes take no more than {bounds.largest / 1e6:.0f}")
        return await asyncio.to_thread(page.read_bytes)


async def _hear(process: asyncio.subprocess.Process) -> str:
    """The last of what a process says, once it has ended."""
    assert process.stdout is not None
    last = b""
    while chunk := await process.stdout.read(10_000):
        last = (last + chunk)[-2000:]
    await process.wait()
    return last.decode("utf-8", "replace")


def _reason(code: int, said: str, bounds: Bounds) -> str:
    """Why the process ended as it did."""
    lines = [line for line in said.splitlines() if line.strip()]
    if any(line.startswith("MemoryError") for line in lines):
        return f"it needs more than {bounds.memory / 1024**3:g} GB of memory"
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"its process was ended by {signal.Signals(-code).name}"
    return clean(lines[-1]) if lines else f"it ended with {code}"
