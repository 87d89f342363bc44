"""What happened, in short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

from segue.api.values import SECOND
from segue.cli.reporting.charts import Line, Lines, spark
from segue.cli.reporting.material import Card, Material, Section
from segue.cli.reporting.sections.cells import real, unfinished
from segue.measure.results.counts import by_currency
from segue.measure.results.tables import days_table
from segue.program.calendar import local

_HOW = (
    "Journeys begin when `segue run` has a published rule book and a source sends events; past orders come with "
    "`segue import`.",
)
_NAMED = 3
"""Rules that a sentence names."""


def sections(material: Material) -> list[Section]:
    """The headline: sentences, cards and the days."""
    if material.period.since >= material.made:
        return [
            Section("headline", "In short", ("This period has not begun: nothing is known of it yet.",), missing=_HOW)
        ]
    if material.now.empty:
        return [
            Section(
                "headline",
                "In short",
                ("Nothing happened in this period: no journey began, no message was decided, and no order came.",),
                missing=_HOW,
            )
        ]
    return [
        Section(
            "headline",
            "In short",
            tuple(sentences(material)),
            tuple(_cards(material)),
            tuple(_charts(material)),
        )
    ]


def sentences(material: Material) -> Iterator[str]:
    """What matters first, what is known to have been caused, what was done, and what changed, in words."""
    now, shown = material.now, material.shown
    count = shown.number
    yield from _orders(material)
    yield from _caused(material)
    yield (
        f"{count(now.entries.total())} {_many(now.entries.total(), 'journey', 'journeys')} began, "
        f"{count(now.sent())} {_many(now.sent(), 'message', 'messages')} went out, and "
        f"{count(now.conversions.total())} {_many(now.conversions.total(), 'goal was', 'goals were')} met."
    )
    if cost := now.cost():
        yield f"Messages cost {_list(shown.money(float(amount), currency) for currency, amount in cost.items())}."
    if material.before is None or material.before.empty:
        yield "There is nothing to compare with: the store does not know all of the stretch before."
        return
    changes = [
        f"{name} {change}"
        for name, value, was in (
            ("journeys", now.entries.total(), material.before.entries.total()),
            ("messages", now.sent(), material.before.sent()),
            ("conversions", now.conversions.total(), material.before.conversions.total()),
            ("orders", now.orders.total(), material.before.orders.total()),
        )
        if (change := _change(material, value, was))
    ]
    if changes:
        yield f"Against {_stretch(material)}: {', '.join(changes)}."


def _stretch(material: Material) -> str:
    """What the period is compared with."""
    if material.period.of_hours(material.zone):
        return f"the {material.shown.duration((material.period.until - material.period.since) / SECOND)} before"
    days = len(material.period.days(material.zone))
    end = local(material.period.until, material.zone)
    until = f", also until {end:%H:%M}" if (end.hour, end.minute) != (0, 0) else ""
    return f"{'the day' if days == 1 else f'the {days} days'} before{until}"


def _orders(material: Material) -> Iterator[str]:
    """What came in, less what was paid back; each currency by itself."""
    now, shown = material.now, material.shown
    revenue, refunds = now.total_revenue, by_currency(now.refunds)
    back = _list(shown.money(float(amount), currency) for currency, amount in refunds.items() if amount)
    left = _list(shown.money(float(amount), currency) for currency, amount in revenue.items())
    orders = now.orders.total()
    said = f"{shown.number(orders)} {_many(orders, 'order', 'orders')}"
    if orders and not left:
        yield f"{said} came in."
    elif orders and min(revenue.values()) >= 0:
        yield f"{said} brought {left}{f', after {back} of refunds' if back else ''}."
    elif orders:
        yield f"{said} came in, and {back} was paid back: {left} {'is' if len(revenue) == 1 else 'are'} left."
    elif material.before is not None and material.before.orders:
        yield "No order came in."


def _caused(material: Material) -> Iterator[str]:
    """Which rules were measured to cause anything: the only evidence on that there is."""
    table = material.table("incrementality")
    if table is None:
        return
    found = {str(one["rule"]): one for one in table.records()}
    strong = {rule: real(one["caused"]) for rule, one in found.items() if one["evidence"] == "strong"}
    more = sorted((rule for rule, caused in strong.items() if caused > 0), key=lambda rule: -strong[rule])
    fewer = [rule for rule, caused in strong.items() if caused <= 0]
    if not any(one["customers"] for one in found.values()):
        return
    open_ = len(found) - len(strong)
    with_holdout = f"{_many(open_, 'rule', 'rules')} with a holdout"
    if not strong:
        which = f"the {with_holdout}" if open_ == 1 else f"any of the {open_} {with_holdout}"
        yield f"There is not enough evidence yet that {which} caused anything."
        return
    parts = []
    if more:
        parts.append(f"{_names(material, more)} brought conversions that would not have come without")
    if fewer:
        parts.append(f"{_names(material, fewer)} cost conversions that would have come without")
    rest = f"; for {_others(open_)} there is not enough evidence yet" if open_ else ""
    yield f"Measured against a control group, {', and '.join(parts)}{rest}."


def _others(number: int) -> str:
    return "the other rule with a holdout" if number == 1 else f"the other {number} rules with a holdout"


def _names(material: Material, rules: Sequence[str]) -> str:
    named = [material.quoted(rule) for rule in rules[:_NAMED]]
    if len(rules) > _NAMED:
        named.append(f"{len(rules) - _NAMED} more")
    return _list(iter(named))


def _cards(material: Material) -> Iterator[Card]:
    now, before, shown = material.now, material.before, material.shown
    days = material.period.days(material.zone)
    table = days_table(now, days)
    for title, column, value, was in (
        ("Journeys begun", "entries", now.entries.total(), before.entries.total() if before else 0),
        ("Messages sent", "sent", now.sent(), before.sent() if before else 0),
        ("Conversions", "conversions", now.conversions.total(), before.conversions.total() if before else 0),
    ):
        better = None if column == "sent" or value == was or not was else value > was
        yield Card(
            title,
            shown.number(value),
            _against(material, value, was, shown.number(was)),
            better,
            spark([float(cell or 0) for cell in table.column(column)]),
        )
    revenue, was_revenue = now.total_revenue, before.total_revenue if before else {}
    for currency in sorted(revenue.keys() | was_revenue.keys()):
        amount, was_amount = float(revenue.get(currency, 0)), float(was_revenue.get(currency, 0))
        by_day = [float(now.revenue.get((day, currency), 0) - now.refunds.get((day, currency), 0)) for day in days]
        yield Card(
            f"Orders less refunds, {currency}" if by_currency(now.refunds).get(currency) else f"Orders, {currency}",
            shown.money(amount, currency),
            _against(material, amount, was_amount, shown.money(was_amount, currency)),
            None if amount == was_amount or not was_amount else amount > was_amount,
            spark(by_day),
        )
    spent, was_spent = now.cost(), before.cost() if before else {}
    daily: Counter[tuple[date, str]] = Counter()
    for (day, _, currency), cost in now.costs.items():
        daily[day, currency] += cost
    for currency in sorted(spent.keys() | was_spent.keys()):
        amount, was_amount = float(spent.get(currency, 0)), float(was_spent.get(currency, 0))
        yield Card(
            f"Cost of messages, {currency}",
            shown.money(amount, currency),
            _against(material, amount, was_amount, shown.money(was_amount, currency)),
            None,
            spark([float(daily[day, currency]) for day in days]),
        )


def _charts(material: Material) -> Iterator[Lines]:
    days = material.period.days(material.zone)
    if len(days) < 3:
        return
    table = days_table(material.now, days)
    named = tuple(str(day) for day in table.column("day"))
    for title, columns in (("Messages sent a day", ("sent",)), ("Conversions a day", ("conversions",))):
        values = Counter({day: int(number or 0) for day, number in zip(named, table.column(columns[0]), strict=True)})
        if not values.total():
            continue
        best = max(values, key=lambda day: values[day])
        shown = material.shown
        yield Lines(
            title,
            f"Most on {shown.day(best)}: {shown.number(values[best])}; {shown.number(values.total())} in all."
            f"{unfinished(material)}",
            table,
            named,
            tuple(Line(name, tuple(_number(cell) for cell in table.column(name)), 1) for name in columns),
        )


def _number(cell: object) -> float:
    assert isinstance(cell, int | float)
    return float(cell)


def _against(material: Material, value: float, was: float, before: str) -> str:
    """How a figure compares; ``before`` is what it was, for where there is no change to tell."""
    if material.before is None or material.before.empty:
        return ""
    change = _change(material, value, was)
    if not change:
        return f"{before} before" if was else "none before"
    if value == was:
        return change
    return f"{change} {'as much' if change.endswith('times') else 'against before'}"


def _change(material: Material, value: float, was: float) -> str:
    """Nothing where it can't be said: a change from nothing, or from or to less than nothing."""
    return material.shown.change((value - was) / was) if was > 0 and value >= 0 else ""


def _many(number: int, one: str, many: str) -> str:
    return one if number == 1 else many


def _list(words: Iterator[str]) -> str:
    *most, last = [*words] or [""]
    return f"{', '.join(most)} and {last}" if most else last
