"""Queries for what messages cost, in pieces, each a short look beside a daemon that goes on."""

from __future__ import annotations

from collections import Counter
from datetime import tzinfo

from segue.api.values import MINUTE, Instant
from segue.measure.money import Spent
from segue.measure.period import Period
from segue.program.calendar import local
from segue.store.history import last_message_before
from segue.store.results import SLEPT, Look, Tell, last_row
from segue.store.touchpoints import PIECE

_QUARTER = 15 * MINUTE


def read_spending(look: Look, period: Period, zone: tzinfo, tell: Tell) -> dict[Spent, tuple[int, int]]:
    """How many messages that were decided in a period count as spent, and what they cost, in millionths; by day of the
    zone, channel, rule, message and currency."""
    numbers: Counter[Spent] = Counter()
    costs: Counter[Spent] = Counter()
    with look() as tx:
        begin, end = last_message_before(tx, Instant(period.since - SLEPT)), last_row(tx, "message")
    for after in range(begin, end, PIECE):
        piece = (after, min(after + PIECE, end))
        with look() as tx:
            rows = tx.rows(
                f"select decided / {_QUARTER}, channel, rule, message, currency, count(*), sum(cost) from message "
                "where id > ? and id <= ? and decided >= ? and decided < ? and cost is not null "
                "and currency is not null "
                "group by 1, 2, 3, 4, 5",
                (*piece, period.since, period.until),
            )
        for quarter, channel, rule, message, currency, number, cost in rows:
            day = local(Instant(quarter * _QUARTER), zone).date().isoformat()
            key = Spent(day, channel, rule, message, currency)
            numbers[key] += number
            costs[key] += cost
        tell(piece[1] - begin, end - begin)
    return {key: (numbers[key], costs[key]) for key in numbers}
