"""What an experiment shows, as far as it may be believed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from segue.api.values import DAY
from segue.measure.experiments.comparing import (
    LEVEL,
    Reduced,
    compare_means,
    compare_rates,
    compare_reduced,
    probability_to_beat,
)
from segue.measure.experiments.exposed import HELD_OUT, TREATED, Collected, Group, Worth
from segue.measure.experiments.groups import Difference
from segue.measure.experiments.sequential import means_at_any_time, rates_at_any_time
from segue.measure.experiments.several import Method, adjust
from segue.measure.experiments.validity import Ratio, check_ratio
from segue.measure.experiments.weighing import compare_weighted

Way = Literal["one look", "any time", "reduced"]
"""How a difference was found: by an interval for one look, for any time, or with what was known before taken out."""

FEW: Final = 20
"""Customers that a group must have before anything is claimed of it."""
_NORMAL: Final = 5
"""Customers of either group who must have converted, and who must not, before a rate's interval is a normal one."""
_BUYERS: Final = 10
"""Of a group, before it is told that one of them brought most."""


class Compared(msgspec.Struct, frozen=True):
    """A group beside the control group. ``difference`` is of the share that converts; ``probability`` how probable it
    is that the group's is the higher one; ``adjusted`` the p-value as it counts beside those of the other arms;
    ``worth`` how much more a customer brings, by currency.

    ``enough``: there are the customers without which nothing is claimed. ``claimed``: the difference is not nothing, as
    far as the experiment is sound."""

    arm: str
    group: Group
    difference: Difference | None = None
    probability: float | None = None
    adjusted: float | None = None
    worth: dict[str, Difference] = {}
    theta: float | None = None
    spared: float | None = None
    enough: bool = False
    claimed: bool = False

    @property
    def relative(self) -> float | None:
        """The difference as a share of the control group's rate; None where that is 0."""
        rate, difference = self.group.rate.share, self.difference
        if rate is None or difference is None or rate == difference.estimate:
            return None
        return difference.estimate / (rate - difference.estimate)

    @property
    def lopsided(self) -> list[str]:
        """The currencies in which one customer alone makes more than half of what the group varies by: the difference
        of worth hangs on them."""
        if self.group.rate.met < _BUYERS:
            return []
        return [currency for currency, one in sorted(self.group.worth.items()) if one.most**2 > one.plain.yy / 2 > 0]


class Experiment(msgspec.Struct, frozen=True):
    """One experiment of a rule: its holdout, where ``split`` is empty, or a split. ``control`` is the group that the
    ``arms`` are compared with. ``weighted``: the arms' shares were not the same for all, so each customer counts by how
    improbable their arm was. ``per_day`` is how many customers came a day; None within the first one."""

    rule: str
    split: str
    way: Way
    level: float
    ratio: Ratio
    control: Compared
    arms: tuple[Compared, ...]
    weighted: bool = False
    per_day: float | None = None

    @property
    def more_days(self) -> float | None:
        """How many days more it takes, as customers come now, until a difference as large as the one that was seen is
        seen to be none of chance; None where that cannot be said. Of several arms the one that shows first."""
        counted = sum(one.group.rate.customers for one in (self.control, *self.arms))
        found = (days_until_settled(one.difference, counted, self.per_day) for one in self.arms)
        return min((days for days in found if days is not None), default=None)

    @property
    def sound(self) -> bool:
        """Whether anything may be claimed: the groups are as large as chance would have them."""
        return self.ratio.sound

    @property
    def claims(self) -> list[Compared]:
        """The arms of which something is claimed."""
        return [one for one in self.arms if one.claimed] if self.sound else []


def days_until_settled(difference: Difference | None, counted: int, per_day: float | None) -> float | None:
    """How many days more it takes until an interval, which so many customers gave, leaves out nothing at all, if the
    estimate stays and so many come a day: it shrinks with the root of their number."""
    if difference is None or not difference.estimate or not per_day:
        return None
    reach = (difference.high - difference.low) / 2
    return max(0.0, counted * ((reach / difference.estimate) ** 2 - 1)) / per_day


def judge(
    rule: str,
    split: str,
    found: Collected,
    order: Sequence[str] = (),
    *,
    at_any_time: bool = False,
    reduced: bool = False,
    method: Method = "holm",
    level: float = LEVEL,
) -> Experiment:
    """Compare the groups. The control is the holdout, of a split its first arm in ``order`` (as the rule is written).
    Each arm is compared with those of the control group who could have come into it as well."""
    groups = found.groups
    known = groups.keys() | {arm for arm, size in found.expected.items() if size > 0}
    names = [arm for arm in order if arm in known] + sorted(known - set(order))
    if not split:
        names = [HELD_OUT, TREATED]
    way: Way = "any time" if at_any_time else "reduced" if reduced and not found.moved else "one look"
    pairs = [(arm, found.among(names[0], (arm,)), found.among(arm, names[:1])) for arm in names[1:]]

    def compare(level: float) -> list[Compared]:
        return [
            _compare(arm, groups.get(arm, Group()), control, theirs, way, level, weighted=found.moved)
            for arm, control, theirs in pairs
        ]

    alone = compare(level)
    p_values = adjust([one.difference.p if one.difference is not None else None for one in alone], method)
    claimed = [_is_claimed(one, p, level) for one, p in zip(alone, p_values, strict=True)]
    each = _level_of_each(p_values, method, level)
    arms = compare(each) if each > level else alone
    control = groups.get(names[0], Group()) if names else Group()
    sizes = {arm: groups[arm].drawn if arm in groups else 0 for arm in names}
    return Experiment(
        rule,
        split,
        way,
        level,
        check_ratio(sizes, found.expected),
        Compared(names[0] if names else "", control, enough=control.rate.customers >= FEW),
        tuple(_settle(one, p, is_one) for one, p, is_one in zip(arms, p_values, claimed, strict=True)),
        found.moved,
        _per_day(found, sum(sizes.values())),
    )


