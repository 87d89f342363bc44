"""Money: what messages cost, what goals and orders brought, and what was left of it; each currency by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

import msgspec

from segue.measure.orders import GOALS_LOSE, ORDERS, REFUNDS_LATER, exact, notes
from segue.measure.period import Period
from segue.measure.table import Cell, Column, Table
from segue.measure.touchpoints.columns import Conversions, Told, Touches

By = Literal["channel", "rule", "message", "day"]
APART: Final = "Currencies are never added together."


class Spent(msgspec.Struct, frozen=True):
    """What spending is counted by."""

    day: str
    channel: str
    rule: str
    message: str
    currency: str


class Spending(msgspec.Struct, frozen=True):
    """How many messages count as spent, and what they cost, in millionths; and by channel, how many were handed over
    of which nobody said what they cost."""

    costs: Mapping[Spent, tuple[int, int]]
    free: Mapping[str, int] = {}

    def by(self, what: Literal["rule", "channel"]) -> dict[tuple[str, str], int]:
        """What was spent by rule or channel, and by currency."""
        found: dict[tuple[str, str], int] = {}
        for spent, (_, cost) in self.costs.items():
            key = (getattr(spent, what), spent.currency)
            found[key] = found.get(key, 0) + cost
        return found


def spend_table(spending: Spending, by: By) -> Table:
    """What messages cost, all together and each; the dearest first, or the days in their order."""
    found: dict[tuple[str, ...], list[int]] = {}
    for spent, (number, cost) in spending.costs.items():
        named = (spent.rule, spent.message) if by == "message" else (str(getattr(spent, by)),)
        sums = found.setdefault((*named, spent.currency), [0, 0])
        sums[0] += number
        sums[1] += cost
    order = sorted(found.items(), key=lambda one: one[0] if by == "day" else (-one[1][1], one[0]))
    columns = [Column("rule", "Rule"), Column("message", "Message")] if by == "message" else [Column(by, by.title())]
    rows: Iterable[tuple[Cell, ...]] = (
        (*named, number, cost / 1_000_000, cost / 1_000_000 / number if number else None)
        for named, (number, cost) in order
    )
    return Table(
        f"spend_by_{by}",
        f"What messages cost, by {by}",
        (
            *columns,
            Column("currency", "Currency"),
            Column("messages", "Messages", "count"),
            Column("cost", "Cost", "money"),
            Column("each", "Each", "number"),
        ),
        tuple(rows),
        (
            "What a message costs is what its channel says, or `cost` of the channel in segue.toml."
            if found
            else "No message cost anything: `cost` of a channel in segue.toml says what one does.",
            *(_unknown(spending.free) if found and spending.free else ()),
        ),
    )


def _unknown(free: Mapping[str, int]) -> Iterator[str]:
    number, channels = sum(free.values()), ", ".join(sorted(free))
    has = "message has" if number == 1 else "messages have"
    yield f"{number:,} more {has} no known cost: set `cost` of the channel ({channels})."


def revenue_table(conversions: Sequence[Conversions], period: Period) -> Table:
    """What orders brought, and the goals of each rule: before refunds, the refunds, and what is left."""
    import numpy as np

    rows: list[tuple[Cell, ...]] = []
    for one in conversions:
        within = (one.at >= period.since) & (one.at < period.until)
        numbers = np.bincount(one.currencies[within], minlength=len(one.money)).tolist()
        # The same facts are the same table, whichever currency was heard of first.
        for code in sorted(range(len(numbers)), key=lambda code: (-numbers[code], one.money[code])):
            if number := numbers[code]:
                ours = within & (one.currencies == code)
                gross, refunds, net = (float(column[ours].sum()) for column in (one.gross, one.refunds, one.values))
                sums = (float(exact(amount)) for amount in (gross, refunds, net, net / number))
                rows.append((one.name, one.money[code], number, *sums))
    return Table(
        "revenue",
        "What orders and goals brought",
        (
            Column("goal", "Goal"),
            Column("currency", "Currency"),
            Column("conversions", "Conversions", "count"),
            Column("gross", "Before refunds", "money"),
            Column("refunds", "Refunds", "money"),
            Column("net", "Net", "money"),
            Column("each", "Net each", "money"),
        ),
        tuple(rows),
        (
            "One order may be the goal of several rules: what goals brought must not be added up.",
            REFUNDS_LATER,
            *((GOALS_LOSE,) if any(one.name != ORDERS and one.refunds.any() for one in conversions) else ()),
            *(note for one in conversions if one.name == ORDERS for note in notes(one)),
            APART,
        )
        if rows
        else (),
    )


def contact_costs(touches: Touches, period: Period) -> dict[tuple[str, str], int]:
    """What ads and other contacts of a period cost, in millionths, by channel and currency."""
    import numpy as np

    told = (touches.told == Told.EVENT) & (touches.costs > 0)
    places = np.flatnonzero(told & (touches.at >= period.since) & (touches.at < period.until))
    found: dict[tuple[str, str], int] = {}
    columns = (touches.labels[places], touches.currencies[places], touches.costs[places])
    for label, currency, cost in zip(*(column.tolist() for column in columns), strict=True):
        key = (touches.names[label].channel, touches.money[currency])
        found[key] = found.get(key, 0) + cost
    return found


class Brought(msgspec.Struct, frozen=True):
    """What a model gives a rule, or a channel, in one currency."""

    name: str
    currency: str
    conversions: float
    value: float


def returns_table(
    brought: Iterable[Brought], costs: Mapping[tuple[str, str], int], model: str, by: Literal["rule", "channel"]
) -> Table:
    """What a model gives each rule or channel, net of refunds, less what its messages and its ads cost."""
    value = {(one.name, one.currency): one for one in brought}
    rows: list[tuple[Cell, ...]] = []
    for name, currency in sorted(value.keys() | costs.keys()):
        one = value.get((name, currency), Brought(name, currency, 0.0, 0.0))
        paid = costs.get((name, currency), 0) / 1_000_000
        left = one.value - paid
        rows.append((name, currency, one.conversions, one.value, paid, left, left / paid if paid else None))
    of = "its messages" if by == "rule" else "its messages and ads"
    return Table(
        "returns" if by == "rule" else f"returns_by_{by}",
        f"What each {by} brought, by the model {model}, net of what {of} cost",
        (
            Column(by, by.title()),
            Column("currency", "Currency"),
            Column("conversions", "Conversions", "number"),
            Column("value", "Value", "money"),
            Column("cost", "Cost", "money"),
            Column("left", "Left", "money"),
            Column("return", "Return", "share"),
        ),
        tuple(rows),
        (
            "Attributed is not caused: a holdout tells what would have been bought anyway.",
            "Return is what is left for each unit of cost; there is none where nothing was spent.",
            APART,
        )
        if rows and by == "rule"
        else (),
    )
