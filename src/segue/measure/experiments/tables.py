"""Experiments as tables."""

from __future__ import annotations

from collections.abc import Sequence

from segue.measure.experiments.exposed import HELD_OUT
from segue.measure.experiments.factors import Effect
from segue.measure.experiments.groups import Difference
from segue.measure.experiments.result import Compared, Experiment
from segue.measure.experiments.verdict import verdict
from segue.measure.table import Cell, Column, Table

_GROUPS = (
    Column("rule", "rule"),
    Column("experiment", "experiment"),
    Column("arm", "group"),
    Column("drawn", "drawn", "count"),
    Column("open", "goal open", "count"),
    Column("customers", "counted", "count"),
    Column("converted", "converted", "count"),
    Column("rate", "rate", "share"),
    Column("difference", "difference", "share"),
    Column("low", "from", "share"),
    Column("high", "to", "share"),
    Column("relative", "relative", "share"),
    Column("probability", "beats control", "share"),
    Column("p", "p", "number"),
    Column("p_adjusted", "p, adjusted", "number"),
    Column("expected", "expected", "number"),
    Column("gone", "without a window", "count"),
    Column("mixed", "in two groups", "count"),
)
REFUNDS = "Worth is before refunds: `segue spend` has what was paid back of each rule's goals."
_WORTH = (
    Column("rule", "rule"),
    Column("experiment", "experiment"),
    Column("arm", "group"),
    Column("currency", "currency"),
    Column("worth", "worth", "money"),
    Column("mean", "a customer", "money"),
    Column("difference", "difference", "money"),
    Column("low", "from", "money"),
    Column("high", "to", "money"),
    Column("p", "p", "number"),
)


def verdicts_table(experiments: Sequence[Experiment]) -> Table:
    """A line for each experiment: what it shows, in a sentence."""
    columns = (
        Column("rule", "rule"),
        Column("experiment", "experiment"),
        Column("customers", "customers", "count"),
        Column("ratio_p", "sizes p", "number"),
        Column("sound", "sound"),
        Column("method", "method"),
        Column("verdict", "verdict"),
    )
    rows = [
        (
            one.rule,
            one.split or HELD_OUT,
            sum(each.group.drawn for each in (one.control, *one.arms)),
            one.ratio.p,
            "yes" if one.sound else "no",
            f"{one.way}, weighted" if one.weighted else one.way,
            verdict(one),
        )
        for one in experiments
    ]
    return Table("experiments", "Experiments", columns, tuple(rows))


def groups_table(experiments: Sequence[Experiment]) -> Table:
    """A line for each group. Differences are to the control group, the first of each experiment; where the sizes of the
    groups are wrong, there are none."""
    rows = [_group(one, each) for one in experiments for each in (one.control, *one.arms) if each.arm]
    notes = []
    if any(not one.sound for one in experiments):
        notes.append("Groups that are not the size they should be are not compared.")
    return Table("groups", "Groups", _GROUPS, tuple(rows), tuple(notes))


def _group(experiment: Experiment, one: Compared) -> tuple[Cell, ...]:
    group, difference = one.group, one.difference if experiment.sound else None
    return (
        experiment.rule,
        experiment.split or HELD_OUT,
        one.arm,
        group.drawn,
        group.open,
        group.rate.customers,
        group.rate.met,
        group.rate.share,
        *_ends(difference),
        one.relative if difference is not None else None,
        one.probability if difference is not None else None,
        difference.p if difference is not None else None,
        one.adjusted if difference is not None else None,
        experiment.ratio.expected.get(one.arm),
        group.gone,
        group.mixed,
    )


def worth_table(experiments: Sequence[Experiment]) -> Table:
    """A line for each group and currency: what the customers brought, and how much more than in the control group."""
    rows: list[tuple[Cell, ...]] = []
    for experiment in experiments:
        groups = (experiment.control, *experiment.arms)
        for currency in sorted({currency for one in groups for currency in one.group.worth}):
            for one in groups:
                difference = one.worth.get(currency) if experiment.sound else None
                sums = one.group.of(currency).plain
                rows.append(
                    (
                        *(
                            experiment.rule,
                            experiment.split or HELD_OUT,
                            one.arm,
                            currency,
                            round(sums.y, 6),
                            sums.mean,
                        ),
                        *_ends(difference),
                        difference.p if difference is not None else None,
                    )
                )
    notes = tuple(
        f"{experiment.rule}, {experiment.split or HELD_OUT}: one customer of {one.arm} brought so much {currency} "
        "that the difference hangs on them alone."
        for experiment in experiments
        for one in (experiment.control, *experiment.arms)
        for currency in one.lopsided
    )
    before = (REFUNDS,) if rows else ()
    return Table("worth", "Worth of conversions", _WORTH, tuple(rows), (*before, *notes))


def factors_table(rule: str, effects: Sequence[Effect], *, counted: int, apart: int, thin: bool) -> Table:
    """The effects of factors that combine, and how far they do more together. ``counted`` customers came into all
    splits, and ``apart`` into some only."""
    columns = (
        Column("rule", "rule"),
        Column("factor", "factor"),
        Column("level", "level"),
        Column("base", "against"),
        Column("difference", "difference", "share"),
        Column("low", "from", "share"),
        Column("high", "to", "share"),
        Column("p", "p", "number"),
        Column("p_adjusted", "p, adjusted", "number"),
    )
    rows = [
        (
            *(rule, one.factor, one.level, one.base),
            *(one.difference.estimate, one.difference.low, one.difference.high, one.difference.p, one.adjusted),
        )
        for one in effects
    ]
    notes = [f"Of the {counted:,} customers who came into every split, and whose goal's time is over."]
    if apart:
        notes.append(f"{apart:,} more came into some of the splits only, and are left out.")
    if effects and len(effects) > 1:
        level = min(one.difference.level for one in effects)
        notes.append(
            f"{len(effects)} effects are looked at at once, so each interval is wider: it holds in {level:.1%} of "
            "experiments."
        )
    if thin:
        notes.append("Some combinations have few customers: these effects say little yet.")
    return Table("factors", "Factors", columns, tuple(rows), tuple(notes))


def _ends(difference: Difference | None) -> tuple[float | None, float | None, float | None]:
    return (difference.estimate, difference.low, difference.high) if difference is not None else (None, None, None)
