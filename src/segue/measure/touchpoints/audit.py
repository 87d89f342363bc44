"""Every credit traced to its touch: what a model gives each touch, added up against what it was to share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from segue.api import AttributionSpec, Credit, Paths
from segue.api.attribution import Floats
from segue.measure.attribution import Labels, weigh

_TOLERANCE = 1e-6


class Traced(msgspec.Struct, frozen=True, eq=False):
    """For each touch of `Paths`, its ``shares`` of its path's conversion, and what that comes to in ``conversions`` and
    ``values``."""

    shares: Floats
    conversions: Floats
    values: Floats


def trace(spec: AttributionSpec, options: Any, paths: Paths, credits: Sequence[Credit], labels: Labels) -> Traced:
    """What a model's ``credits`` come to for each touch.

    A model that weighs touches says that itself. One that looks at all paths together credits labels alone: what a
    label gets is shared over its touches in the paths that converted, in proportion to the conversions of those paths,
    and to their value where it is value. Where all of its paths came to nothing (it led on to what converted, so that a
    removal effect is left of it), it is shared over its touches in these, in proportion to their journeys, and their
    share of a conversion is 0. Raises ModelError.
    """
    import numpy as np

    if spec.weights is not None:
        shares = weigh(spec, options, paths)
        return Traced(shares, shares * paths.per_touch(paths.conversions), shares * paths.per_touch(paths.values))
    given = {credit.channel: credit for credit in credits}
    conversions, values = (
        np.array([getattr(given[name], what) if name in given else 0.0 for name in labels.names] or [0.0])
        for what in ("conversions", "value")
    )
    converted = paths.per_touch(paths.conversions)
    worth = paths.per_touch(paths.values)
    weights = np.where(_sums(labels, converted)[labels.codes] > 0, converted, paths.per_touch(paths.counts))
    of_conversions = _spread(labels, weights) * conversions[labels.codes]
    # A label that is credited value, and whose paths brought none, has it by their conversions.
    spread = np.where(_sums(labels, worth)[labels.codes] > 0, _spread(labels, worth), _spread(labels, weights))
    shares = np.divide(of_conversions, converted, out=np.zeros(len(converted)), where=converted > 0)
    return Traced(shares, of_conversions, spread * values[labels.codes])


def _sums(labels: Labels, weights: Floats) -> Floats:
    import numpy as np

    sums: Floats = np.bincount(labels.codes, weights, minlength=max(1, len(labels.names))).astype(np.float64)
    return sums


def _spread(labels: Labels, weights: Floats) -> Floats:
    """Each touch's part of the weight of its label."""
    import numpy as np

    sums = _sums(labels, weights)[labels.codes]
    parts: Floats = np.divide(weights, sums, out=np.zeros(len(weights)), where=sums > 0)
    return parts


def find_gap(traced: Traced, paths: Paths) -> str | None:
    """How the credits of touches do not add up to the conversions of the paths and their value; None where they do."""
    for what, given, due in (
        ("conversions", traced.conversions, paths.conversions),
        ("value", traced.values, paths.values),
    ):
        total, wanted = math.fsum(given.tolist()), math.fsum(due.tolist())
        if not math.isclose(total, wanted, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
            return f"credits of touches add up to {total:,.6g} {what}, and there are {wanted:,.6g}"
    return None
