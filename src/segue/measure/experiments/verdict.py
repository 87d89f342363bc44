"""One sentence that says what an experiment shows, and no more than it shows."""

from __future__ import annotations

from typing import Final

from segue.measure.experiments.groups import Difference
from segue.measure.experiments.result import FEW, Compared, Experiment

_TOO_LONG: Final = 730
"""Days after which nobody waits."""


def verdict(experiment: Experiment) -> str:
    """The sentence for people. Where the groups are not the size that chance gives, it claims nothing."""
    if not experiment.sound:
        sizes = ", ".join(
            f"{experiment.ratio.seen.get(arm, 0):,} {arm} where {size:,.0f} were to be expected"
            for arm, size in experiment.ratio.expected.items()
        )
        return f"The groups are not the size they should be ({sizes}): nothing can be claimed until that is explained."
    groups = (experiment.control, *experiment.arms)
    empty = [one.arm for one in groups if not one.group.drawn]
    if not experiment.control.group.drawn or len(empty) >= len(experiment.arms):
        return "Not enough evidence: nobody came into " + (" or ".join(empty) or "a second group") + "."
    if not any(one.enough for one in experiment.arms):
        few = [one for one in groups if one.group.rate.customers < FEW]
        if not few:
            return "Not enough evidence: too few of the groups' customers could have come into either."
        counts = " and ".join(f"{one.group.rate.customers:,} in {one.arm}" for one in few)
        waiting = sum(one.group.open for one in groups)
        later = f"; the goal still counts for {waiting:,} more" if waiting else ""
        return f"Not enough evidence: of customers whose goal's time is over there are {counts}{later}."
    claims = experiment.claims
    if not claims:
        return _undecided(experiment)
    return " ".join(_claim(experiment, one) for one in claims)


def _claim(experiment: Experiment, one: Compared) -> str:
    difference = one.difference
    assert difference is not None, "it is claimed"
    low, high = sorted((abs(difference.low), abs(difference.high)))
    more = "more" if difference.estimate > 0 else "fewer"
    if not experiment.split:
        return (
            f"The rule brings {_per_hundred(low, high)} {more} conversions of 100 customers than without its messages."
        )
    return (
        f"“{one.arm}” brings {_per_hundred(low, high)} {more} conversions of 100 customers than "
        f"“{experiment.control.arm}”."
    )


def _per_hundred(low: float, high: float) -> str:
    first, last = f"{low * 100:.1f}", f"{high * 100:.1f}"
    return first if first == last else f"{first} to {last}"


def _undecided(experiment: Experiment) -> str:
    differences = [one.difference for one in experiment.arms if one.enough and one.difference is not None]
    widest = max(differences, key=_width, default=None)
    if widest is None:
        return "Not enough evidence: the groups cannot be compared yet."
    against = "the holdout" if not experiment.split else f"“{experiment.control.arm}”"
    return (
        f"Not enough evidence: against {against} it may be anything from {widest.low * 100:+.1f} to "
        f"{widest.high * 100:+.1f} conversions of 100 customers{_say_pace(experiment.more_days)}."
    )


def _say_pace(days: float | None) -> str:
    """What a reader may hope for; nothing where no difference was seen at all, or they came all at once."""
    if days is None:
        return ""
    if days > _TOO_LONG:
        return "; at this pace it takes years to tell"
    return f"; if the difference is as large as it looks, it shows at this pace in {max(1, round(days)):,} more days"


def _width(difference: Difference) -> float:
    return difference.high - difference.low
