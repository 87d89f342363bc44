"""Experiments and holdouts, and what they say beside attribution."""

from __future__ import annotations

from segue.cli.reporting.charts import Bar, Bars, Dot, Range, Ranges
from segue.cli.reporting.charts.chart import Chart
from segue.cli.reporting.material import Material, Section
from segue.cli.reporting.sections.attribution import shares_by
from segue.cli.reporting.sections.cells import real, whole
from segue.measure.experiments.exposed import HELD_OUT
from segue.measure.experiments.result import FEW
from segue.measure.table import Cell, Table

_GROUPS = 24
Record = dict[str, Cell]


def sections(material: Material) -> list[Section]:
    """What differs between the groups of each experiment; and what was measured beside what models attribute."""
    verdicts, groups = material.table("experiments"), material.table("groups")
    if verdicts is None or groups is None:
        return [Section("experiments", "Experiments and holdouts", missing=(_missing(material),))]
    sentences = tuple(f"{_named(material, one)}: {one['verdict']}" for one in verdicts.records())
    of = list(groups.records())[:_GROUPS]
    charts: list[Chart] = []
    differences = _differences(material, groups, of)
    if differences.ranges:
        charts.append(differences)
    charts.append(_rates(material, groups, of))
    found = [Section("experiments", "Experiments and holdouts", sentences, (), tuple(charts))]
    evidence = material.table("incrementality")
    return [*found, _beside_attribution(material, evidence)] if evidence is not None else found


def _missing(material: Material) -> str:
    journeys = material.table("journeys")
    if journeys is not None and "held out" in journeys.column("group"):
        return "`segue experiment` measures what the rules with a `holdout` change: it needs `segue[measure]`."
    return "No rule has a holdout: write `holdout 5%` in a rule to learn what it changes."


def _named(material: Material, one: Record) -> str:
    rule = material.title(str(one["rule"]))
    return rule if one["experiment"] == HELD_OUT else f"{rule}, split {one['experiment']}"


def _differences(material: Material, table: Table, groups: list[Record]) -> Ranges:
    shown = material.shown
    small = {(one["rule"], one["experiment"]) for one in groups if whole(one["customers"]) < FEW}
    ranges = tuple(
        Range(
            _named(material, one) + ("" if one["experiment"] == HELD_OUT else f": {one['arm']}"),
            real(one["low"]),
            real(one["high"]),
            (Dot("", real(one["difference"])),),
            f"{shown.signed(real(one['low']))} to {shown.signed(real(one['high']))}",
        )
        for one in groups
        if one["low"] is not None and one["high"] is not None and (one["rule"], one["experiment"]) not in small
    )
    return Ranges(
        "How much more converts than in the control group",
        "In percentage points, with the interval that holds 95%. Where it holds zero, nothing may differ.",
        table,
        ranges,
        "share",
        zero="no difference",
    )


def _rates(material: Material, table: Table, groups: list[Record]) -> Bars:
    bars = tuple(
        Bar(
            str(one["arm"]),
            real(one["rate"]),
            f"of {material.shown.number(whole(one['customers']))}",
            colour=0 if one["difference"] is None else 1,
            group=_named(material, one),
        )
        for one in groups
        if one["rate"] is not None
    )
    said = "Everybody counts in the group that chance put them in, whether a message reached them or not."
    return Bars("Who converted", said, table, bars, "share")


def _beside_attribution(material: Material, table: Table) -> Section:
    attributed = material.table("attribution_by_rule")
    shares = shares_by(attributed, "rule") if attributed is not None else {}
    ranges: list[Range] = []
    seen: dict[str, str] = {}
    for one in table.records():
        rule = str(one["rule"])
        if rule in seen:  # another currency
            continue
        name, models = material.title(rule), shares.get(rule)
        seen[rule] = f"{name}: {one['sentence']}"
        if models:
            dots = tuple(Dot(model, value) for model, value in models.items())
            ranges.append(_counted(material, f"{name}: attributed", min(models.values()), max(models.values()), dots))
        if one["caused"] is not None and one["caused_low"] is not None and one["caused_high"] is not None:
            low, high = real(one["caused_low"]), real(one["caused_high"])
            ranges.append(_counted(material, f"{name}: measured", low, high, (Dot("measured", real(one["caused"])),)))
    chart = Ranges(
        "Conversions that models attribute to each rule, and those it was measured to cause",
        "Measured: what would not have come without the rule, with its interval.",
        table,
        tuple(ranges),
        zero="nothing caused" if any(one.low < 0 for one in ranges) else "",
    )
    return Section(
        "incrementality",
        "Measured beside attributed",
        (*seen.values(), *_budgets(material, table)),
        (),
        (chart,) if ranges else (),
        missing=() if shares else ("`segue attribute` shares the conversions of a rule out among its touches.",),
    )


def _budgets(material: Material, table: Table) -> tuple[str, ...]:
    """What follows for the money of each rule, where enough was measured to move any, by currency."""
    shown = material.shown
    return tuple(
        f"{material.title(str(one['rule']))} brought {shown.money(real(one['give_back']), str(one['currency']))} for "
        f"each {shown.money(1, str(one['currency']))} that its messages cost. Its budget: {one['suggestion']}."
        for one in table.records()
        if one["evidence"] == "strong"
        and one["give_back"] is not None
        and one["currency"]
        and not str(one["suggestion"]).startswith("not enough")
    )


def _counted(material: Material, name: str, low: float, high: float, dots: tuple[Dot, ...]) -> Range:
    number = material.shown.number
    return Range(name, low, high, dots, f"{number(round(low))} to {number(round(high))}")
