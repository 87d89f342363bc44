"""``segue bench``: see `segue --help`."""

from __future__ import annotations


def bench() -> None:
    """Not built yet."""
    raise SystemExit("segue: this command is not built yet")
