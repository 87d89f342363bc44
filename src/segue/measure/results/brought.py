"""What orders and goals of a period brought, added to its counts by day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Final, TypeVar

from segue.api.attribution import Floats
from segue.api.values import MINUTE
from segue.measure.orders import exact
from segue.measure.period import Period
from segue.measure.results.counts import Counts
from segue.measure.touchpoints.columns import Conversions

QUARTER: Final = 15 * MINUTE
"""Days are told of quarters of an hour: every zone's midnight is the beginning of one."""
Days = Callable[[int], date]
"""The day in the project's zone of a quarter of an hour, numbered since 1970."""
_Key = TypeVar("_Key")


def count_brought(to: Counts, orders: Conversions, goals: Iterable[Conversions], period: Period, day: Days) -> None:
    """Add what came in a period: the shop's orders, and the goals of each rule."""
    for on, currency, number, gross, refunds in _by_day(orders, period, day):
        to.orders[on] += number
        _add(to.revenue, (on, currency), gross)
        _add(to.refunds, (on, currency), refunds)
    for one in goals:
        for on, currency, number, gross, refunds in _by_day(one, period, day):
            to.conversions[on, one.name] += number
            _add(to.worth, (one.name, currency), gross)
            _add(to.worth_refunded, (one.name, currency), refunds)


def _add(to: dict[_Key, Decimal], key: _Key, amount: float) -> None:
    if amount:
        to[key] = to.get(key, Decimal(0)) + exact(amount)


def _by_day(found: Conversions, period: Period, day: Days) -> Iterator[tuple[date, str, int, float, float]]:
    import numpy as np

    within = np.flatnonzero((found.at >= period.since) & (found.at < period.until))
    quarters = found.at[within] // QUARTER
    places, codes = np.unique(
        np.stack([quarters, found.currencies[within].astype(np.int64)]), axis=1, return_inverse=True
    )
    codes = codes.ravel()

    def sums(column: Floats | None = None) -> list[float]:
        weights = None if column is None else column[within]
        summed: list[float] = np.bincount(codes, weights, len(places[0])).tolist()
        return summed

    columns = zip(*places.tolist(), sums(), sums(found.gross), sums(found.refunds), strict=True)
    for quarter, code, number, gross, refunds in columns:
        yield day(quarter), found.money[code], int(number), gross, refunds
