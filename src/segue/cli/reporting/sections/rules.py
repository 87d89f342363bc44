"""Each rule: how far customers came, and where they were lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from segue.cli.reporting.charts import Bar, Bars
from segue.cli.reporting.charts.chart import Chart, cut
from segue.cli.reporting.material import Material, Section
from segue.cli.reporting.sections.cells import plain, whole
from segue.measure.results.tables import rules_table
from segue.measure.table import Cell, Table

_FUNNELS = 8
"""Rules with most entries whose steps are drawn; the table has all."""
_RULES = 30
_STEPS = 9
_TITLE = 60
_WITHIN = {"p10": "a tenth within", "p50": "half within", "p90": "nine tenths within"}
_COLOURS = ((1, "message"), (0, "other step"), (2, "goal met"))


def sections(material: Material) -> list[Section]:
    """The rules: what they brought, and a funnel for those that were entered most."""
    table = rules_table(material.now)
    if not table.rows:
        return [
            Section(
                "rules",
                "What each rule did",
                missing=("No rule was entered: `segue publish` makes a rule book the one that runs.",),
            )
        ]
    charts: list[Chart] = [_entries(material, table), *_funnels(material), *_reasons(material)]
    missing = () if material.table("steps") else ("How far customers came in a rule is told by `segue funnel RULE`.",)
    tables = [_titled(material, table)]
    if (times := material.table("times")) is not None:
        tables.append(_titled(material, _of_all(times, table.column("rule"))))
    return [
        Section("rules", "What each rule did", _sentences(material, table), (), tuple(charts), tuple(tables), missing)
    ]


def _sentences(material: Material, table: Table) -> tuple[str, ...]:
    shown = material.shown
    entered = {str(one["rule"]): whole(one["entries"]) for one in table.records() if one["entries"] is not None}
    converted = {str(one["rule"]): whole(one["conversions"]) for one in table.records() if one["entries"] is not None}
    best = max(converted, key=lambda rule: converted[rule])
    first = f"{shown.number(len(entered))} {'rule was' if len(entered) == 1 else 'rules were'} entered."
    if not converted[best]:
        return (first, "No goal was met in this period.")
    return (first, f"Most goals were met in {material.quoted(best)}: {shown.number(converted[best])}.")


def _entries(material: Material, table: Table) -> Bars:
    shown = material.shown
    bars = tuple(
        Bar(
            material.title(str(one["rule"])),
            whole(one["entries"]),
            f"· {shown.number(whole(one['conversions']))} converted" if one["conversions"] else "",
        )
        for one in table.records()
        if one["entries"] is not None
    )
    times = "once" if bars[0].value == 1 else f"{shown.number(bars[0].value or 0)} times"
    said = f"“{bars[0].name}” was entered most: {times}." if len(bars) > 1 else f"It was entered {times}."
    if len(bars) > _RULES:
        said += f" The {_RULES} that were entered most."
    return Bars("Journeys begun, and goals met", said, table, bars[:_RULES])


def _funnels(material: Material) -> Iterator[Bars]:
    """The steps of the rules that were entered most: of the version that runs, without those held out."""
    steps, journeys = material.table("steps"), material.table("journeys")
    if steps is None or journeys is None:
        return
    entered: dict[tuple[str, str], int] = {}
    converted: Counter[tuple[str, str]] = Counter()
    for line in journeys.records():
        if line["group"] == "sent to":
            key = str(line["rule"]), str(line["version"])
            entered[key] = whole(line["entered"])
            converted[key] = whole(line["converted"])
    largest: dict[str, tuple[str, str]] = {}
    for key in sorted(entered, key=lambda one: -entered[one]):
        largest.setdefault(key[0], key)
    for rule, version in list(largest.values())[:_FUNNELS]:
        total = entered[rule, version]
        ours = [
            one
            for one in steps.records()
            if (one["rule"], one["version"], one["group"]) == (rule, version, "sent to") and whole(one["reached"])
        ]
        if not total or not ours:
            continue
        yield _funnel(material, rule, total, converted[rule, version], ours, _part(steps, rule, version))


def _funnel(
    material: Material, rule: str, total: int, converted: int, ours: list[dict[str, Cell]], table: Table
) -> Bars:
    shown = material.shown
    bars = [Bar("Entered", total, colour=0)]
    for one in ours[:_STEPS]:
        reached = whole(one["reached"])
        note = f"· {shown.brief(reached / total)}"
        bars.append(Bar(str(one["words"]), reached, note, colour=1 if one["sent"] is not None else 0))
    if converted:
        bars.append(Bar("Converted", converted, f"· {shown.brief(converted / total)}", colour=2))
    met = f"{shown.number(converted)} met the goal" if converted else "none met a goal"
    said = f"Of {shown.number(total)} {'journey' if total == 1 else 'journeys'} of the version that runs, {met}."
    if len(ours) > _STEPS:
        said += f" The first {_STEPS} of {len(ours)} steps."
    title = f"How far they came: {cut(material.title(rule), _TITLE)}"
    return Bars(title, said, table, tuple(bars), whole=total, colours=_COLOURS)


def _part(table: Table, rule: str, version: str) -> Table:
    """The rows of one version of a rule."""
    rows = tuple(
        row
        for row, one in zip(table.rows, table.records(), strict=True)
        if one.get("rule") == rule and one.get("version", version) == version
    )
    return Table(table.name, table.title, table.columns, rows, table.notes)


def _reasons(material: Material) -> Iterator[Bars]:
    shown = material.shown
    for name, title, column, words in (
        ("exits", "Why journeys ended early", "journeys", "how"),
        ("dropped", "What kept messages back in journeys", "messages", "by"),
    ):
        table = material.table(name)
        if table is None:
            continue
        counts: Counter[tuple[str, str]] = Counter()
        for one in table.records():
            counts[plain(str(one["reason"] or "no reason given")), str(one[words])] += whole(one[column])
        common = counts.most_common(10)
        times = "once" if common[0][1] == 1 else f"{shown.number(common[0][1])} times"
        said = f"The most frequent is “{common[0][0][0]}”, {times}."
        yield Bars(title, said, table, tuple(Bar(f"{what}", n, f"· {how}", colour=0) for (what, how), n in common))


def _of_all(times: Table, order: Sequence[Cell]) -> Table:
    """How long it took in all versions of each rule together, the rules in an order."""
    place = {rule: at for at, rule in enumerate(dict.fromkeys(order))}
    found = [
        one for one in times.records() if one["version"] == "all" and one["journeys"] and one["what"] != "entry to end"
    ]
    found.sort(key=lambda one: place.get(one["rule"], len(place)))
    columns = tuple(
        msgspec.structs.replace(column, title=_WITHIN.get(column.name, column.title))
        for column in times.columns
        if column.name in ("rule", "what", "journeys", *_WITHIN)
    )
    rows = tuple(tuple(one[column.name] for column in columns) for one in found)
    return Table(times.name, times.title, columns, rows, times.notes)


def _titled(material: Material, table: Table) -> Table:
    """A table whose first column are rules, with what people call them."""
    rows = tuple((material.title(str(row[0])), *row[1:]) for row in table.rows)
    return Table(table.name, table.title, table.columns, rows, table.notes)
