"""Queries for what messages cost, in pieces, each a short look beside a daemon that goes on."""

from __future__ import annotations

from collections import Counter
from datetime import tzinfo
from typing import Final

from segue.api import Instant
from segue.measure.money import Spending, Spent
from segue.measure.period import Period
from segue.measure.results.brought import QUARTER
from segue.program.calendar import local
from segue.store.history import last_message_before
from segue.store.packed import read_packed
from segue.store.results import PIECE, SLEPT, Look, Tell, last_row
from segue.store.touchpoints import REACHED

_DEAR: Final = "cost is not null and currency is not null"
_NUMBERS: Final = (f"decided / {QUARTER}", "coalesce(cost, -1)")
_TEXTS: Final = ("channel", "rule", "message", "coalesce(currency, '')")
_MESSAGES: Final = (
    "from message where id > ? and id <= ? and decided >= ? and decided < ? "
    f"and ({_DEAR} or (cost is null and handed is not null and state in ({REACHED})))"
)


def read_spending(look: Look, period: Period, zone: tzinfo, tell: Tell) -> Spending:
    """What the messages cost that were decided in a period; by day of the zone, channel, rule, message and currency."""
    import numpy as np

    numbers: Counter[Spent] = Counter()
    costs: Counter[Spent] = Counter()
    free: Counter[str] = Counter()
    with look() as tx:
        begin, end = last_message_before(tx, Instant(period.since - SLEPT)), last_row(tx, "message")
    for after in range(begin, end, PIECE):
        piece = (after, min(after + PIECE, end))
        with look() as tx:
            read = read_packed(tx, _NUMBERS, _TEXTS, _MESSAGES, (*piece, period.since, period.until))
        quarters, cost = read.numbers
        unknown = cost < 0
        groups, places = np.unique((quarters * len(read.texts) + read.codes) * 2 + unknown, return_inverse=True)
        sums = np.bincount(places, np.maximum(cost, 0), len(groups)).tolist()
        counts = np.bincount(places, minlength=len(groups)).tolist()
        for group, number, total in zip(groups.tolist(), counts, sums, strict=True):
            quarter, code = divmod(group // 2, len(read.texts))
            channel, rule, message, currency = read.texts[code]
            if group % 2:
                free[channel] += number
                continue
            day = local(Instant(quarter * QUARTER), zone).date().isoformat()
            key = Spent(day, channel, rule, message, currency)
            numbers[key] += number
            costs[key] += int(total)
        tell(piece[1] - begin, end - begin)
    return Spending({key: (numbers[key], costs[key]) for key in numbers}, dict(free))
