"""The daemon's process as a whole: its event loop, its threads' turns, its memory.

A matter of whoever owns the process, so nothing here happens by itself.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

_THRESHOLDS: Final = (50_000, 20, 50)
_SWITCH: Final = 0.0005


def run(main: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`, on uvloop where the system has it."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)


def settle() -> None:
    """Once everything is loaded: leave it out of the collector's sight, and have the collector come seldom.

    A batch makes tens of thousands of objects that die by their reference counts as it ends. By Python's own thresholds
    the collector looks through them dozens of times a batch, and through the whole program now and then: half of all
    time went there.

    Threads take turns every 0.5 ms rather than every 5 ms: the writer lets go of the interpreter whenever it waits for
    the disk, and has to get it back from a loop that is busy reading requests.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    sys.setswitchinterval(_SWITCH)
