"""Arms whose shares moved while customers came: each customer counts by how improbable their arm was."""

from __future__ import annotations

import math

import msgspec

from segue.measure.experiments.comparing import LEVEL
from segue.measure.experiments.groups import Difference
from segue.measure.experiments.missing import load


class Weighted(msgspec.Struct, frozen=True):
    """Sums over an arm: each customer with the weight w = 1 / the probability that their arm had when it was drawn, and
    a figure y: ``n`` customers, Σw, Σw², Σwy, Σw²y, Σw²y²."""

    n: int = 0
    w: float = 0.0
    ww: float = 0.0
    wy: float = 0.0
    wwy: float = 0.0
    wwyy: float = 0.0

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


def compare_weighted(control: Weighted, arm: Weighted, level: float = LEVEL) -> Difference | None:
    """How much more ``arm`` brings a customer; None below two customers in either."""
    means, variances = (control.mean, arm.mean), (control.variance, arm.variance)
    if means[0] is None or means[1] is None or variances[0] is None or variances[1] is None:
        return None
    estimate, spread = means[1] - means[0], math.sqrt(variances[0] + variances[1])
    if not spread:
        return Difference(estimate, estimate, estimate, None, level)
    normal = load("scipy.stats").norm
    reach = float(normal.ppf(0.5 + level / 2)) * spread
    return Difference(estimate, estimate - reach, estimate + reach, float(2 * normal.sf(abs(estimate) / spread)), level)
