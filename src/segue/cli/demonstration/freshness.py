"""Numbers that have just changed stand out for a moment."""

from __future__ import annotations

import time
from typing import Final

from rich.text import Text

FRESH: Final = 1.2
"""Wall seconds for which something new stands out; a number does for half of them."""


class Freshness:
    """Remembers the numbers of a picture, by name, and since when each is what it is."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, float]] = {}

    def number(self, name: str, value: int, width: int, style: str) -> Text:
        """The number, to the right of so many columns."""
        digits = f"{value:,}"
        return Text.assemble(" " * max(0, width - len(digits)), (digits, self.style(name, value, style)))

    def style(self, name: str, value: int, style: str) -> str:
        """The style of something with that number in it."""
        present = time.monotonic()
        before, since = self._seen.get(name, (value, 0.0))
        if before != value or name not in self._seen:
            since = present if before != value else 0.0
            self._seen[name] = (value, since)
        return "bold bright_white" if present - since < FRESH / 2 and style != "dim" else style
