"""The one definition of an order: what it is, what is left of it, and which period it is in."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.api import Instant
from segue.measure.orders import ODD, Told, exact, notes, refund_goals, settle
from segue.measure.period import Period
from segue.measure.touchpoints.columns import Conversions

ALWAYS = Period(Instant(0), Instant(10**9))
NAN = float("nan")
EUR, USD, UNNAMED = 0, 1, -1


class One(NamedTuple):
    """What one event tells. ``number`` is that of the order, 0 where it has none."""

    at: int
    number: int
    amount: float = NAN
    customer: int = 1
    currency: int = EUR


def told(*events: One, first: int = 1) -> Told:
    columns = {name: np.array([getattr(one, name) for one in events]) for name in ("at", "customer", "amount")}
    return Told(
        customers=columns["customer"].astype(np.int64),
        at=columns["at"].astype(np.int64),
        ids=np.array([one.number for one in events], np.int64),
        own=np.arange(first, first + len(events)),
        amounts=columns["amount"].astype(np.float64),
        currencies=np.array([UNNAMED if np.isnan(one.amount) else one.currency for one in events], np.int64),
        rows=np.arange(first, first + len(events)),
    )


def found(
    *orders: One,
    refunds: tuple[One, ...] = (),
    cancels: tuple[One, ...] = (),
    since: int = 0,
    period: Period = ALWAYS,
) -> Conversions:
    return settle(told(*orders), told(*refunds), told(*cancels), ("EUR", "USD"), EUR, "orders", Instant(since), period)


def test_an_order_told_of_again_has_its_earliest_moment_and_its_first_value() -> None:
    again = found(One(50, 7, 20), One(40, 7), One(60, 7, 99))
    assert (again.at.tolist(), again.gross.tolist(), again.repeated) == ([40], [20], 2)
    apart = found(One(50, 7, 20), One(50, 7, 20, customer=2), One(50, 0, 20), One(50, 0, 20))
    assert (len(apart.at), apart.repeated) == (4, 0)


def test_an_order_that_was_told_before_the_period_is_not_of_the_period() -> None:
    later = found(One(90, 7, 20), One(150, 7, 20), One(160, 8, 5), since=100, period=Period(Instant(100), Instant(200)))
    assert (later.at.tolist(), later.values.tolist(), later.repeated) == ([160], [5], 0)


def test_a_refund_counts_with_its_order_and_never_beyond_its_value() -> None:
    orders = (One(10, 1, 100), One(20, 2, 50), One(30, 3, 30), One(40, 4, 40, currency=USD))
    refunds = (One(900, 1, 30), One(901, 1, -20), One(902, 2), One(903, 3, 999), One(904, 4, 10, currency=UNNAMED))
    left = found(*orders, refunds=refunds)
    assert left.refunds.tolist() == [50, 50, 30, 10]
    assert left.values.tolist() == [50, 0, 0, 30]
    assert left.loose_refunds == 0


@pytest.mark.parametrize("currency", [USD, ODD])
def test_a_refund_in_another_currency_than_its_order_is_left_out_and_said(currency: int) -> None:
    left = found(One(10, 1, 100), refunds=(One(20, 1, 30, currency=currency),))
    assert (left.values.tolist(), left.loose_refunds) == ([100], 1)
    assert list(notes(left))[-1].startswith("1 refund or cancellation")


def test_what_is_paid_back_of_an_earlier_order_is_told_of_and_counts_there() -> None:
    period = Period(Instant(100), Instant(200))
    now = found(
        One(50, 1, 100),
        One(150, 2, 60),
        refunds=(One(160, 1, 30), One(250, 2, 10), One(170, 9, 5)),
        since=100,
        period=period,
    )
    assert (now.gross.tolist(), now.refunds.tolist()) == ([60], [10])
    assert (now.earlier, now.loose) == ({"EUR": 30}, {"EUR": 5})
    assert list(notes(now)) == [
        "Paid back in this period of orders from before it, and counted with these: 30.00 EUR.",
        "1 refund or cancellation (5.00 EUR) of an order that is not there, or in another currency than its order: "
        "not counted.",
    ]
    then = found(One(50, 1, 100), refunds=(One(160, 1, 30),), period=Period(Instant(0), Instant(100)))
    assert (then.refunds.tolist(), then.earlier) == ([30], {})


def test_a_cancelled_order_does_not_count_nor_does_its_refund() -> None:
    left = found(One(10, 1, 100), One(20, 2, 50), refunds=(One(30, 1, 100),), cancels=(One(40, 1),))
    assert (left.gross.tolist(), left.refunds.tolist(), left.cancelled) == ([50], [0], 1)
    assert list(notes(left)) == ["1 order cancelled, and not counted."]


def test_who_is_not_named_is_found_by_the_only_order_with_that_id() -> None:
    orders = (One(10, 1, 100, customer=5), One(20, 2, 50, customer=5), One(30, 2, 50, customer=6), One(40, 3, 9, 0))
    refunds = (One(50, 1, 10, customer=0), One(60, 2, 10, customer=0), One(70, 3, 4, customer=6), One(80, 1, 1, 7))
    left = found(*orders, refunds=refunds)
    assert dict(zip(left.at.tolist(), left.refunds.tolist(), strict=True)) == {10: 10, 20: 0, 30: 0, 40: 4}
    assert left.loose_refunds == 2


def test_a_goal_loses_what_its_order_lost_by_whichever_telling_met_it() -> None:
    orders = found(
        *(One(10, 1, 100), One(12, 1, 100), One(20, 2, 50, customer=2), One(30, 3, 8, customer=3)),
        refunds=(One(90, 1, 25),),
        cancels=(One(91, 2, customer=2),),
    )
    goals = found(One(12, 12, 40), One(20, 20, 50, customer=2), One(30, 30, 8, customer=3))
    assert refund_goals(goals, orders).refunds.tolist() == [10, 50, 0]
    assert refund_goals(goals, found()).refunds.tolist() == [0, 0, 0]


def test_values_that_are_none_are_counted_and_said() -> None:
    left = found(One(10, 1), One(20, 2, -5), One(30, 3, 7))
    assert (left.values.tolist(), left.unpriced, left.negative) == ([0, 0, 7], 1, 1)
    assert [note.split()[:2] for note in notes(left)] == [["1", "order"], ["1", "order"]]


def test_fractions_add_up_to_what_people_see() -> None:
    assert exact(0.1 + 0.2) == Decimal("0.3")


events = st.builds(
    One,
    at=st.integers(0, 300),
    number=st.integers(0, 4),
    amount=st.one_of(st.just(NAN), st.integers(-5, 60).map(float)),
    customer=st.integers(0, 3),
    currency=st.sampled_from((EUR, USD)),
)
several = st.lists(events, max_size=12).map(tuple)


@settings(max_examples=60)
@given(several, several, several, st.integers(0, 300), st.randoms())
def test_periods_share_the_orders_out_and_the_order_of_arrival_means_nothing(
    orders: tuple[One, ...], refunds: tuple[One, ...], cancels: tuple[One, ...], cut: int, chance: Random
) -> None:
    whole = found(*orders, refunds=refunds, cancels=cancels)
    parts = [
        found(*orders, refunds=refunds, cancels=cancels, since=since, period=Period(Instant(since), Instant(until)))
        for since, until in ((0, cut), (cut, 10**9))
    ]
    within = [
        (one.at >= since) & (one.at < until)
        for one, (since, until) in zip(parts, ((0, cut), (cut, 10**9)), strict=True)
    ]
    for name in ("gross", "refunds", "values"):
        summed = sum(float(getattr(one, name)[mask].sum()) for one, mask in zip(parts, within, strict=True))
        assert summed == pytest.approx(float(getattr(whole, name).sum()))
    assert sum(int(mask.sum()) for mask in within) == len(whole.at)
    for count in ("repeated", "cancelled", "unpriced", "negative", "loose_refunds"):
        assert sum(getattr(one, count) for one in parts) == getattr(whole, count)
    assert (whole.values >= 0).all()
    assert (whole.refunds <= whole.gross).all()
    shuffled = list(refunds)
    chance.shuffle(shuffled)
    again = found(*orders, refunds=tuple(shuffled), cancels=cancels)
    assert again.values.tolist() == whole.values.tolist()