def _is_claimed(one: Compared, adjusted: float | None, level: float) -> bool:
    if one.difference is None or not one.difference.settled or not one.enough:
        return False
    return adjusted is None or adjusted < 1 - level


def _level_of_each(p_values: Sequence[float | None], method: Method, level: float) -> float:
    """The level of each interval. With Holm, by Bonferroni: then all hold together. With Benjamini-Hochberg, by how
    many are claimed: then all but so small a share of those hold (Benjamini and Yekutieli, JASA 100, 2005)."""
    several = max(1, len(p_values))
    claimed = sum(p is not None and p < 1 - level for p in p_values) if method == "benjamini-hochberg" else 1
    return 1 - (1 - level) * max(1, claimed) / several


def _settle(one: Compared, adjusted: float | None, claimed: bool) -> Compared:
    difference = one.difference
    if claimed and difference is not None and not difference.settled:
        # Holm claims more than Bonferroni's intervals show; of such a difference only the direction is known.
        low, high = (0.0, difference.high) if difference.estimate > 0 else (difference.low, 0.0)
        difference = msgspec.structs.replace(difference, low=low, high=high)
    return msgspec.structs.replace(one, difference=difference, adjusted=adjusted, claimed=claimed)


def _per_day(found: Collected, drawn: int) -> float | None:
    if found.first is None or found.last is None or found.last - found.first < DAY:
        return None
    return drawn / ((found.last - found.first) / DAY)


def _compare(
    arm: str, group: Group, control: Group, theirs: Group, way: Way, level: float, *, weighted: bool
) -> Compared:
    """``group`` is all of the arm; ``theirs`` are those of it that are compared with ``control``."""
    difference: Difference | None
    probability = probability_to_beat(control.rate, theirs.rate)
    theta = spared = None
    if weighted:
        difference = compare_weighted(control.weighted, theirs.weighted, level, rates=True)
        probability = _probability(difference)
        if way == "any time":
            difference = compare_weighted(control.weighted, theirs.weighted, level, rates=True, at_any_time=True)
    elif way == "any time":
        difference = rates_at_any_time(control.rate, theirs.rate, level)
    elif way == "reduced" and (found := _reduce(control, theirs, level)) is not None:
        difference, theta, spared = found.difference, found.theta, found.spared
    else:
        difference = compare_rates(control.rate, theirs.rate, level)
    worth = {}
    for currency in sorted(control.worth.keys() | theirs.worth.keys()):
        one = _compare_worth(control.of(currency), theirs.of(currency), way, level, weighted=weighted)
        if one is not None:
            worth[currency] = one
    enough = min(control.rate.customers, theirs.rate.customers) >= FEW
    return Compared(arm, group, difference, probability, None, worth, theta, spared, enough)


def _reduce(control: Group, group: Group, level: float) -> Reduced | None:
    rates = control.rate, group.rate
    if min(min(one.met, one.customers - one.met) for one in rates) < _NORMAL:
        return None
    return compare_reduced(control.conversions, group.conversions, level)


def _compare_worth(control: Worth, group: Worth, way: Way, level: float, *, weighted: bool) -> Difference | None:
    if weighted:
        return compare_weighted(control.weighted, group.weighted, level, at_any_time=way == "any time")
    if way == "any time":
        return means_at_any_time(control.plain, group.plain, level)
    if way == "reduced" and (found := compare_reduced(control.plain, group.plain, level)) is not None:
        return found.difference
    return compare_means(control.plain, group.plain, level)


def _probability(difference: Difference | None) -> float | None:
    """How probable it is that the difference is above 0, by its normal approximation, from the p-value for one look."""
    if difference is None or difference.p is None:
        return None
    return 1 - difference.p / 2 if difference.estimate > 0 else difference.p / 2


class Lift(msgspec.Struct, frozen=True):
    """What a rule brings, by its holdout: of one customer who is not held out, and of all ``customers`` of them
    together (their windows over). ``claimed``: the groups are sound and large enough, and the interval leaves out
    nothing. ``per_day`` is how many customers come a day, of both groups. ``waiting`` are customers who are not held
    out either, and whose windows are still open. In ``lopsided`` currencies the worth hangs on one customer alone."""

    rule: str
    customers: int
    held_out: int
    each: Difference | None
    conversions: Difference | None
    worth: dict[str, Difference]
    sound: bool
    claimed: bool
    per_day: float | None = None
    waiting: int = 0
    lopsided: tuple[str, ...] = ()

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
            bool(experiment.claims),
            experiment.per_day,
            treated.group.open,
            tuple(sorted({*treated.lopsided, *experiment.control.lopsided})),
        )
