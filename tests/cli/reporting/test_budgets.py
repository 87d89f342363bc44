"""What is spent of each budget, in its own currency."""

from __future__ import annotations

from segue.api import Instant
from segue.cli.reporting.budgets import budgets_table
from segue.measure.table import Table
from segue.runtime.publishing import publish, resume
from segue.store.database import Store, Transaction
from tests.acceptance.drivers import read_rules, setting

NOW = Instant(1_780_000_000_000_000)
RULES = """
policy promotional
  budget 50 {currency} per 1d

rule hello
  when signed_up
  send sms "hi"
"""


def table(currency: str, spent: int) -> Table:
    store = Store(None)

    def look(tx: Transaction) -> Table:
        made = setting()
        publish(tx, read_rules(RULES.format(currency=currency)), NOW, "test")
        running = resume(tx, made)
        assert running is not None
        day = "2026-05-28"
        tx.run("insert into spend (kind, currency, day, amount) values ('promotional', 'EUR', ?, ?)", (day, spent))
        return budgets_table(tx, running, made.zone, NOW)

    found = store.apply(look)
    store.close()
    return found


def test_a_budget_shows_what_is_spent_of_it_today() -> None:
    found = table("EUR", 12_500_000)
    assert found.rows == (("promotional", "today", 50.0, 12.5, 0.25, "EUR"),)
    assert found.notes == ()


def test_a_budget_in_another_currency_says_whose_costs_it_does_not_count() -> None:
    found = table("USD", 12_500_000)
    assert found.rows == (("promotional", "today", 50.0, 0.0, 0.0, "USD"),)
    assert found.notes == ("A budget counts costs in its own currency alone, and none of sms (EUR).",)
