"""What Apprise says while it works.

Apprise answers True or False; why it was False stands in its log, and nowhere else. The log may hold addresses with
their keys, so it goes no further than here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_MOST: Final = 200
"""Lines of one call that are kept, from the end."""


class _Ear(logging.Handler):
    """Keeps what is said on a thread for whoever listens on it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        lines: list[str] | None = getattr(self.heard, "lines", None)
        if lines is not None:
            lines.append(f"{record.levelname} {record.getMessage()}")
            del lines[:-_MOST]


_ear: Final = _Ear()


@contextmanager
def listen() -> Iterator[list[str]]:
    """What Apprise says on this thread, each line behind its level, while the block runs."""
    logger = logging.getLogger("apprise")
    if _ear not in logger.handlers:
        logger.handlers[:] = [_ear]
        logger.setLevel(logging.DEBUG)
        logger.propagate = False  # or keys would reach the log of Segue
    lines: list[str] = []
    _ear.heard.lines = lines
    try:
        yield lines
    finally:
        _ear.heard.lines = None
