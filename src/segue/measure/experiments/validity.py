"""Whether an experiment may be believed: are the groups of the sizes that chance would give them?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from segue.measure.experiments.missing import load

ALARM: Final = 0.001
"""Below this probability the groups are not what was asked for (Fabijan et al., Diagnosing sample ratio mismatch, KDD
2019), and nothing may be claimed."""

SMALL: Final = 5
"""Customers that a group must be expected to have for the chi-squared test."""


class Ratio(msgspec.Struct, frozen=True):
    """The groups' sizes beside those that were to be expected. ``p``: how often chance alone is so far off; None where
    there is nothing to compare."""

    seen: dict[str, int]
    expected: dict[str, float]
    p: float | None

    @property
    def sound(self) -> bool:
        """Whether the sizes are what chance gives."""
        return self.p is None or self.p >= ALARM


def check_ratio(seen: Mapping[str, int], expected: Mapping[str, float]) -> Ratio:
    """The sample-ratio check. ``expected`` are the sums, over everybody who was drawn, of the probability that each
    group had in that draw: so a share that was changed on the way is no alarm. A group that could not be drawn, and
    was, is one. Exact for two groups, Pearson's chi-squared for more; where one of those is to have fewer than `SMALL`,
    for which that is no approximation, each group by itself, exactly, by Bonferroni."""
    together = sum(seen.values())
    whole = sum(expected.values())
    groups = [name for name in expected if expected[name] > 0]
    sizes = {name: whole and together * expected[name] / whole for name in expected}
    if any(count for name, count in seen.items() if expected.get(name, 0) <= 0):
        return Ratio(dict(seen), sizes, 0.0)
    if len(groups) < 2 or not together:
        return Ratio(dict(seen), sizes, None)
    stats = load("scipy.stats")
    if len(groups) == 2 or min(sizes[name] for name in groups) < SMALL:
        told = groups[:1] if len(groups) == 2 else groups
        found = min(
            1.0,
            len(told)
            * min(
                stats.binomtest(seen.get(name, 0), together, min(1.0, expected[name] / whole)).pvalue for name in told
            ),
        )
    else:
        found = stats.chisquare([seen.get(name, 0) for name in groups], [sizes[name] for name in groups]).pvalue
    return Ratio(dict(seen), sizes, float(found))
