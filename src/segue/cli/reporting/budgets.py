"""Spending against the budgets of the policies that run."""

from __future__ import annotations

from datetime import tzinfo

from segue.api import Instant
from segue.delivery.policy import budget_days
from segue.language import model as m
from segue.measure.table import Cell, Column, Table
from segue.program.calendar import local
from segue.runtime.running import Running
from segue.store.database import Transaction
from segue.store.ledger import load_spend


def budgets_table(tx: Transaction, running: Running, zone: tzinfo, now: Instant) -> Table:
    """What is spent of each budget in the days that it counts together with today."""
    rows: list[tuple[Cell, ...]] = []
    apart: set[str] = set()
    for kind, policy in running.policies.items():
        for line in policy.lines:
            if isinstance(line, m.Budget):
                first, end = budget_days(line.per, local(now, zone).date())
                spent = load_spend(tx, kind, line.amount.currency, first, end) / 1_000_000
                budget = float(line.amount.amount)
                span = "today" if (end - first).days == 1 else f"{(end - first).days} days from {first.isoformat()}"
                apart |= {
                    f"{channel} ({cost.currency})"
                    for channel, cost in running.costs.items()
                    if cost.amount and cost.currency != line.amount.currency
                }
                rows.append((kind, span, budget, spent, spent / budget if budget else None, line.amount.currency))
    return Table(
        "budgets",
        "Spend against budget",
        (
            Column("kind", "Messages"),
            Column("span", "Days"),
            Column("budget", "Budget", "money"),
            Column("spent", "Spent", "money"),
            Column("used", "Used", "share"),
            Column("currency", "Currency"),
        ),
        tuple(rows),
        (f"A budget counts costs in its own currency alone, and none of {', '.join(sorted(apart))}.",) if apart else (),
    )
