"""Intervals that may be looked at every day.

An interval for one look promises its level for one look: who looks daily and stops at the first that leaves out nothing
is wrong far more often. These hold at all moments together, however many and however chosen.
"""

from __future__ import annotations

import math
from typing import Final

from segue.measure.experiments.comparing import LEVEL, steady
from segue.measure.experiments.groups import Difference, Moments, Rate

TUNED_FOR: Final = 2000
"""The number of customers, both groups together, for which the interval is as narrow as it can be. It has to be settled
before anything is seen, and is right at any number."""


def rates_at_any_time(control: Rate, group: Rate, level: float = LEVEL) -> Difference | None:
    """As `compare_rates`, at any time; None where a group is empty."""
    if control.share is None or group.share is None:
        return None
    # Half a conversion more each way: with none at all the variance would be none, and the first one prove anything.
    spreads = [share * (1 - share) for share in ((one.met + 0.5) / (one.customers + 1) for one in (control, group))]
    variance = spreads[0] / control.customers + spreads[1] / group.customers
    return bound_at_any_time(group.share - control.share, variance, control.customers, group.customers, level)


def means_at_any_time(control: Moments, group: Moments, level: float = LEVEL) -> Difference | None:
    """As `compare_means`, at any time; None below two customers in either."""
    if control.mean is None or group.mean is None or control.variance is None or group.variance is None:
        return None
    spreads = steady(control.n, max(0.0, control.variance), group.n, max(0.0, group.variance))
    variance = spreads[0] / control.n + spreads[1] / group.n
    return bound_at_any_time(group.mean - control.mean, variance, control.n, group.n, level)


def bound_at_any_time(estimate: float, variance: float, first: int, second: int, level: float) -> Difference:
    """An interval at any time for a difference of two means, whose estimate has such a variance.

    It is the confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (Time-uniform central limit theory,
    2021, theorem 2.2), which is the normal mixture of Robbins: for n effective customers with variance σ² of each, the
    interval reaches √(σ² (nρ² + 1) / (n²ρ²) · ln((nρ² + 1) / α²)) to each side."""
    if variance <= 0:
        return Difference(estimate, estimate, estimate, None, level)
    alpha = 1 - level
    n = 1 / (1 / first + 1 / second)
    tuned = TUNED_FOR / 4  # what so many customers in two equal groups are worth
    # By one level for every interval: one that hangs on what was seen would hold at no time.
    rho = (-2 * math.log(1 - LEVEL) + math.log(-2 * math.log(1 - LEVEL)) + 1) / tuned
    spread = variance * n
    reach = math.sqrt(spread * (n * rho + 1) / (n * n * rho) * math.log((n * rho + 1) / alpha**2))
    # The level at which the interval would just touch nothing: the p-value that holds at any time.
    shift = estimate * estimate / spread * n * n * rho / (n * rho + 1)
    p = min(1.0, math.sqrt((n * rho + 1) * math.exp(-min(shift, 1400.0))))
    return Difference(estimate, estimate - reach, estimate + reach, p, level)
