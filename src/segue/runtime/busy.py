"""Back-pressure: the inbox says that it takes no more for now."""

from __future__ import annotations


class Busy(Exception):
    """Nothing was taken, and nothing committed: come again after ``retry_after`` seconds."""

    def __init__(self, retry_after: float, reason: str = "too much is waiting already") -> None:
        super().__init__(f"{reason}; try again in {retry_after:g} s")
        self.retry_after = retry_after
        self.reason = reason
