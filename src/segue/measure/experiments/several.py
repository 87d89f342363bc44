"""Many comparisons at once: of twenty arms that do nothing, one looks good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from segue.measure.experiments.missing import load

Method = Literal["holm", "benjamini-hochberg"]
"""``holm`` holds the chance of even one false claim down; ``benjamini-hochberg`` the share of false ones among all
claims."""


def adjust(p_values: Sequence[float | None], method: Method = "holm") -> list[float | None]:
    """The p-values as they count beside each other, in their order; None stays None."""
    known = [p for p in p_values if p is not None]
    if len(known) < 2:  # one counts as it is
        return list(p_values)
    name = "holm" if method == "holm" else "fdr_bh"
    adjusted = iter(load("statsmodels.stats.multitest").multipletests(known, method=name)[1])
    return [None if p is None else float(next(adjusted)) for p in p_values]
