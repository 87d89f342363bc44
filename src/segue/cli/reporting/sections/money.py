"""Money: what came in, what was spent, and what budgets are left."""

from __future__ import annotations

from collections.abc import Iterator

from segue.cli.reporting.charts import Bar, Bars, Line, Lines
from segue.cli.reporting.charts.chart import Chart
from segue.cli.reporting.material import Material, Section
from segue.cli.reporting.sections.cells import real, unfinished
from segue.measure.results.tables import money_days_table, money_table, rules_table
from segue.measure.table import Table


def sections(material: Material) -> list[Section]:
    """Orders, refunds and cost by currency; what the goals of rules brought; spend against budget."""
    table = money_table(material.now)
    missing = []
    if not material.now.orders:
        missing.append("No orders: events named `ordered` with a `total` fill this.")
    if not material.now.cost():
        missing.append('No cost: `cost = "0.06 EUR"` of a channel in segue.toml says what a message costs.')
    if material.table("budgets") is None:
        missing.append("No budget: `budget 200 EUR per 1d` in a policy keeps spending below a limit, and shows here.")
    charts: tuple[Chart, ...] = (*_days(material), *_goals(material), *_budgets(material))
    tables = (table,) if table.rows else ()
    return [Section("money", "Money", _sentences(material, table), (), charts, tables, tuple(missing))]


def _sentences(material: Material, table: Table) -> tuple[str, ...]:
    shown = material.shown
    found = []
    for currency, orders, refunds, cost, _ in table.rows:
        assert isinstance(currency, str)
        assert isinstance(orders, float)
        assert isinstance(refunds, float)
        assert isinstance(cost, float)
        said = f"{currency}: orders of {shown.money(orders, currency)}"
        if refunds:
            said += f", and {shown.money(refunds, currency)} paid back"
        if cost and orders > refunds:
            after = "what is left" if refunds else "that"
            said += (
                f"; messages cost {shown.money(cost, currency)}, {shown.share(cost / (orders - refunds))} of {after}"
            )
        elif cost:
            said += f"; messages cost {shown.money(cost, currency)}"
        found.append(said + ".")
    return tuple(found)


def _days(material: Material) -> Iterator[Lines]:
    days = material.period.days(material.zone)
    if len(days) < 3:
        return
    table = money_days_table(material.now, days)
    named = tuple(day.isoformat() for day in days)
    for currency in dict.fromkeys(str(one["currency"]) for one in table.records()):
        ours = [one for one in table.records() if one["currency"] == currency]
        if not any(one["orders"] for one in ours):
            continue
        lines = [Line("orders", tuple(float(one["orders"] or 0) for one in ours), 1)]
        if any(one["refunds"] for one in ours):
            lines.append(Line("refunds", tuple(float(one["refunds"] or 0) for one in ours), 2))
        total = sum(value or 0 for value in lines[0].values)
        yield Lines(
            f"What orders came to a day, {currency}",
            f"{material.shown.money(total, currency)} in {len(days)} days.{unfinished(material)}",
            table,
            named,
            tuple(lines),
            "money",
            currency,
        )


def _goals(material: Material) -> Iterator[Bars]:
    """What the goals of each rule brought, for each currency."""
    table = rules_table(material.now)
    worths = [one for one in table.records() if one["worth"]]
    for currency in sorted({str(one["currency"]) for one in worths}):
        ours = sorted((one for one in worths if one["currency"] == currency), key=lambda one: -real(one["worth"]))
        bars = tuple(Bar(material.title(str(one["rule"])), real(one["worth"])) for one in ours[:15])
        amount = material.shown.money(bars[0].value or 0, currency)
        said = f"The goals of “{bars[0].name}” were worth {'most' if len(bars) > 1 else 'so much'}: {amount}."
        if len(ours) > len(bars):
            said += f" The {len(bars)} of {len(ours)} rules whose goals were worth most."
        yield Bars(f"Worth of goals met, {currency}", said, table, bars, "money", currency)


def _budgets(material: Material) -> Iterator[Bars]:
    table = material.table("budgets")
    if table is None:
        return
    shown = material.shown
    bars = tuple(
        Bar(
            f"{one['kind']}, {one['span']}",
            real(one["used"]),
            f"· {shown.money(real(one['spent']), str(one['currency']))} of "
            f"{shown.money(real(one['budget']), str(one['currency']))}",
            colour=2 if real(one["used"]) >= 1 else 1,
        )
        for one in table.records()
    )
    full = sum(1 for bar in bars if (bar.value or 0) >= 1)
    said = (
        f"{full} of {len(bars)} budgets {'is' if full == 1 else 'are'} used up now."
        if full
        else "No budget is used up now."
    )
    yield Bars("Spend against budget, now", said, table, bars, "share", whole=1.0)
