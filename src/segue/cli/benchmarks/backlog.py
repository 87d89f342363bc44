"""What a store full of waiting customers costs: disk, memory, and the time until a started daemon can fire."""

from __future__ import annotations

import asyncio
import json
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import msgspec

from segue.cli.benchmarks.spine import LATER, daemon, start_journeys
from segue.cli.benchmarks.workload import Shop
from segue.runtime import process

_MEGABYTE: Final = 1_000_000
_FIRED: Final = 50_000
"""Waits after which memory is read: by then the caches are warm."""
_PATIENCE: Final = 600.0
"""Seconds for the started process."""


class Backlog(msgspec.Struct, frozen=True):
    """``journeys`` is how many started per second while it filled, ``disk`` and ``memory`` (the most the
    started process held) are in MB, ``ready`` in seconds from the start of
    the process to the end of its first turn of waits."""

    waiting: int
    journeys: float
    disk: float
    memory: float
    ready: float


def measure_backlog(folder: Path, waiting: int) -> Backlog:
    """Fill a store, then start a process of its own on it, as after a night in which everything fell due."""
    path = folder / "waiting.db"
    seconds = process.run(_fill(path, waiting))
    disk = sum(file.stat().st_size for file in folder.glob("waiting.db*")) / _MEGABYTE
    began = time.time()
    command = [sys.executable, "-m", "segue.cli.benchmarks.backlog", str(path), str(min(waiting, _FIRED))]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    if outcome.returncode != 0:
        raise RuntimeError(f"the started process failed: {outcome.stderr[-2000:]}")
    answer = json.loads(outcome.stdout)
    return Backlog(waiting, waiting / seconds, disk, answer["memory"], answer["fired_at"] - began)


async def _fill(path: Path, waiting: int) -> float:
    async with daemon(path, publish=True) as one:
        return await start_journeys(one, Shop(), waiting)


async def _start(path: Path, until: int) -> None:
    fired_at = 0.0
    async with daemon(path, ahead=LATER) as one:
        while one.counts.fired < until:
            await asyncio.sleep(0.001)
            if not fired_at and one.counts.fired:
                fired_at = time.time()
    fired_at = fired_at or time.time()  # all of a small backlog in one turn
    print(json.dumps({"fired_at": fired_at, "memory": _most_memory() / _MEGABYTE}), flush=True)


def _most_memory() -> float:
    """The most memory this process ever held, in bytes."""
    try:
        # Not getrusage where /proc is: its figure starts from that of the process which began this one.
        found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    except OSError:
        found = None
    if found is not None:
        return int(found[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


if __name__ == "__main__":
    process.run(_start(Path(sys.argv[1]), int(sys.argv[2])))
