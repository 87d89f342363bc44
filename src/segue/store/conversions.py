"""Queries for goals that were met, as conversions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from segue.api import Instant
from segue.api.values import DAY
from segue.language import model as m
from segue.measure.orders import refund_goals, settle
from segue.measure.period import Period
from segue.measure.touchpoints.columns import Conversions
from segue.program.codec import decode_rule
from segue.store.orders import Fields, Heard, Money
from segue.store.results import LATE, PIECE, Look, Tell, last_before, last_row


def read_goals(
    look: Look, since: Instant, period: Period, rules: Sequence[str], orders: Conversions, currency: str, tell: Tell
) -> dict[str, Conversions]:
    """The goals of each rule's journeys that were met from ``since`` until the end of ``period``. Two journeys of a
    customer that one event was the goal of count once. ``orders`` tell what was paid back."""
    with look() as tx:
        found = [
            (row, decode_rule(body))
            for row, rule, body in tx.rows("select id, rule, body from program")
            if rule in rules
        ]
        begin = last_before(tx, "journey", "entered", Instant(since - LATE - _longest(rule.goal for _, rule in found)))
        end = last_row(tx, "journey")
    programs = {row: rule.name for row, rule in found}
    numbers = msgspec.json.encode(sorted(programs)).decode()
    money = Money(currency)
    goals = {rule: Heard() for rule in rules}
    for after in range(begin, end if programs else begin, PIECE):
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
        tell(piece[1] - begin, end - begin)
    nothing = Heard().told()
    met = {
        rule: settle(heard.told(), nothing, nothing, money.names, 0, rule, since, period)
        for rule, heard in goals.items()
    }
    return {rule: refund_goals(one, orders) for rule, one in met.items()}


def _longest(goals: Iterable[m.Goal | None]) -> int:
    """The longest time, in microseconds, in which a goal can be met after the entry."""
    spans = (goal.within for goal in goals if goal is not None)
    return max(((31 * span.months + span.days) * DAY + span.micros for span in spans), default=0)
