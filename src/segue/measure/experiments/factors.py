"""Several splits in one rule: factors whose levels combine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations
from typing import Final

import msgspec

from segue.measure.experiments.comparing import LEVEL
from segue.measure.experiments.groups import Difference, Rate
from segue.measure.experiments.missing import load
from segue.measure.experiments.several import adjust

FEW: Final = 30
"""Below so many customers in a cell its rate says little, and the effects are told with a warning."""

Cells = Mapping[tuple[str, ...], Rate]
"""The groups by the level of each factor, in the order of the factors."""


class Effect(msgspec.Struct, frozen=True):
    """What ``level`` of a ``factor`` changes against the ``base``, over all levels of the other factors alike. Of an
    interaction: the names are joined, and the difference is how much more the two bring together than each alone.
    ``adjusted`` is the p-value as it counts beside those of the other effects."""

    factor: str
    level: str
    base: str
    difference: Difference
    adjusted: float | None = None


def all_effects(factors: Mapping[str, tuple[str, ...]], cells: Cells, level: float = LEVEL) -> list[Effect]:
    """The main effects and the interactions, as they count beside each other: p-values by Holm, and intervals that hold
    together, by Bonferroni."""
    alone = [*main_effects(factors, cells, level), *interactions(factors, cells, level)]
    each = 1 - (1 - level) / max(1, len(alone))
    adjusted = adjust([one.difference.p for one in alone])
    found = [*main_effects(factors, cells, each), *interactions(factors, cells, each)]
    return [msgspec.structs.replace(one, adjusted=p) for one, p in zip(found, adjusted, strict=True)]


def main_effects(factors: Mapping[str, tuple[str, ...]], cells: Cells, level: float = LEVEL) -> list[Effect]:
    """Each level against the first of its factor: the mean of the differences within every combination of the others,
    each with the same weight, so that unequal groups do not mix one factor's effect into another's. Combinations of
    which a side has nobody are left out; an effect without any is not told."""
    found = []
    for place, (factor, levels) in enumerate(factors.items()):
        for other in levels[1:]:
            pairs = [
                (rate, cells.get((*key[:place], other, *key[place + 1 :])))
                for key, rate in cells.items()
                if key[place] == levels[0]
            ]
            difference = _mean([((1.0, here), (-1.0, base)) for base, here in pairs if here is not None], level)
            if difference is not None:
                found.append(Effect(factor, other, levels[0], difference))
    return found


def interactions(factors: Mapping[str, tuple[str, ...]], cells: Cells, level: float = LEVEL) -> list[Effect]:
    """For each two factors, and each level of both against the first: how much more they bring together than each alone
    brings, over all levels of the other factors alike."""
    found = []
    for (one, first), (two, second) in combinations(enumerate(factors), 2):
        for high in factors[first][1:]:
            for other in factors[second][1:]:
                sets = []
                for key in cells:
                    if key[one] != factors[first][0] or key[two] != factors[second][0]:
                        continue
                    corners = [
                        (sign, cells.get(_put(key, one, left, two, right)))
                        for left, right, sign in (
                            (high, other, 1.0),
                            (high, factors[second][0], -1.0),
                            (factors[first][0], other, -1.0),
                            (factors[first][0], factors[second][0], 1.0),
                        )
                    ]
                    whole = [(sign, rate) for sign, rate in corners if rate is not None]
                    if len(whole) == len(corners):
                        sets.append(tuple(whole))
                difference = _mean(sets, level)
                if difference is not None:
                    base = f"{factors[first][0]} × {factors[second][0]}"
                    found.append(Effect(f"{first} × {second}", f"{high} × {other}", base, difference))
    return found


def is_thin(cells: Cells) -> bool:
    """Whether a combination has too few customers to say much."""
    return any(rate.customers < FEW for rate in cells.values())


def _put(key: tuple[str, ...], one: int, left: str, two: int, right: str) -> tuple[str, ...]:
    changed = list(key)
    changed[one], changed[two] = left, right
    return tuple(changed)


def _mean(sets: list[tuple[tuple[float, Rate], ...]], level: float) -> Difference | None:
    """The mean of signed sums of rates, each set with the same weight, and its normal interval."""
    full = [one for one in sets if all(rate.customers for _, rate in one)]
    if not full:
        return None
    estimate = sum(sign * (rate.share or 0.0) for one in full for sign, rate in one) / len(full)
    variance = sum(_variance(rate) for one in full for _, rate in one) / len(full) ** 2
    normal = load("scipy.stats").norm
    spread = math.sqrt(variance)
    reach = float(normal.ppf(0.5 + level / 2)) * spread
    p = float(2 * normal.sf(abs(estimate) / spread))
    return Difference(estimate, estimate - reach, estimate + reach, p, level)


def _variance(rate: Rate) -> float:
    """Of a rate; with half a conversion each way, so that none at all is not taken for certainty."""
    share = (rate.met + 0.5) / (rate.customers + 1)
    return share * (1 - share) / rate.customers
