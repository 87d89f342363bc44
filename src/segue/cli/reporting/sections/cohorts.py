"""Cohorts, and the content that converts."""

from __future__ import annotations

from collections import defaultdict

from segue.cli.reporting.charts import Bar, Bars, Heat
from segue.cli.reporting.charts.chart import Chart
from segue.cli.reporting.material import Material, Section
from segue.cli.reporting.sections.cells import real, whole

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
    with_goal = {one["rule"] for one in table.records() if one["converted"]}
    entered: dict[str, int] = defaultdict(int)
    converted: dict[tuple[str, int], int] = defaultdict(int)
    told: dict[tuple[str, int], int] = defaultdict(int)
    for one in table.records():
        if one["rule"] not in with_goal:
            continue
        week, weeks = str(one["week_of_entry"]), whole(one["weeks"])
        if weeks == 1:
            entered[week] += whole(one["entered"])
        converted[week, weeks] += whole(one["converted"])
        told[week, weeks] += whole(one["entered"])
    if not entered:
        return None
    shown = material.shown
    columns = range(1, min(_WEEKS, max(weeks for _, weeks in converted)) + 1)
    rows = tuple(
        (
            shown.day(week),
            f"{shown.number(entered[week])} entered",
            tuple(
                converted[week, weeks] / entered[week] if told[week, weeks] == entered[week] else None
                for weeks in columns
            ),
        )
        for week in sorted(entered)[-_COHORTS:]
        if entered[week]
    )
    return Heat(
        "Converted, by week of entry and weeks since",
        "Each cell is the part of the journeys begun in a week that had met their goal by so many weeks later.",
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
