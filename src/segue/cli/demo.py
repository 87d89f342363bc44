"""``segue demo``: see `segue --help`."""

from __future__ import annotations


def demo() -> None:
    """Not built yet."""
    raise SystemExit("segue: this command is not built yet")
