"""What an experiment shows, as far as it may be believed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from segue.measure.experiments.comparing import (
    LEVEL,
    compare_means,
    compare_rates,
    compare_reduced,
    probability_to_beat,
)
from segue.measure.experiments.exposed import HELD_OUT, TREATED, Collected, Group
from segue.measure.experiments.groups import Difference, Moments
from segue.measure.experiments.sequential import means_at_any_time, rates_at_any_time
from segue.measure.experiments.several import Method, adjust
from segue.measure.experiments.validity import Ratio, check_ratio
from segue.measure.experiments.weighing import compare_weighted

Way = Literal["one look", "any time", "reduced", "weighted"]
"""How a difference was found: by an interval for one look, for any time, with what was known before taken out, or with
each customer counted by how improbable their arm was."""

FEW = 20
"""Customers that a group must have before anything is claimed of it."""


class Compared(msgspec.Struct, frozen=True):
    """A group beside the control group. ``difference`` is of the share that converts; ``probability`` how probable it
    is that the group's is the higher one; ``adjusted`` the p-value as it counts beside those of the other arms;
    ``worth`` how much more a customer brings, by currency."""

    arm: str
    group: Group
    difference: Difference | None = None
    probability: float | None = None
    adjusted: float | None = None
    worth: dict[str, Difference] = {}
    theta: float | None = None
    spared: float | None = None

    @property
    def relative(self) -> float | None:
        """The difference as a share of the control group's rate; None where that is 0."""
        rate, difference = self.group.rate.share, self.difference
        if rate is None or difference is None or rate == difference.estimate:
            return None
        return difference.estimate / (rate - difference.estimate)


class Experiment(msgspec.Struct, frozen=True):
    """One experiment of a rule: its holdout, where ``split`` is empty, or a split. ``control`` is the group that the
    ``arms`` are compared with."""

    rule: str
    split: str
    way: Way
    level: float
    ratio: Ratio
    control: Compared
    arms: tuple[Compared, ...]

    @property
    def sound(self) -> bool:
        """Whether anything may be claimed: the groups are as large as chance would have them."""
        return self.ratio.sound

    @property
    def enough(self) -> bool:
        """Whether every group has the customers without which nothing is claimed."""
        return all(one.group.rate.customers >= FEW for one in (self.control, *self.arms))


def judge(
    rule: str,
    split: str,
    found: Collected,
    order: Sequence[str] = (),
    *,
    learns: bool = False,
    at_any_time: bool = False,
    reduced: bool = False,
    method: Method = "holm",
    level: float = LEVEL,
) -> Experiment:
    """Compare the groups. The control is the holdout, of a split its first arm in ``order`` (as the rule is written).
    ``learns``: the shares move, so customers count by how improbable their arm was."""
    names = [arm for arm in order if arm in found.groups] + sorted(set(found.groups) - set(order))
    if not split:
        names = [HELD_OUT, TREATED]
    groups = {arm: found.groups.get(arm, Group()) for arm in names}
    control = groups[names[0]] if names else Group()
    way: Way = "weighted" if learns else "any time" if at_any_time else "reduced" if reduced else "one look"
    arms = [_compare(arm, control, groups[arm], way, level) for arm in names[1:]]
    p_values = adjust([one.difference.p if one.difference is not None else None for one in arms], method)
    return Experiment(
        rule,
        split,
        way,
        level,
        check_ratio({arm: group.drawn for arm, group in groups.items()}, found.expected),
        Compared(names[0] if names else "", control),
        tuple(msgspec.structs.replace(one, adjusted=p) for one, p in zip(arms, p_values, strict=True)),
    )


def _compare(arm: str, control: Group, group: Group, way: Way, level: float) -> Compared:
    difference: Difference | None
    theta = spared = None
    match way:
        case "weighted":
            difference = compare_weighted(control.weighted, group.weighted, level)
        case "any time":
            difference = rates_at_any_time(control.rate, group.rate, level)
        case "reduced":
            found = compare_reduced(control.conversions, group.conversions, level)
            difference = found.difference if found is not None else compare_rates(control.rate, group.rate, level)
            theta, spared = (found.theta, found.spared) if found is not None else (None, None)
        case "one look":
            difference = compare_rates(control.rate, group.rate, level)
    worth = {}
    for currency in sorted(control.worth.keys() | group.worth.keys()):
        one = _worth(control.of(currency), group.of(currency), way, level)
        if one is not None:
            worth[currency] = one
    return Compared(arm, group, difference, probability_to_beat(control.rate, group.rate), None, worth, theta, spared)


def _worth(control: Moments, group: Moments, way: Way, level: float) -> Difference | None:
    if way == "any time":
        return means_at_any_time(control, group, level)
    if way == "reduced" and (found := compare_reduced(control, group, level)) is not None:
        return found.difference
    return compare_means(control, group, level)


class Lift(msgspec.Struct, frozen=True):
    """What a rule brings, by its holdout: of one customer who is not held out, and of all ``customers`` of them
    together (their windows over). ``claimed``: the groups are sound and large enough, and the interval leaves out
    nothing."""

    rule: str
    customers: int
    held_out: int
    each: Difference | None
    conversions: Difference | None
    worth: dict[str, Difference]
    sound: bool
    claimed: bool

    @classmethod
    def of(cls, experiment: Experiment) -> Lift:
        """The lift that the holdout of a rule shows."""
        treated = experiment.arms[0]
        customers = treated.group.rate.customers
        each = treated.difference
        return cls(
            experiment.rule,
            customers,
            experiment.control.group.rate.customers,
            each,
            each.times(customers) if each is not None else None,
            {currency: one.times(customers) for currency, one in treated.worth.items()},
            experiment.sound,
            experiment.sound and experiment.enough and each is not None and each.settled,
        )
