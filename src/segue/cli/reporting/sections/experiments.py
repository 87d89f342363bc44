"""Experiments and holdouts, and what they say beside attribution."""

from __future__ import annotations

from collections.abc import Iterable

from segue.cli.reporting.charts import Bar, Bars, Dot, Range, Ranges
from segue.cli.reporting.charts.chart import Chart
from segue.cli.reporting.material import Material, Section
from segue.cli.reporting.sections.attribution import shares_by
from segue.cli.reporting.sections.cells import real, whole
from segue.measure.experiments.exposed import HELD_OUT
from segue.measure.experiments.result import FEW
from segue.measure.funnels.rates import interval
from segue.measure.table import Cell, Table

_GROUPS = 24
_STRENGTHS = ("strong", "weak", "none")
Record = dict[str, Cell]


def sections(material: Material) -> list[Section]:
    """What differs between the groups of each experiment; and what was measured beside what models attribute."""
    verdicts, groups = material.table("experiments"), material.table("groups")
    if verdicts is None or groups is None:
        return [Section("experiments", "Experiments and holdouts", missing=(_missing(material),))]
    of = list(groups.records())[:_GROUPS]
    small = _too_small(groups.records())
    claimed = {(one["rule"], one["experiment"]) for one in groups.records() if _settled(one)} - small
    points = tuple(
        (f"{_named(material, one)}.", str(one["verdict"]))
        for one in sorted(verdicts.records(), key=lambda one: (one["rule"], one["experiment"]) not in claimed)
        if one["customers"]
    )
    nobody = [f"“{_named(material, one)}”" for one in verdicts.records() if not one["customers"]]
    missing = (f"Nobody came into a group of {', '.join(nobody)} in this period.",) if nobody else ()
    missing = (*missing, *verdicts.notes)
    charts: list[Chart] = []
    differences = _differences(material, groups, of)
    if differences.ranges:
        charts.append(differences)
    if (rates := _rates(material, groups, of)).bars:
        charts.append(rates)
    found = [Section("experiments", "Experiments and holdouts", charts=tuple(charts), points=points, missing=missing)]
    evidence = material.table("incrementality")
    if evidence is None or not any(evidence.column("customers")):
        return found
    return [*found, _beside_attribution(material, evidence)]


def _missing(material: Material) -> str:
    journeys = material.table("journeys")
    if journeys is not None and "held out" in journeys.column("group"):
        return "`segue experiment` measures what the rules with a `holdout` change: it needs `segue[measure]`."
    return "No rule has a holdout: write `holdout 5%` in a rule to learn what it changes."


def _too_small(groups: Iterable[Record]) -> set[tuple[Cell, Cell]]:
    """The experiments with a group that is too small to claim anything of."""
    return {(one["rule"], one["experiment"]) for one in groups if whole(one["customers"]) < FEW}


def _settled(one: Record) -> bool:
    """Whether the interval of a group leaves out that nothing differs."""
    return one["low"] is not None and one["high"] is not None and real(one["low"]) * real(one["high"]) > 0


def _named(material: Material, one: Record) -> str:
    rule = material.title(str(one["rule"]))
    return rule if one["experiment"] == HELD_OUT else f"{rule}, split {one['experiment']}"


def _differences(material: Material, table: Table, groups: list[Record]) -> Ranges:
    shown = material.shown
    small = _too_small(groups)
    ranges = tuple(
        Range(
            _named(material, one) + ("" if one["experiment"] == HELD_OUT else f": {one['arm']}"),
            100 * real(one["low"]),
            100 * real(one["high"]),
            (Dot("", 100 * real(one["difference"])),),
            f"{shown.points(real(one['low']))} to {shown.points(real(one['high']))}",
        )
        for one in groups
        if one["low"] is not None and one["high"] is not None and (one["rule"], one["experiment"]) not in small
    )
    return Ranges(
        "How many more convert than in the control group",
        "Percentage points, or conversions more of 100 customers, with the interval that holds 95%. Where it "
        "holds zero, there may be no difference.",
        table,
        ranges,
        zero="no difference",
    )


