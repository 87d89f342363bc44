"""What experiments show, and what holdouts measure beside what models attribute, as tables of a report."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from segue.api import Instant
from segue.cli.experiments.reading import Asked, read_experiments
from segue.measure.experiments.missing import NotInstalled
from segue.measure.experiments.result import Lift
from segue.measure.experiments.tables import groups_table, verdicts_table
from segue.measure.incrementality import Evidence, evidence_table
from segue.measure.period import Period
from segue.measure.table import Table
from segue.runtime.assembly import Assembly
from segue.store.database import read_only
from segue.store.exposures import cost_of_treated


def evidence_tables(
    assembly: Assembly, period: Period, now: Instant, attributed: Mapping[str, Mapping[str, float]]
) -> list[Table]:
    """The experiments of a period, their groups, and the measured beside the attributed. ``attributed`` are the
    conversions that each model gives each rule. Nothing, where what counts them is not installed."""
    try:
        read = read_experiments(assembly, Asked(), period, now)
    except NotInstalled:
        return []
    found = read.experiments
    holdouts = [one for one in found if not one.split]
    with read_only(assembly.project.database) as tx:
        evidence = [
            Evidence(
                one.rule,
                Lift.of(one),
                attributed.get(one.rule, {}),
                cost_of_treated(tx, one.rule, period.since, period.until, now),
            )
            for one in holdouts
            if one.arms
        ]
    verdicts = msgspec.structs.replace(verdicts_table(found), notes=tuple(f"{note}." for note in read.notes))
    return [verdicts, groups_table(found), evidence_table(evidence)]
