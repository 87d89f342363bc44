"""Cohorts, and the content that converts."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from segue.cli.reporting.charts import Bar, Bars, Heat
from segue.cli.reporting.charts.chart import Chart
from segue.cli.reporting.material import Material, Section
from segue.cli.reporting.sections.cells import real, whole
from segue.measure.table import Cell
from segue.program.calendar import local

Record = dict[str, Cell]
_WEEKS = 8
_COHORTS = 12
_MESSAGES = 12
_FEWEST = 20
"""Messages sent from which on a rate is drawn."""


def sections(material: Material) -> list[Section]:
    """How many had converted so many weeks after their entry; which messages came before conversions."""
    charts: list[Chart] = []
    missing = []
    if (heat := _heat(material)) is not None:
        charts.append(heat)
    else:
        missing.append("Cohorts need journeys that began in a week that is over, of a rule with a `goal`.")
    content = _content(material)
    if content is not None:
        charts.append(content)
    else:
        missing.append(f"Content is compared from {_FEWEST} messages sent on, in rules with a `goal`.")
    return [Section("cohorts", "Cohorts, and content that converts", (), (), tuple(charts), (), tuple(missing))]


def _heat(material: Material) -> Heat | None:
    """Of all rules with conversions together, by week of entry."""
    table = material.table("cohorts")
    if table is None:
        return None
    today = local(material.made, material.zone).date()
    with_goal = {one["rule"] for one in table.records() if one["converted"]}
    courses: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for one in table.records():
        if one["rule"] in with_goal:
            courses[str(one["week_of_entry"]), str(one["rule"])].append(one)
    entered: dict[str, int] = defaultdict(int)
    for (week, _), lines in courses.items():
        entered[week] += whole(lines[0]["entered"])
    ages = {week: (today - date.fromisoformat(week)).days // 7 for week, number in entered.items() if number}
    over = {week: min(_WEEKS, age - 1) for week, age in ages.items()}
    longest = max((len(lines) for lines in courses.values()), default=0)
    columns = range(1, min(max(over.values(), default=0), longest) + 1)
    if not columns:
        return None
    shown = material.shown
    first = local(material.period.since, material.zone).date().isoformat()
    rows = tuple(
        (
            shown.day(max(week, first)),
            f"{shown.number(entered[week])} entered",
            tuple(
                # After the last line of a rule nothing more of it converted.
                sum(
                    whole(lines[min(weeks, len(lines)) - 1]["converted"])
                    for (of, _), lines in courses.items()
                    if of == week
                )
                / entered[week]
                if weeks <= over[week]
                else None
                for weeks in columns
            ),
        )
        for week in sorted(over)[-_COHORTS:]
        if over[week] > 0
    )
    return Heat(
        "Converted, by week of entry and weeks since",
        "Of the journeys begun in each week, the part that had met the goal so many weeks after they began.",
        table,
        tuple(f"Week {number}" if len(columns) < 4 else str(number) for number in columns),
        rows,
    )


def _content(material: Material) -> Bars | None:
    table = material.table("content")
    if table is None:
        return None
    found = [
        one for one in table.records() if whole(one["sent"]) >= _FEWEST and isinstance(one["conversion_rate"], float)
    ]
    found.sort(key=lambda one: -real(one["conversion_rate"]))
    if not found or not any(one["conversion_rate"] for one in found):
        return None
    bars = tuple(
        Bar(
            f"{one['message']} by {one['channel']}{' · ' + str(one['locale']) if one['locale'] else ''}",
            real(one["conversion_rate"]),
            f"of {material.shown.number(whole(one['sent']))}",
            real(one["conversion_low"]),
            real(one["conversion_high"]),
        )
        for one in found[:_MESSAGES]
    )
    return Bars(
        "Journeys that converted after a message",
        "Of the messages sent, the part after which the journey met its goal, with the interval that holds 95%. "
        "This does not say that the message was the reason.",
        table,
        bars,
        "share",
    )
