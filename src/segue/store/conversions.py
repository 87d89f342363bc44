"""Queries for goals that were met, as conversions."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from segue.api import Instant
from segue.measure.orders import refund_goals, settle
from segue.measure.period import Period
from segue.measure.touchpoints.columns import Conversions
from segue.store.orders import Fields, Heard, Money
from segue.store.results import PIECE, Look, Tell, last_row


def read_goals(
    look: Look, since: Instant, period: Period, rules: Sequence[str], orders: Conversions, currency: str, tell: Tell
) -> dict[str, Conversions]:
    """The goals of each rule's journeys that were met from ``since`` until the end of ``period``. Two journeys of a
    customer that one event was the goal of count once. ``orders`` tell what was paid back."""
    with look() as tx:
        programs = {row: rule for row, rule in tx.rows("select id, rule from program") if rule in rules}
        end = last_row(tx, "journey")
    numbers = msgspec.json.encode(sorted(programs)).decode()
    money = Money(currency)
    goals = {rule: Heard() for rule in rules}
    for after in range(0, end if programs else 0, PIECE):
        piece = (after, min(after + PIECE, end))
        with look() as tx:
            rows = tx.rows(
                "select customer, converted, id, program, worth from journey where id > ? and id <= ? "
                "and converted >= ? and converted < ? and program in (select value from json_each(?))",
                (*piece, since, period.until, numbers),
            )
        for customer, converted, row, program, worth in rows:
            number, _, named = (worth or "").partition(" ")
            amount, code = money.read(Fields(currency=named or None), (number or None,))
            # One moment of a customer is one event: it stands for the order's id.
            goals[programs[program]].add(customer, converted, converted, row, amount, code, row)
        tell(piece[1], end)
    nothing = Heard().told()
    found = {
        rule: settle(heard.told(), nothing, nothing, money.names, 0, rule, since, period)
        for rule, heard in goals.items()
    }
    return {rule: refund_goals(one, orders) for rule, one in found.items()}
