"""How the daemon's process treats memory: a matter of whoever owns the process, so nothing here runs by itself."""

from __future__ import annotations

import gc
import sys

_YOUNG = 50_000
_MIDDLE = 20
_OLD = 50

_SWITCH = 0.0005


def settle_process() -> None:
    """Once everything is loaded: leave it out of the collector's sight, and let the collector come seldom.

    A batch makes tens of thousands of objects that die by their reference counts as it ends. With Python's usual thresholds the
    collector looks through all of them, and through the whole program, dozens of times a batch: half of all time went there.

    The threads take turns ten times as often as usual (0.5 ms). The writer lets go of the interpreter in every commit, and must not
    wait 5 ms to get it back while requests are read.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
    sys.setswitchinterval(_SWITCH)
