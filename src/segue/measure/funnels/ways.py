"""Which ways journeys took, as tables: branches, waits, turns, and the arms of splits with what became of each."""

from __future__ import annotations

from collections import Counter

from segue.measure.funnels.counting import Funnel
from segue.measure.funnels.rates import share
from segue.measure.funnels.stages import stages_by_version
from segue.measure.funnels.tables import GROUPS, STATES
from segue.measure.table import Cell, Column, Table


def outcomes_table(funnel: Funnel) -> Table:
    """Which ways journeys took where there are several: yes or no, in time or at the limit, arm or turn."""
    rows: list[tuple[Cell, ...]] = []
    stages = stages_by_version(funnel.versions)
    counts: Counter[tuple[int, bool, int, str]] = Counter()
    for (version, held_out, number), step in funnel.steps.items():
        for outcome, count in step.outcomes.items():
            counts[version, held_out, number, outcome] += count
    for (row, held_out, number, outcome), count in sorted(
        counts.items(), key=lambda one: (one[0][:3], -one[1], one[0][3])
    ):
        stage = stages[row].get(number)
        if stage is not None:
            times = funnel.steps[row, held_out, number].outcomes.total()
            rows.append(
                (
                    funnel.rule,
                    str(funnel.versions[row].number),
                    GROUPS[held_out],
                    stage.line,
                    stage.words,
                    outcome,
                    count,
                    share(count, times),
                )
            )
    return Table(
        "ways",
        "Ways taken",
        (
            Column("rule", "Rule"),
            Column("version", "Version"),
            Column("group", "Group"),
            Column("line", "Line", "count"),
            Column("words", "Where"),
            Column("outcome", "Way"),
            Column("times", "Times", "count"),
            Column("share", "Of these", "share"),
        ),
        tuple(rows),
    )


def arms_table(funnel: Funnel) -> Table:
    """The journeys that took each arm of each split, and what became of them. Of each arm entered = inside + finished +
    exited + failed."""
    stages = stages_by_version(funnel.versions)
    rows: list[tuple[Cell, ...]] = []
    for (row, held_out, number, arm), one in sorted(
        funnel.arms.items(), key=lambda one: (-funnel.versions[one[0][0]].number, one[0][1:])
    ):
        stage = stages[row].get(number)
        if stage is None:
            continue
        aims = funnel.versions[row].program.goal is not None or one.converted > 0
        rows.append(
            (
                funnel.rule,
                str(funnel.versions[row].number),
                GROUPS[held_out],
                number,
                stage.line,
                stage.words,
                arm,
                one.entered,
                *(one.states[state] for state in range(len(STATES))),
                one.converted if aims else None,
                share(one.converted, one.entered) if aims else None,
            )
        )
    return Table(
        "arms",
        "Arms of splits",
        (
            Column("rule", "Rule"),
            Column("version", "Version"),
            Column("group", "Group"),
            Column("step", "Step", "count"),
            Column("line", "Line", "count"),
            Column("words", "Where"),
            Column("arm", "Arm"),
            Column("entered", "Entered", "count"),
            *(Column(state, state.title(), "count") for state in STATES),
            Column("converted", "Converted", "count"),
            Column("conversion", "Goal met", "share"),
        ),
        tuple(rows),
        ("Whether an arm does better than chance, `segue experiment` says.",) if rows else (),
    )
