"""How far a long look has come: one line on standard error that is written over, where somebody watches."""

from __future__ import annotations

import sys
import time
from typing import Final

_AFTER: Final = 0.5
"""Seconds before which nothing is told: most looks are shorter."""


class Telling:
    """Tells how many customers, or others, have been looked at. No thread of its own: processes may be forked
    meanwhile."""

    def __init__(self, what: str, of: str = "customers") -> None:
        self._what = what
        self._of = of
        self._began = time.monotonic()
        self._shown = False

    def __enter__(self) -> Telling:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def __call__(self, done: int, total: int) -> None:
        if sys.stderr.isatty() and time.monotonic() - self._began > _AFTER:
            self._shown = True
            share = done / total if total else 1.0
            sys.stderr.write(f"\rlooking {self._what}: {done:,} of {total:,} {self._of} ({share:.0%})\x1b[K")
            sys.stderr.flush()
