"""How far figures would move with other customers of the same kind: the bootstrap, from a fixed seed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from segue.api import AttributionSpec, Credit, Paths
from segue.measure.attribution import Labels, ModelError, attribute, share, weigh

if TYPE_CHECKING:
    from segue.api.attribution import Floats

COVERAGE: Final = 0.95
_SEED: Final = 20_240_229


class Interval(msgspec.Struct, frozen=True):
    """Between which figures 95% of the samples lie."""

    conversions: tuple[float, float]
    value: tuple[float, float]


def intervals(
    spec: AttributionSpec, options: Any, paths: Paths, labels: Labels | None, samples: int
) -> dict[str, Interval]:
    """For each channel or label, from so many samples of as many journeys, drawn with replacement. Empty where the
    model refuses a sample (Markov's one without a journey that led nowhere). The same paths give the same intervals."""
    import numpy as np

    drawn: dict[str, list[tuple[float, float]]] = {}
    weights = weigh(spec, options, paths) if spec.weights is not None else None
    try:
        for sample in _samples(paths, samples):
            credits: tuple[Credit, ...] = (
                share(sample, weights, labels) if weights is not None else attribute(spec, options, sample, labels)
            )
            for credit in credits:
                drawn.setdefault(credit.channel, []).append((credit.conversions, credit.value))
    except ModelError:
        return {}
    edges = [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2]
    found = {}
    for channel, figures in drawn.items():
        (low, low_value), (high, high_value) = np.quantile(np.array(figures), edges, axis=0).tolist()
        found[channel] = Interval((low, high), (low_value, high_value))
    return found


def _samples(paths: Paths, samples: int) -> Iterator[Paths]:
    """A path stands for journeys that converted and others that didn't: how often each of the two is drawn is
    multinomial. A conversion brings the average value of its path's; where a path has a value and no conversion, its
    journeys bring that."""
    import numpy as np

    random = np.random.default_rng(_SEED)
    cells: Floats = np.concatenate([paths.conversions, np.maximum(paths.counts - paths.conversions, 0)])
    whole = float(cells.sum())
    if not whole > 0:
        return
    won = paths.conversions > 0
    bringing = np.where(won, paths.conversions, cells[len(paths.counts) :])
    of_one = np.divide(paths.values, bringing, out=np.zeros_like(paths.values), where=bringing > 0)
    journeys, chances = round(whole), cells / whole
    for _ in range(samples):
        drawn = random.multinomial(journeys, chances).astype(np.float64)
        conversions, lost = drawn[: len(paths.counts)], drawn[len(paths.counts) :]
        yield msgspec.structs.replace(
            paths,
            conversions=conversions,
            values=np.where(won, conversions, lost) * of_one,
            counts=conversions + lost,
        )
