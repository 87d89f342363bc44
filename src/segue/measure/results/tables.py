"""The results of a period as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from segue.measure.orders import GOALS_LOSE, REFUNDS_LATER
from segue.measure.results.counts import WENT_OUT, Counts, Fate, by_currency
from segue.measure.table import Cell, Column, Table

_KEPT_BACK: Final[tuple[Fate, ...]] = ("skipped", "refused", "undelivered")
NO_DELIVERIES: Final = "Deliveries, opens and clicks are those that were reported: not every channel can tell of them."
CONVERSIONS: Final = (
    "A conversion is a rule's goal that was met, also by journeys that began before. One order may be the goal of "
    "several rules: what rules brought must not be added up."
)


def headline_table(now: Counts, before: Counts | None) -> Table:
    """What happened, beside the period before (None: there is none)."""

    def row(what: str, value: float, was: float | None, currency: str | None = None) -> tuple[Cell, ...]:
        return what, currency, value, was, (value - was) / was if was else None

    amounts = (
        ("orders less refunds", now.total_revenue, before.total_revenue if before is not None else {}),
        ("refunds", by_currency(now.refunds), by_currency(before.refunds) if before is not None else {}),
        ("cost of messages", now.cost(), before.cost() if before is not None else {}),
    )
    rows = [
        row("entries", now.entries.total(), before.entries.total() if before is not None else None),
        row("messages sent", now.sent(), before.sent() if before is not None else None),
        row("conversions", now.conversions.total(), before.conversions.total() if before is not None else None),
        row("orders", now.orders.total(), before.orders.total() if before is not None else None),
        *(
            row(
                what,
                float(found.get(currency, 0)),
                float(was.get(currency, 0)) if before is not None else None,
                currency,
            )
            for what, found, was in amounts
            for currency in sorted(found.keys() | was.keys())
        ),
    ]
    return Table(
        "headline",
        "In short",
        (
            Column("what", "What"),
            Column("currency", "Currency"),
            Column("now", "In this period", "number"),
            Column("before", "In the one before", "number"),
            Column("change", "Change", "share"),
        ),
        tuple(rows),
        ("Where the period before had nothing, there is no change to tell.",)
        if any(one[4] is None for one in rows)
        else (),
    )


def days_table(counts: Counts, days: list[date]) -> Table:
    """Entries, messages, conversions and orders of each day."""
    sent: Counter[date] = Counter()
    for (day, _, fate), number in counts.messages.items():
        sent[day] += number if fate in WENT_OUT else 0
    entries, conversions = (_by_day(one) for one in (counts.entries, counts.conversions))
    return Table(
        "days",
        "Day by day",
        (
            Column("day", "Day"),
            Column("entries", "Entries", "count"),
            Column("sent", "Sent", "count"),
            Column("conversions", "Conversions", "count"),
            Column("orders", "Orders", "count"),
        ),
        tuple((day.isoformat(), entries[day], sent[day], conversions[day], counts.orders[day]) for day in days),
    )


def _by_day(counts: Mapping[tuple[date, str], int]) -> Counter[date]:
    found: Counter[date] = Counter()
    for (day, _), number in counts.items():
        found[day] += number
    return found


def money_days_table(counts: Counts, days: list[date]) -> Table:
    """Orders, refunds and the cost of messages by day, for each currency by itself."""
    cost: dict[tuple[date, str], Decimal] = {}
    for (day, _, currency), amount in counts.costs.items():
        cost[day, currency] = cost.get((day, currency), Decimal(0)) + Decimal(amount) / 1_000_000
    currencies = sorted({currency for _, currency in (*counts.revenue, *counts.refunds, *cost)})
    return Table(
        "money_by_day",
        "Money day by day",
        (
            Column("day", "Day"),
            Column("currency", "Currency"),
            Column("orders", "Orders", "money"),
            Column("refunds", "Refunds", "money"),
            Column("cost", "Cost of messages", "money"),
        ),
        tuple(
            (
                day.isoformat(),
                currency,
                *(float(one.get((day, currency), 0)) for one in (counts.revenue, counts.refunds, cost)),
            )
            for currency in currencies
            for day in days
        ),
    )


def channels_table(counts: Counts) -> Table:
    """What each channel did; a channel with costs in several currencies has a row for each of them, with the counts
    only in the first."""
    rows: list[tuple[Cell, ...]] = []
    for channel, of in counts.channels().items():
        sent, delivered = of.sent, of.fates["delivered"]
        opened, clicked, replied = (counts.deeds[channel, deed] for deed in ("opened", "clicked", "replied"))
        cost: list[tuple[str | None, Decimal | None]] = [*of.cost.items()] or [(None, None)]
        rows.append(
            (
                channel,
                of.fates.total(),
                sent,
                delivered or None,
                *(of.fates[fate] for fate in (*_KEPT_BACK, "taken back", "waiting")),
                opened,
                opened / sent if opened and sent else None,
                clicked,
                clicked / sent if clicked and sent else None,
                replied,
                None if cost[0][1] is None else float(cost[0][1]),
                cost[0][0],
            )
        )
        rows += [(channel, *[None] * 13, float(amount or 0), currency) for currency, amount in cost[1:]]
    return Table(
        "channel_results",
        "What each channel did",
        (
            Column("channel", "Channel"),
            Column("decided", "Decided", "count"),
            Column("sent", "Sent", "count"),
            Column("delivered", "Delivered", "count"),
            Column("skipped", "Skipped", "count"),
            Column("refused", "Refused", "count"),
            Column("undelivered", "Undelivered", "count"),
            Column("taken_back", "Taken back", "count"),
            Column("waiting", "Waiting", "count"),
            Column("opened", "Opened", "count"),
            Column("open_rate", "Open rate", "share"),
            Column("clicked", "Clicked", "count"),
            Column("click_rate", "Click rate", "share"),
            Column("replied", "Replied", "count"),
            Column("cost", "Cost", "money"),
            Column("currency", "Currency"),
        ),
        tuple(rows),
        (
            "Messages decided in the period, and what became of them until now; rates are of those sent.",
            *((NO_DELIVERIES,) if any(row[3] is None and row[2] for row in rows) else ()),
        )
        if rows
        else (),
    )


def reasons_table(counts: Counts) -> Table:
    """Why messages did not arrive, the most frequent reason first."""
    ordered = sorted(counts.reasons.items(), key=lambda one: (-one[1], one[0]))
    return Table(
        "not_sent",
        "Why messages did not arrive",
        (
            Column("channel", "Channel"),
            Column("what", "What"),
            Column("reason", "Reason"),
            Column("messages", "Messages", "count"),
        ),
        tuple((channel, fate, reason, number) for (channel, fate, reason), number in ordered),
    )


def rules_table(counts: Counts) -> Table:
    """What each rule began and what its goal brought; a further row for each further currency, with the money alone."""
    entries, conversions = Counter[str](), Counter[str]()
    for (_, rule), number in counts.entries.items():
        entries[rule] += number
    for (_, rule), number in counts.conversions.items():
        conversions[rule] += number
    rows: list[tuple[Cell, ...]] = []
    for rule in sorted(entries.keys() | conversions.keys(), key=lambda one: (-entries[one], one)):
        worth: list[tuple[Cell, Cell, Cell, Cell]] = [
            (
                float(amount),
                float(back := counts.worth_refunded.get((rule, currency), 0)),
                float(amount - back),
                currency,
            )
            for (of, currency), amount in sorted(counts.worth.items())
            if of == rule
        ]
        for place, money in enumerate(worth or [(None, None, None, None)]):
            numbers: tuple[Cell, Cell] = (entries[rule], conversions[rule]) if place == 0 else (None, None)
            rows.append((rule, *numbers, *money))
    return Table(
        "rule_results",
        "What each rule brought",
        (
            Column("rule", "Rule"),
            Column("entries", "Entries", "count"),
            Column("conversions", "Conversions", "count"),
            Column("worth", "Worth", "money"),
            Column("refunds", "Refunds", "money"),
            Column("net", "Net", "money"),
            Column("currency", "Currency"),
        ),
        tuple(rows),
        (CONVERSIONS, *((GOALS_LOSE,) if counts.worth_refunded else ())) if rows else (),
    )


def money_table(now: Counts) -> Table:
    """Orders, refunds, the cost of messages and what is left, for each currency by itself."""
    return Table(
        "money",
        "Money",
        (
            Column("currency", "Currency"),
            Column("orders", "Orders", "money"),
            Column("refunds", "Refunds", "money"),
            Column("cost", "Cost of messages", "money"),
            Column("left", "After refunds and messages", "money"),
        ),
        tuple(_money(now)),
        (
            REFUNDS_LATER,
            *now.notes,
            *(("Currencies are never added together.",) if len({row[0] for row in _money(now)}) > 1 else ()),
        ),
    )


def _money(now: Counts) -> Iterator[tuple[Cell, ...]]:
    revenue, refunds, cost = by_currency(now.revenue), by_currency(now.refunds), now.cost()
    for currency in sorted(revenue.keys() | refunds.keys() | cost.keys()):
        three = [one.get(currency, Decimal(0)) for one in (revenue, refunds, cost)]
        yield currency, *map(float, three), float(three[0] - three[1] - three[2])
