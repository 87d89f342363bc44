"""Experiments and holdouts, and what they say beside attribution."""

from __future__ import annotations

from collections.abc import Iterator

from segue.cli.reporting.charts import Bar, Bars, Dot, Range, Ranges
from segue.cli.reporting.charts.chart import Chart
from segue.cli.reporting.material import Material, Section
from segue.cli.reporting.sections.attribution import shares_by
from segue.cli.reporting.sections.cells import real, whole
from segue.measure.table import Cell, Table

_RULES = 12


def sections(material: Material) -> list[Section]:
    """What differs between those who were sent to and those who were not; and what models attribute beside it."""
    table = material.table("lifts")
    if table is None:
        return [Section("experiments", "Experiments and holdouts", missing=(_missing(material),))]
    lifts = list(table.records())[:_RULES]
    sentences = tuple(f"{_named(material, one)}: {one['verdict']}" for one in lifts if one["verdict"])
    charts: tuple[Chart, ...] = (_differences(material, table, lifts), _rates(material, table, lifts))
    return [
        Section("experiments", "Experiments and holdouts", sentences, (), charts),
        _beside_attribution(material, table, lifts),
    ]


def _missing(material: Material) -> str:
    journeys = material.table("journeys")
    if journeys is not None and "held out" in journeys.column("group"):
        return "`segue experiment RULE` measures what the rules with a `holdout` change."
    return "No rule has a holdout: write `holdout 5%` in a rule to learn what it changes."


def _named(material: Material, one: dict[str, Cell]) -> str:
    return material.title(str(one["rule"]))


def _differences(material: Material, table: Table, lifts: list[dict[str, Cell]]) -> Ranges:
    shown = material.shown
    ranges = tuple(
        Range(
            _named(material, one),
            real(one["low"]),
            real(one["high"]),
            (Dot("", real(one["difference"])),),
            f"{shown.signed(real(one['low']))} to {shown.signed(real(one['high']))}",
        )
        for one in lifts
        if one["difference"] is not None and one["low"] is not None and one["high"] is not None
    )
    return Ranges(
        "What each rule changes: conversion of those sent to, less that of those held out",
        "In percentage points, with the interval. Where it holds zero, the rule may change nothing.",
        table,
        ranges,
        "share",
        zero="no difference",
    )


def _rates(material: Material, table: Table, lifts: list[dict[str, Cell]]) -> Bars:
    bars = tuple(
        Bar(
            name,
            real(one[rate]),
            f"of {material.shown.number(whole(one[size]))}",
            colour=colour,
            group=_named(material, one),
        )
        for one in lifts
        for name, rate, size, colour in (
            ("sent to", "rate_sent_to", "sent_to", 1),
            ("held out", "rate_held_out", "held_out", 0),
        )
        if one[rate] is not None
    )
    said = "Everybody counts in the group that chance put them in, whether a message reached them or not."
    return Bars("Who converted", said, table, bars, "share")


def _beside_attribution(material: Material, table: Table, lifts: list[dict[str, Cell]]) -> Section:
    attributed = material.table("attribution_by_rule")
    shares = shares_by(attributed, "rule") if attributed is not None else {}
    ranges: list[Range] = []
    for one in lifts:
        models = shares.get(str(one["rule"]))
        name = _named(material, one)
        if models:
            dots = tuple(Dot(model, value) for model, value in models.items())
            ranges.append(_counted(material, f"{name}: attributed", min(models.values()), max(models.values()), dots))
        if one["difference"] is not None and one["low"] is not None and one["high"] is not None:
            size = whole(one["sent_to"])
            more, low, high = (real(one[part]) * size for part in ("difference", "low", "high"))
            ranges.append(_counted(material, f"{name}: measured", low, high, (Dot("measured", more),)))
    chart = Ranges(
        "Conversions that models attribute to each rule, and those it was measured to cause",
        "Measured: what would not have happened without the rule, with its interval.",
        table,
        tuple(ranges),
        zero="nothing caused" if any(one.low < 0 for one in ranges) else "",
    )
    missing = () if shares else ("`segue attribute` shares the conversions of a rule out among its touches.",)
    return Section(
        "incrementality",
        "Measured beside attributed",
        tuple(_evidence(material, lifts, shares)),
        (),
        (chart,) if ranges else (),
        missing=missing,
    )


def _counted(material: Material, name: str, low: float, high: float, dots: tuple[Dot, ...]) -> Range:
    number = material.shown.number
    return Range(name, low, high, dots, f"{number(round(low))} to {number(round(high))}")


def _evidence(material: Material, lifts: list[dict[str, Cell]], shares: dict[str, dict[str, float]]) -> Iterator[str]:
    """One sentence a rule on which evidence is strong."""
    shown = material.shown
    for one in lifts:
        name, low, high = _named(material, one), one["low"], one["high"]
        if low is None or high is None:
            yield (
                f"{name}: too few are held out to measure anything; what models attribute is no evidence of a cause."
            )
            continue
        models = shares.get(str(one["rule"]), {})
        size = whole(one["sent_to"])
        cost = (
            f" Its messages cost {shown.money(real(one['cost']), str(one['currency']))}."
            if one.get("cost") and one.get("currency")
            else ""
        )
        if real(low) > 0 or real(high) < 0:
            least, most = shown.number(round(real(low) * size)), shown.number(round(real(high) * size))
            more = f"; models attribute up to {shown.number(round(max(models.values())))}" if models else ""
            yield f"{name}: the evidence is strong. It caused {least} to {most} conversions{more}.{cost}"
        else:
            yield f"{name}: the evidence is weak. The difference may be nothing: let it run on, or hold out more.{cost}"
