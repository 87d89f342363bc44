"""Entries by day, and conversion by the week of entry."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from statistics import fmean, median
from typing import Final

from segue.api.values import DAY
from segue.measure.funnels.counting import Funnel
from segue.measure.funnels.rates import share
from segue.measure.funnels.results import newest
from segue.measure.table import Cell, Column, Table

_WEEK: Final = 7
_WEEKS_SHOWN: Final = 8


def cohorts_table(funnel: Funnel, today: date) -> Table:
    """Journeys by the week of their entry, and what part of them had converted by the end of each week since. Nothing
    of a rule without a goal. Weeks begin on Monday, and a week is counted once its last journeys are that old."""
    entered: Counter[date] = Counter()
    later: Counter[tuple[date, int]] = Counter()
    for (held_out, day, days), count in funnel.days.items():
        if not held_out:
            monday = day - timedelta(days=day.weekday())
            entered[monday] += count
            if days is not None:
                later[monday, days // _WEEK] += count
    most = max((week for _, week in later), default=0)
    rows: list[tuple[Cell, ...]] = []
    for monday in sorted(entered) if funnel.has_goal else ():
        so_far = 0
        for week in range(most + 1):
            so_far += later[monday, week]
            over = monday + timedelta(days=_WEEK * (week + 2)) <= today
            rows.append(
                (
                    funnel.rule,
                    monday.isoformat(),
                    entered[monday],
                    week + 1,
                    so_far,
                    share(so_far, entered[monday]),
                    "yes" if over else "no",
                )
            )
            if not over:
                break
    return Table(
        "cohorts",
        "Conversion by week of entry",
        (
            Column("rule", "Rule"),
            Column("week_of_entry", "Week of entry"),
            Column("entered", "Entered", "count"),
            Column("weeks", "Weeks since", "count"),
            Column("converted", "Converted", "count"),
            Column("conversion", "Conversion", "share"),
            Column("complete", "Complete"),
        ),
        tuple(rows),
    )


def as_matrix(cohorts: Table) -> Table:
    """The same with a line for each week of entry and a column for each week since, for people."""
    entered: dict[str, int] = {}
    cells: dict[tuple[str, int], Cell] = {}
    for record in cohorts.records():
        week, weeks = str(record["week_of_entry"]), record["weeks"]
        assert isinstance(weeks, int)
        assert isinstance(record["entered"], int)
        entered[week] = record["entered"]
        cells[week, weeks] = record["conversion"]
    most = min(max((weeks for _, weeks in cells), default=0), _WEEKS_SHOWN)
    return Table(
        cohorts.name,
        cohorts.title,
        (
            Column("week_of_entry", "Week of entry"),
            Column("entered", "Entered", "count"),
            *(Column(f"week_{weeks}", f"Week {weeks}", "share") for weeks in range(1, most + 1)),
        ),
        tuple(
            (week, count, *(cells.get((week, weeks)) for weeks in range(1, most + 1)))
            for week, count in entered.items()
        ),
        ("Each cell is the part of those who entered that had converted by then; the last may grow.",),
    )


def entries_table(funnel: Funnel, through: date | None) -> Table:
    """How many entered on each day, beside what the rule expects."""
    expected = expected_each_day(funnel)
    rows = tuple((funnel.rule, day.isoformat(), count, expected) for day, count in entries_by_day(funnel, through))
    return Table(
        "entries",
        "Entries by day",
        (
            Column("rule", "Rule"),
            Column("day", "Day"),
            Column("entered", "Entered", "count"),
            Column("expected", "Expected", "number"),
        ),
        rows,
    )


def expected_each_day(funnel: Funnel) -> float | None:
    """How many the rule expects to enter a day; None where it does not say."""
    version = newest(funnel)
    expect = version.program.rule.expect if version is not None else None
    if expect is None:
        return None
    length = (expect.per.months * 30 + expect.per.days) * DAY + expect.per.micros
    return expect.count * DAY / length if length else None


def entries_by_day(funnel: Funnel, through: date | None) -> list[tuple[date, int]]:
    """How many entered on each day since the first that did, days without any among them: ``through`` which day, where
    the rule runs; else to the last that did."""
    days: Counter[date] = Counter()
    for (_, day, _), count in funnel.days.items():
        days[day] += count
    if not days:
        return []
    first, last = min(days), max(days)
    version = newest(funnel)
    if through is not None and version is not None and version.current:
        last = max(last, through)
    calendar = (first + timedelta(days=ahead) for ahead in range((last - first).days + 1))
    return [(day, days[day]) for day in calendar]


def usual_entries(funnel: Funnel, through: date | None) -> tuple[float, str] | None:
    """How many entered on an ordinary day, of those between the first and the last, which may be parts of days; with
    the words to say it. Where most days have none, it is the average."""
    whole = [count for _, count in entries_by_day(funnel, through)[1:-1]]
    if not whole:
        return None
    usual = float(median(whole))
    return (usual, "on an ordinary day") if usual >= 1 or not any(whole) else (fmean(whole), "a day on average")
