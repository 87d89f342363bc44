"""What is counted of a group of customers: enough for every comparison, and no more however many they are."""

from __future__ import annotations

import msgspec


class Rate(msgspec.Struct, frozen=True):
    """``met`` of ``customers`` converted."""

    customers: int
    met: int

    @property
    def share(self) -> float | None:
        """The share that converted; None where there is nobody."""
        return self.met / self.customers if self.customers else None


class Moments(msgspec.Struct, frozen=True):
    """Sums over a group, of a figure ``y`` of each customer and of the same customer's figure ``x`` from before: ``n``
    customers, Σy, Σy², Σx, Σx², Σxy. Two groups are added with ``+``."""

    n: int = 0
    y: float = 0.0
    yy: float = 0.0
    x: float = 0.0
    xx: float = 0.0
    xy: float = 0.0

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            self.n + other.n,
            self.y + other.y,
            self.yy + other.yy,
            self.x + other.x,
            self.xx + other.xx,
            self.xy + other.xy,
        )

    @property
    def mean(self) -> float | None:
        """The mean of ``y``; None where there is nobody."""
        return self.y / self.n if self.n else None

    @property
    def variance(self) -> float | None:
        """The variance of ``y`` among customers, unbiased; None below two of them."""
        return _spread(self.n, self.y, self.y, self.yy) if self.n > 1 else None

    @property
    def variance_before(self) -> float | None:
        """The same of ``x``."""
        return _spread(self.n, self.x, self.x, self.xx) if self.n > 1 else None

    @property
    def covariance(self) -> float | None:
        """How ``x`` and ``y`` vary together, unbiased; None below two customers."""
        return _spread(self.n, self.x, self.y, self.xy) if self.n > 1 else None


def _spread(n: int, one: float, other: float, both: float) -> float:
    return (both - one * other / n) / (n - 1)


class Difference(msgspec.Struct, frozen=True):
    """A group against its control: the ``estimate``, and the interval from ``low`` to ``high`` that holds the truth in
    a share ``level`` of such experiments. ``p``: how often chance alone brings one so large, or None where there is no
    such number."""

    estimate: float
    low: float
    high: float
    p: float | None
    level: float

    @property
    def settled(self) -> bool:
        """Whether the interval leaves out nothing at all."""
        return self.low > 0 or self.high < 0

    def times(self, factor: float) -> Difference:
        """The same in another unit, or for so many customers."""
        ends = sorted((self.low * factor, self.high * factor))
        return Difference(self.estimate * factor, ends[0], ends[1], self.p, self.level)