def _rates(material: Material, table: Table, groups: list[Record]) -> Bars:
    bars = tuple(
        Bar(
            str(one["arm"]),
            real(one["rate"]),
            f"of {material.shown.number(whole(one['customers']))}",
            *interval(whole(one["converted"]), whole(one["customers"])),
            colour=0 if one["difference"] is None else 1,
            group=_named(material, one),
        )
        for one in groups
        if one["rate"] is not None
    )
    said = (
        "Everybody counts in the group that chance put them in, whether a message reached them or not. The intervals "
        "hold 95%; those of two groups may overlap where their difference is certain."
    )
    return Bars("Who converted", said, table, bars, "share", colours=((0, "control group"), (1, "compared with it")))


def _beside_attribution(material: Material, table: Table) -> Section:
    attributed = material.table("attribution_by_rule")
    shares = shares_by(attributed, "rule") if attributed is not None else {}
    ranges: list[Range] = []
    seen: dict[str, Record] = {}
    for one in sorted(table.records(), key=lambda one: _STRENGTHS.index(str(one["evidence"]))):
        if not one["customers"]:
            continue
        rule = str(one["rule"])
        if rule in seen:  # another currency
            continue
        name, models = material.title(rule), shares.get(rule)
        seen[rule] = one
        if models:
            dots = tuple(Dot(model, value) for model, value in models.items())
            ranges.append(_counted(material, f"{name}: attributed", min(models.values()), max(models.values()), dots))
        if one["caused"] is not None and one["caused_low"] is not None and one["caused_high"] is not None:
            low, high = real(one["caused_low"]), real(one["caused_high"])
            ranges.append(_counted(material, f"{name}: measured", low, high, (Dot("measured", real(one["caused"])),)))
    chart = Ranges(
        "Conversions that models attribute to each rule, and those it was measured to cause",
        "Measured: what would not have come without the rule, with the interval that holds 95%.",
        table,
        tuple(ranges),
        zero="nothing caused" if any(one.low < 0 for one in ranges) else "",
    )
    return Section(
        "incrementality",
        "Measured beside attributed",
        _budgets(material, table),
        charts=(chart,) if ranges else (),
        points=tuple((f"{material.title(rule)}.", str(one["sentence"])) for rule, one in seen.items()),
        missing=() if shares else ("`segue attribute` shares the conversions of a rule out among its touches.",),
    )


def _budgets(material: Material, table: Table) -> tuple[str, ...]:
    """What follows for the money of each rule, where enough was measured to move any, by currency; of the others that
    cost any, what would have to be known."""
    moved, open_ = [], []
    for one in table.records():
        name, suggestion = material.quoted(str(one["rule"])), str(one["suggestion"])
        if not one["currency"] or not real(one["cost"]):
            continue
        if suggestion.startswith("not enough"):
            open_.append(f"The budget of {name}: {suggestion}.")
        elif one["evidence"] == "strong" and one["give_back"] is not None:
            unit = material.shown.money(1, str(one["currency"]))
            moved.append(
                f"{name} brought {_by_one_spent(material, one)} for each {unit} that its messages cost. "
                f"Its budget: {suggestion}."
            )
    return (*moved, *open_)


def _by_one_spent(material: Material, one: Record) -> str:
    """What a unit of money brought, with the interval of that."""
    currency, spent = str(one["currency"]), real(one["cost"])
    best, low, high = (
        material.shown.money(real(each), currency)
        for each in (one["give_back"], real(one["worth_low"]) / spent, real(one["worth_high"]) / spent)
    )
    return f"{best} (with 95% certainty {low} to {high})"


def _counted(material: Material, name: str, low: float, high: float, dots: tuple[Dot, ...]) -> Range:
    first, last = material.shown.number(round(low)), material.shown.number(round(high))
    return Range(name, low, high, dots, first if first == last else f"{first} to {last}")
