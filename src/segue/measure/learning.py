"""The shares of a split that grows towards a condition: Thompson sampling's, from what each arm has brought so far.

Each arm's chance to meet the condition is taken to follow the Beta distribution of its counts; an arm's share is the
probability that it is the best of them. That is an integral and no draw, so that the same counts give the same shares,
on any machine.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Final

EVIDENCE: Final = 50
"""Journeys that every arm must have before the written shares give way."""
FLOOR: Final = 0.1
"""Of its written share, what an arm always keeps: else one that began badly could never show better."""
_REACH: Final = 12
_STEPS: Final = 20
"""Where the densities are looked at: up to so many standard deviations from each arm's mean, so many times in each."""
_DIGITS: Final = 9
"""Of a share: beyond them machines may differ."""


def learn_shares(
    written: Mapping[str, float], assigned: Mapping[str, int], met: Mapping[str, int]
) -> dict[str, float] | None:
    """The shares, which add up to 1, of the arms in ``written`` (their shares in the rule, in any unit). ``assigned``
    counts the journeys in each arm whose time to meet the condition is over, ``met`` those of them that met it: an arm
    that works at once is no better for that than one which takes days. None: there is not enough evidence yet."""
    if len(written) < 2 or any(assigned.get(arm, 0) < EVIDENCE for arm in written) or not sum(met.values()):
        return None
    counts = [(assigned[arm], min(met.get(arm, 0), assigned[arm])) for arm in written]
    whole = sum(written.values())
    return {
        arm: round(FLOOR * share / whole + (1 - FLOOR) * best, _DIGITS)
        for (arm, share), best in zip(written.items(), best_of(counts), strict=True)
    }


def best_of(counts: Sequence[tuple[int, int]]) -> list[float]:
    """How probable it is of each arm that its rate is the highest, given how many of how many met it and that every
    rate was as likely before; they add up to 1. The integral of each arm's density times the others' distribution
    functions, by the trapezoidal rule where any density is not nothing."""
    shapes = [(1 + met, 1 + assigned - met) for assigned, met in counts]
    places = _places(shapes)
    densities = [_density(hits, misses, places) for hits, misses in shapes]
    below = [_running(places, density) for density in densities]
    best = []
    for arm, density in enumerate(densities):
        others = [one for other, one in enumerate(below) if other != arm]
        best.append(
            _running(places, [here * math.prod(one[at] for one in others) for at, here in enumerate(density)])[-1]
        )
    whole = sum(best)
    return [one / whole for one in best]


def _places(shapes: Sequence[tuple[int, int]]) -> list[float]:
    found = {0.0, 1.0}
    for hits, misses in shapes:
        n = hits + misses
        mean = hits / n
        step = math.sqrt(mean * (1 - mean) / (n + 1)) / _STEPS
        found.update(mean + at * step for at in range(-_REACH * _STEPS, _REACH * _STEPS + 1))
    places = sorted(found)
    return places[bisect_left(places, 0.0) : bisect_left(places, 1.0) + 1]


def _density(hits: int, misses: int, places: Sequence[float]) -> list[float]:
    """The Beta density at these places, which reach from 0 to 1."""
    scale = math.lgamma(hits + misses) - math.lgamma(hits) - math.lgamma(misses)

    def at(x: float) -> float:
        if x <= 0:
            return float(misses) if hits == 1 else 0.0
        if x >= 1:
            return float(hits) if misses == 1 else 0.0
        power = scale + (hits - 1) * math.log(x) + (misses - 1) * math.log1p(-x)
        return math.exp(power) if power > -700 else 0.0

    return [at(x) for x in places]


def _running(places: Sequence[float], heights: Sequence[float]) -> list[float]:
    """The integral up to each of the places."""
    found, reached = [0.0], 0.0
    for at in range(1, len(places)):
        reached += (places[at] - places[at - 1]) * (heights[at] + heights[at - 1]) / 2
        found.append(reached)
    return found
