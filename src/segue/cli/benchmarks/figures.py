"""The figures of a run, and how they compare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

Tell = Callable[[str], None]
"""Told what is being measured now."""


class Sizes(msgspec.Struct, frozen=True):
    """How much of each is measured: customers who leave a cart, customers in the mixed stream of events, customers over
    HTTP, customers waiting at a start, jobs of the scheduler that is compared with, rules of a book that is checked,
    customers whose month is replayed, and past events of the customer who has most."""

    customers: int
    mixed: int
    over_http: int
    waiting: int
    jobs: int
    rules: int
    replayed: int
    past: int


WHOLE: Final = Sizes(
    customers=100_000,
    mixed=100_000,
    over_http=40_000,
    waiting=1_000_000,
    jobs=2_000,
    rules=1_000,
    replayed=100_000,
    past=100_000,
)
QUICK: Final = Sizes(
    customers=20_000,
    mixed=20_000,
    over_http=10_000,
    waiting=100_000,
    jobs=300,
    rules=1_000,
    replayed=20_000,
    past=100_000,
)


class Figure(msgspec.Struct, frozen=True):
    """One line of the result. ``count`` is how many were measured; ``bare`` is what Python and SQLite reach without
    an engine (for ``check`` and ``editing``, what Lark reaches that only parses; for ``replay``, lines that are only
    decoded; for ``history``, looks through all past events), ``scheduler`` what APScheduler
    reaches with one job for each wait; None where there is no such figure. ``good`` and ``aim`` are the
    project's marks. ``median`` stands beside a ``segue`` that is the worst of many.
    """

    name: str
    title: str
    unit: Literal["1/s", "MB", "s", "ms"]
    count: int
    segue: float
    bare: float | None = None
    scheduler: float | None = None
    good: float | None = None
    aim: float | None = None
    median: float | None = None

    def to_bare(self) -> float | None:
        """Segue as a share of the bare loop."""
        return self.segue / self.bare if self.bare else None

    def to_scheduler(self) -> float | None:
        """How many times what APScheduler reaches."""
        return self.segue / self.scheduler if self.scheduler else None

    @property
    def reached(self) -> str:
        """Which mark was reached: ``aim``, ``good`` or none."""
        for word, mark in (("aim", self.aim), ("good", self.good)):
            if mark is not None and (self.segue >= mark if self.unit == "1/s" else self.segue <= mark):
                return word
        return ""

    def line(self) -> dict[str, Any]:
        """The figure as ``--json`` prints it."""
        return {
            "figure": self.name,
            "unit": self.unit,
            "count": self.count,
            "segue": round(self.segue, 2),
            "bare_loop": None if self.bare is None else round(self.bare, 2),
            "apscheduler": None if self.scheduler is None else round(self.scheduler, 2),
            "to_bare_loop": _ratio(self.to_bare()),
            "to_apscheduler": _ratio(self.to_scheduler()),
            "reached": self.reached or None,
            **({} if self.median is None else {"median": round(self.median, 2)}),
        }


def _ratio(share: float | None) -> float | None:
    return None if share is None else round(share, 3)
