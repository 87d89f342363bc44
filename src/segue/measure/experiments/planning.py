"""Before an experiment begins: what it will be able to see, and how long that takes."""

from __future__ import annotations

import math
from typing import Final

import msgspec

from segue.measure.experiments.comparing import LEVEL
from segue.measure.experiments.missing import load

POWER: Final = 0.8
"""In what share of experiments an effect of the size asked for is to be found."""


class Plan(msgspec.Struct, frozen=True):
    """An experiment that finds a rise from ``rate`` to ``rate + effect`` with a chance of ``power``: it takes so many
    ``customers`` in all groups together, and so many ``days``, the goal's window of the last ones included (None:
    nobody enters)."""

    rate: float
    effect: float
    customers: int
    days: float | None
    power: float
    level: float


def plan_for_effect(
    rate: float,
    effect: float,
    share: float,
    per_day: float,
    window: float = 0.0,
    power: float = POWER,
    level: float = LEVEL,
    against: float | None = None,
) -> Plan:
    """What finding ``effect`` (a difference of rates) takes, where ``share`` of the customers are the control group and
    ``against`` are the group beside it (None: all others), ``per_day`` enter, and the goal counts for ``window`` days.
    Raises ValueError where no such experiment exists."""
    other = 1 - share if against is None else against
    _check(rate, share, other, power, level)
    if effect == 0:
        raise ValueError("an effect of 0 is none: no experiment finds it")
    if not 0 < rate + effect < 1:
        raise ValueError(f"an effect of {effect:g} on a rate of {rate:g} cannot be: the new rate lies between 0 and 1")
    proportion, solver = load("statsmodels.stats.proportion"), load("statsmodels.stats.power").NormalIndPower()
    size = proportion.proportion_effectsize(rate + effect, rate)
    control = solver.solve_power(abs(size), alpha=1 - level, power=power, ratio=other / share)
    customers = math.ceil(float(control) / share)
    return Plan(rate, effect, customers, customers / per_day + window if per_day > 0 else None, power, level)


def detectable_effect(
    rate: float,
    customers: int,
    share: float,
    power: float = POWER,
    level: float = LEVEL,
    against: float | None = None,
) -> float | None:
    """The smallest rise that so many customers show with a chance of ``power``; None where there are too few for any.
    ``share`` and ``against`` as in `plan_for_effect`. Raises ValueError."""
    other = 1 - share if against is None else against
    _check(rate, share, other, power, level)
    control = customers * share
    if control < 2 or customers * other < 2:
        return None
    solver = load("statsmodels.stats.power").NormalIndPower()
    size = solver.solve_power(None, nobs1=control, alpha=1 - level, power=power, ratio=other / share)
    # Cohen's h is a difference of angles: 2 asin √p.
    angle = 2 * math.asin(math.sqrt(rate)) + abs(float(size))
    return math.sin(angle / 2) ** 2 - rate if angle < math.pi else None


def _check(rate: float, share: float, other: float, power: float, level: float) -> None:
    for name, value in (
        ("rate", rate),
        ("control group's share", share),
        ("other group's share", other),
        ("power", power),
        ("level", level),
    ):
        if not 0 < value < 1:
            raise ValueError(f"the {name} is {value:g}, and must lie between 0 and 1")
