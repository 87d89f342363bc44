"""What messages cost, what came back, and what is left of it."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from segue.api import Instant
from segue.measure.money import Brought, Spending, Spent, contact_costs, returns_table, revenue_table, spend_table
from segue.measure.period import Period
from segue.measure.touchpoints.columns import Conversions, Label, Told, Touches, What

SPENDING = Spending({
    Spent("2026-03-02", "sms", "carts", "offer", "EUR"): (100, 6_000_000),
    Spent("2026-03-03", "sms", "carts", "offer", "EUR"): (50, 3_000_000),
    Spent("2026-03-03", "sms", "carts", "offer", "USD"): (10, 1_000_000),
    Spent("2026-03-02", "email", "hello", "hi", "EUR"): (0, 0),
})  # fmt: skip
ORDERS = Conversions(
    customers=np.array([1, 2, 3, 4]),
    at=np.array([10, 20, 30, 99]),
    gross=np.array([100.0, 50.0, 7.0, 1.0]),
    refunds=np.array([40.0, 0.0, 0.0, 0.0]),
    values=np.array([60.0, 50.0, 7.0, 1.0]),
    currencies=np.array([0, 0, 1, 0], np.int32),
    rows=np.arange(4),
    money=("EUR", "USD", "SEK"),
    name="orders",
)


def test_cost_is_of_each_currency_by_itself_and_each_message_has_its_own() -> None:
    assert spend_table(SPENDING, "channel").rows == (
        ("sms", "EUR", 150, 9.0, 0.06),
        ("sms", "USD", 10, 1.0, 0.1),
        ("email", "EUR", 0, 0.0, None),
    )
    assert [row[:2] for row in spend_table(SPENDING, "day").rows] == [
        ("2026-03-02", "EUR"),
        ("2026-03-03", "EUR"),
        ("2026-03-03", "USD"),
    ]
    assert spend_table(SPENDING, "message").rows[0][:3] == ("carts", "offer", "EUR")
    assert "No message cost anything" in spend_table(Spending({}), "channel").notes[0]


def test_messages_whose_cost_nobody_said_are_told_of() -> None:
    notes = spend_table(Spending(SPENDING.costs, {"push": 2, "letter": 1}), "channel").notes
    assert notes[1] == "3 more messages have no known cost: set `cost` of the channel (letter, push)."
    assert len(spend_table(SPENDING, "channel").notes) == 1


def test_what_ads_cost_counts_in_their_period_and_messages_not_twice() -> None:
    met = Touches(
        customers=np.ones(5, np.int64),
        at=np.array([10, 20, 30, 20, 20]),
        whats=np.full(5, What.AD, np.int32),
        labels=np.array([0, 1, 0, 0, 0], np.int32),
        messages=np.zeros(5, np.int64),
        rows=np.arange(5),
        told=np.array([Told.EVENT, Told.EVENT, Told.EVENT, Told.MESSAGE, Told.EVENT], np.int32),
        costs=np.array([100, 200, 400, 800, 1600]),
        currencies=np.array([1, 1, 1, 1, 2], np.int32),
        names=(Label("ads", "a"), Label("ads", "b")),
        money=("", "EUR", "USD"),
    )
    found = contact_costs(met, Period(Instant(10), Instant(30)))
    assert found == {("ads", "EUR"): 300, ("ads", "USD"): 1600}
    table = returns_table([Brought("ads", "EUR", 1.0, 0.0006)], found, "last", "channel")
    assert table.rows[0][:5] == ("ads", "EUR", 1.0, 0.0006, 0.0003)
    assert table.rows[0][6] == pytest.approx(1.0)
    assert table.rows[1][:5] == ("ads", "USD", 0.0, 0.0, 0.0016)


def test_revenue_is_before_refunds_and_after_them_and_of_the_period_alone() -> None:
    table = revenue_table([ORDERS, msgspec.structs.replace(ORDERS, name="carts")], Period(Instant(0), Instant(50)))
    assert table.rows[:2] == (
        ("orders", "EUR", 2, 150.0, 40.0, 110.0, 55.0),
        ("orders", "USD", 1, 7.0, 0.0, 7.0, 7.0),
    )
    assert [row[0] for row in table.rows] == ["orders", "orders", "carts", "carts"]
    assert revenue_table([ORDERS], Period(Instant(200), Instant(300))).rows == ()


def test_revenue_is_the_same_table_whichever_currency_was_heard_of_first() -> None:
    always = Period(Instant(0), Instant(100))
    other = msgspec.structs.replace(
        ORDERS, currencies=np.array([2, 2, 1, 2], np.int32), money=("SEK", "USD", "EUR"), gross=ORDERS.gross + 0.1
    )
    assert [row[:4] for row in revenue_table([other], always).rows] == [
        ("orders", "EUR", 3, 151.3),
        ("orders", "USD", 1, 7.1),
    ]
    assert [row[:3] for row in revenue_table([ORDERS], always).rows] == [("orders", "EUR", 3), ("orders", "USD", 1)]


def test_a_return_is_net_of_cost_and_there_is_none_where_nothing_was_spent() -> None:
    brought = [Brought("carts", "EUR", 2.0, 45.0), Brought("visit", "SEK", 1.0, 10.0)]
    assert returns_table(brought, SPENDING.by("rule"), "last", "rule").rows == (
        ("carts", "EUR", 2.0, 45.0, 9.0, 36.0, 4.0),
        ("carts", "USD", 0.0, 0.0, 1.0, -1.0, -1.0),
        ("hello", "EUR", 0.0, 0.0, 0.0, 0.0, None),
        ("visit", "SEK", 1.0, 10.0, 0.0, 10.0, None),
    )
    assert returns_table([], {}, "last", "rule").rows == ()
