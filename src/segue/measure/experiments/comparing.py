"""Two groups of customers compared: rates, probabilities and means."""

from __future__ import annotations

import math
from typing import Final

from segue.measure.experiments.groups import Difference, Moments, Rate
from segue.measure.experiments.missing import load

LEVEL: Final = 0.95
"""The share of experiments whose interval holds the truth, unless another is asked for."""


def compare_rates(control: Rate, group: Rate, level: float = LEVEL) -> Difference | None:
    """How many more of 1 convert in ``group``; None where one of the two is empty.

    The interval is Newcombe's hybrid of two Wilson intervals (Statistics in Medicine 17, 1998, method 10), which also
    holds where nobody or everybody converts; ``p`` is that of the score test, two-sided.
    """
    if control.share is None or group.share is None:
        return None
    proportion = load("statsmodels.stats.proportion")
    low, high = proportion.confint_proportions_2indep(
        group.met, group.customers, control.met, control.customers, method="newcomb", compare="diff", alpha=1 - level
    )
    p = 1.0
    if 0 < group.met + control.met < group.customers + control.customers:  # else there is no variance at all
        import numpy as np

        with np.errstate(divide="ignore", invalid="ignore"):  # of ratios, which it works out as well
            tested = proportion.test_proportions_2indep(
                group.met, group.customers, control.met, control.customers, method="score", compare="diff"
            )
        p = float(tested.pvalue)
    return Difference(group.share - control.share, max(float(low), -1.0), min(float(high), 1.0), p, level)


def probability_to_beat(control: Rate, group: Rate) -> float | None:
    """How probable it is that the rate of ``group`` is the higher one, given what was seen and that every rate was as
    likely before (Beta(1, 1)); None where both are empty, for then nothing was seen.

    Exact: the finite sum over one of the four counts, all of whose terms are positive (E. Miller, Formulas for Bayesian
    A/B testing, 2014).
    """
    if not control.customers and not group.customers:
        return None
    a, b = 1 + control.met, 1 + control.customers - control.met
    c, d = 1 + group.met, 1 + group.customers - group.met
    # P(X < Y) for X ~ Beta(a, b), Y ~ Beta(c, d), as a sum of c terms; the others follow from X → 1 − X, and swapping.
    fewest = min(a, b, c, d)
    if fewest == c:
        found = _beats(a, b, c, d)
    elif fewest == b:
        found = _beats(d, c, b, a)
    elif fewest == a:
        found = 1 - _beats(c, d, a, b)
    else:
        found = 1 - _beats(b, a, d, c)
    return min(1.0, max(0.0, found))


def _beats(a: int, b: int, c: int, d: int) -> float:
    """P(X < Y) by the sum over ``c`` terms."""
    import numpy as np

    betaln = load("scipy.special").betaln
    i = np.arange(c)
    terms = betaln(a + i, b + d) - np.log(d + i) - betaln(1 + i, d) - betaln(a, b)
    return float(np.exp(terms).sum())


def compare_means(control: Moments, group: Moments, level: float = LEVEL) -> Difference | None:
    """How much more ``y`` is in ``group``, on the mean; None below two customers in either. Welch's interval and test,
    which do not take the variances as equal (Biometrika 34, 1947), but with the variances of `steady`."""
    return _welch(_Summary.of(control), _Summary.of(group), level)


class Reduced:
    """A comparison of means with what was known of the customers before taken out (CUPED; Deng, Xu, Kohavi and Walker,
    WSDM 2013). ``theta`` is how much of ``y`` goes with a unit of ``x``; ``spared`` the share of the variance that is
    gone."""

    def __init__(self, difference: Difference, theta: float, spared: float) -> None:
        self.difference = difference
        self.theta = theta
        self.spared = spared


def compare_reduced(control: Moments, group: Moments, level: float = LEVEL) -> Reduced | None:
    """As `compare_means`, after y − θ(x − x̄), with θ of both groups together; None below two customers in either, or
    where all had the same before, or a group is all alike: then there is nothing to take out."""
    together = control + group
    before, covariance = together.variance_before, together.covariance
    if not before or covariance is None or before <= 0:
        return None
    if any(one.variance is None or one.variance <= 0 for one in (control, group)):
        return None
    theta = covariance / before
    mean = together.x / together.n
    adjusted = _welch(_Summary.reduced(control, theta, mean), _Summary.reduced(group, theta, mean), level)
    plain = together.variance
    if adjusted is None or not plain:
        return None
    return Reduced(adjusted, theta, min(1.0, covariance * covariance / (before * plain)))


def steady(control: int, first: float, group: int, second: float) -> tuple[float, float]:
    """The variances of two groups of so many customers, neither less than that of both together.

    Few bring much: a small control group that has got none of those has too low a mean, and seems to vary too little as
    well. Of experiments in which nothing differs, its own variance would call up to 15 in 100 a gain (a holdout of 200
    beside 1,800, a tenth of whom buy for amounts with a long tail) where 2.5 are promised; this calls 1. A group that
    is all alike, as where none of few has bought, varies with this as the other does."""
    together = ((control - 1) * first + (group - 1) * second) / (control + group - 2)
    return max(first, together), max(second, together)


class _Summary:
    """A group's size, mean and variance."""

    def __init__(self, n: int, mean: float, variance: float) -> None:
        self.n = n
        self.mean = mean
        self.variance = max(0.0, variance)

    @classmethod
    def of(cls, group: Moments) -> _Summary | None:
        if group.mean is None or group.variance is None:
            return None
        return cls(group.n, group.mean, group.variance)

    @classmethod
    def reduced(cls, group: Moments, theta: float, mean_before: float) -> _Summary | None:
        plain, before, covariance = cls.of(group), group.variance_before, group.covariance
        if plain is None or before is None or covariance is None:
            return None
        mean = plain.mean - theta * (group.x / group.n - mean_before)
        return cls(group.n, mean, plain.variance - 2 * theta * covariance + theta * theta * before)


def _welch(control: _Summary | None, group: _Summary | None, level: float) -> Difference | None:
    if control is None or group is None:
        return None
    estimate = group.mean - control.mean
    if control.variance + group.variance <= 0:  # everybody brought the same
        return Difference(estimate, estimate, estimate, None, level)
    spreads = steady(control.n, control.variance, group.n, group.variance)
    tested = load("scipy.stats").ttest_ind_from_stats(
        group.mean,
        math.sqrt(spreads[1]),
        group.n,
        control.mean,
        math.sqrt(spreads[0]),
        control.n,
        equal_var=False,
    )
    parts = spreads[0] / control.n, spreads[1] / group.n
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (control.n - 1) + parts[1] ** 2 / (group.n - 1))
    reach = float(load("scipy.stats").t.ppf(0.5 + level / 2, freedom)) * math.sqrt(sum(parts))
    return Difference(estimate, estimate - reach, estimate + reach, float(tested.pvalue), level)
