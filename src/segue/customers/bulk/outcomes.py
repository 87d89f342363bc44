"""What is known of a condition for each customer of a crowd: yes, no, or open; and when time alone may turn it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segue.customers.bulk.crowd import NEVER, UNKNOWN, Longs, Mask


class Outcome:
    """Whoever is in neither ``yes`` nor ``no`` is to be judged alone. ``due`` is when the truth may change by time
    alone, `NEVER`, or `UNKNOWN`; None: never, for all of them."""

    __slots__ = ("due", "no", "yes")

    def __init__(self, yes: Mask, no: Mask, due: Longs | None = None) -> None:
        self.yes = yes
        self.no = no
        self.due = due

    @property
    def open(self) -> Mask:
        """Who is to be judged alone, for their membership or for the moment at which it may change."""
        undecided = ~(self.yes | self.no)
        return undecided if self.due is None else undecided | (self.due == UNKNOWN)


def known(truth: Mask, due: Longs | None = None) -> Outcome:
    """An outcome that is open for nobody."""
    return Outcome(truth, ~truth, due)


def unknown(size: int) -> Outcome:
    """An outcome that is open for everybody."""
    nobody = np.zeros(size, dtype=np.bool_)
    return Outcome(nobody, nobody, np.full(size, UNKNOWN, dtype=np.int64))


def negate(outcome: Outcome) -> Outcome:
    """``not``."""
    return Outcome(outcome.no, outcome.yes, outcome.due)


def join(parts: Sequence[Outcome], *, decisive: bool) -> Outcome:
    """``and`` (decided by one part that is false) or ``or`` (by one that is true). As in `segue.program.horizon`: while
    decisive parts stand, all of them must change first; while none does, any change counts."""
    decided = np.logical_or.reduce([one.yes if decisive else one.no for one in parts])
    passed = np.logical_and.reduce([one.no if decisive else one.yes for one in parts])
    due = _join_due(parts, decided, decisive=decisive)
    return Outcome(decided, passed, due) if decisive else Outcome(passed, decided, due)


def _join_due(parts: Sequence[Outcome], decided: Mask, *, decisive: bool) -> Longs | None:
    if all(one.due is None for one in parts):
        return None
    size = len(decided)
    latest = np.full(size, -1, dtype=np.int64)
    earliest = np.full(size, NEVER, dtype=np.int64)
    settled = np.zeros(size, dtype=np.bool_)
    unsure = np.zeros(size, dtype=np.bool_)
    for one in parts:
        decides = one.yes if decisive else one.no
        due = one.due if one.due is not None else np.full(size, NEVER, dtype=np.int64)
        settled |= decides & (due == NEVER)
        unsure |= ~(one.yes | one.no) | (due == UNKNOWN) & (decides | ~decided)
        latest = np.maximum(latest, np.where(decides, due, -1))
        earliest = np.minimum(earliest, due)
    found = np.where(decided, latest, earliest)
    found[unsure] = UNKNOWN
    found[settled] = NEVER
    return found
