"""Shares with the interval that they are uncertain by, and quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

_Z: Final = 1.959963984540054
"""The 97.5 % point of the normal distribution: intervals hold 95 %."""

QUANTILES: Final = (0.1, 0.25, 0.5, 0.75, 0.9)


def counted(number: int, one: str) -> str:
    """``1 journey``, ``2,000 journeys``."""
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def share(part: int, whole: int) -> float | None:
    """A part of a whole; None of nothing."""
    return part / whole if whole else None


def interval(part: int, whole: int) -> tuple[float | None, float | None]:
    """The 95 % interval of a share by Wilson's score (Wilson, JASA 22, 1927), which stays within 0 and 1 and says
    something of few; None of nothing."""
    if not whole:
        return None, None
    rate, spread = part / whole, _Z * _Z / whole
    middle = (rate + spread / 2) / (1 + spread)
    reach = sqrt(rate * (1 - rate) * spread + spread * spread / 4) / (1 + spread)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def quantiles(values: npt.NDArray[np.int64], at: Sequence[float] = QUANTILES) -> list[int | None]:
    """Quantiles that are values themselves (the smallest that so many do not exceed); None of nothing."""
    if not len(values):
        return [None] * len(at)
    return [int(one) for one in np.quantile(values, at, method="inverted_cdf")]
