"""Every credit traced to its touch: what a model gives each touch, added up against what it was to share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from segue.api import AttributionSpec, Credit, Paths
from segue.api.attribution import Floats
from segue.measure.attribution import Labels, attribute, ranked, share, weigh

_TOLERANCE = 1e-6


class Traced(msgspec.Struct, frozen=True, eq=False):
    """For each touch of `Paths`, its ``shares`` of its path's conversion, and what that comes to in ``conversions`` and
    ``values``."""

    shares: Floats
    conversions: Floats
    values: Floats


def credit(spec: AttributionSpec, options: Any, paths: Paths, labels: Labels) -> tuple[tuple[Credit, ...], Traced]:
    """What a model gives each label, and each touch. Raises ModelError.

    A model that weighs touches is asked once, and only of the paths that converted: a weight is a part of its own path,
    and what touches of the others get is nothing.
    """
    import numpy as np

    if spec.weights is None:
        credits = attribute(spec, options, paths, labels)
        return credits, trace(spec, options, paths, credits, labels)
    led = paths.conversions > 0
    touched = paths.per_touch(led)
    shares = np.zeros(len(paths.channels))
    shares[touched] = weigh(
        spec,
        options,
        Paths(
            names=paths.names,
            channels=paths.channels[touched],
            starts=np.concatenate([np.zeros(1, np.int64), np.cumsum(paths.lengths[led])]),
            conversions=paths.conversions[led],
            values=paths.values[led],
            counts=paths.counts[led],
            times=None if paths.times is None else paths.times[touched],
            converted_at=None if paths.converted_at is None else paths.converted_at[led],
        ),
    )
    return ranked(share(paths, shares, labels)), _weighed(paths, shares)


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
        return _weighed(paths, weigh(spec, options, paths))
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


def _weighed(paths: Paths, shares: Floats) -> Traced:
    return Traced(shares, shares * paths.per_touch(paths.conversions), shares * paths.per_touch(paths.values))


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
        total, wanted = float(given.sum()), float(due.sum())
        if not math.isclose(total, wanted, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
            return f"credits of touches add up to {total:,.6g} {what}, and there are {wanted:,.6g}"
    return None
