"""Arms whose shares moved while customers came: each customer counts by how improbable their arm was."""

from __future__ import annotations

import math

import msgspec

from segue.measure.experiments.comparing import LEVEL, steady
from segue.measure.experiments.groups import Difference
from segue.measure.experiments.missing import load
from segue.measure.experiments.sequential import bound_at_any_time


class Weighted(msgspec.Struct, frozen=True):
    """Sums over an arm: each customer with the weight w = 1 / the probability that their arm had when it was drawn, and
    a figure y: ``n`` customers, Σw, Σw², Σwy, Σw²y, Σw²y²."""

    n: int = 0
    w: float = 0.0
    ww: float = 0.0
    wy: float = 0.0
    wwy: float = 0.0
    wwyy: float = 0.0

    def __add__(self, other: Weighted) -> Weighted:
        return Weighted(
            self.n + other.n,
            self.w + other.w,
            self.ww + other.ww,
            self.wy + other.wy,
            self.wwy + other.wwy,
            self.wwyy + other.wwyy,
        )

    @property
    def mean(self) -> float | None:
        """What the arm brings a customer, had the shares never moved; None where it has nobody."""
        return self.wy / self.w if self.w else None

    @property
    def variance(self) -> float | None:
        """The variance of that mean (Hájek's estimator, linearised); None below two customers."""
        mean = self.mean
        if mean is None or self.n < 2:
            return None
        return max(0.0, self.wwyy - 2 * mean * self.wwy + mean * mean * self.ww) / (self.w * self.w)


def compare_weighted(
    control: Weighted, arm: Weighted, level: float = LEVEL, *, rates: bool = False, at_any_time: bool = False
) -> Difference | None:
    """How much more ``arm`` brings a customer; None below two customers in either. ``rates``: the figure is whether
    they converted. ``at_any_time``: the interval holds however often one looks."""
    means = control.mean, arm.mean
    first, second = ((_with_half(one) if rates else one).variance for one in (control, arm))
    if means[0] is None or means[1] is None or first is None or second is None:
        return None
    if control.n < 2 or arm.n < 2:
        return None
    if not rates:
        # As `steady` has it of one customer of average weight, and back to the mean.
        parts = [one.ww / (one.w * one.w) for one in (control, arm)]
        spreads = steady(control.n, first / parts[0], arm.n, second / parts[1])
        first, second = spreads[0] * parts[0], spreads[1] * parts[1]
    estimate, variance = means[1] - means[0], first + second
    if at_any_time:
        return bound_at_any_time(estimate, variance, control.n, arm.n, level)
    spread = math.sqrt(variance)
    if not spread:
        return Difference(estimate, estimate, estimate, None, level)
    normal = load("scipy.stats").norm
    reach = float(normal.ppf(0.5 + level / 2)) * spread
    return Difference(estimate, estimate - reach, estimate + reach, float(2 * normal.sf(abs(estimate) / spread)), level)


def _with_half(arm: Weighted) -> Weighted:
    """With one customer more, half of whom converted: where nobody did, that would be taken for certain."""
    if not arm.n:
        return arm
    w = arm.w / arm.n
    return arm + Weighted(1, w, w * w, w / 2, w * w / 2, w * w / 4)
