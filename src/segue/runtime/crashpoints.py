"""Named points at which the process can be made to die, as by a power cut: tests look at what such a crash leaves.

``SEGUE_KILL_AT=after-claim-commit:3`` kills it with SIGKILL when it gets there for the third time. The variable is read
once, when this module is imported; without it `reach` does nothing.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable
from typing import Final

POINTS: Final = (
    "before-ingest-commit",
    "after-ingest-commit",
    "in-wake",
    "after-claim-commit",
    "after-call",
    "after-outcome-commit",
    "in-publish",
    "after-publish",
    "in-import",
)
"""All points. ``before`` and ``in`` lie inside a transaction that is then lost; ``after-ingest-commit`` before the
source is answered, ``after-claim-commit`` before the channel is called, ``after-call`` before its answers are written
down, ``after-publish`` before those inside a removed rule leave. ``in-import`` is a piece of past events."""


def _watch(setting: str) -> Callable[[str], None]:
    """What `reach` is to be. Raises ValueError for a setting that names no point, or no count."""
    if not setting:
        return _pass
    wanted, _, times = setting.partition(":")
    if wanted not in POINTS or not (times or "1").isdecimal():
        raise ValueError(
            f"SEGUE_KILL_AT={setting}: write POINT or POINT:COUNT, where POINT is one of {', '.join(POINTS)}"
        )
    visits = itertools.count(1)
    last = int(times or "1")

    def die_there(point: str) -> None:
        if point == wanted and next(visits) >= last:
            os.kill(os.getpid(), signal.SIGKILL)

    return die_there


def _pass(point: str) -> None:
    pass


reach: Final = _watch(os.environ.get("SEGUE_KILL_AT", ""))
"""Say that a point is reached."""
