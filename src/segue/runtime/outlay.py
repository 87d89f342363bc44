"""What the messages of one turn use up: money, and codes of coupons. What comes to nothing gives both back."""

from __future__ import annotations

from collections import Counter
from datetime import date, tzinfo

from segue.api import Instant, Money, Sent
from segue.delivery.ledger import CAME_TO_NOTHING, LedgerRow, MessageState
from segue.delivery.policy import to_millionths
from segue.program.calendar import local
from segue.store import coupons
from segue.store import ledger as ledger_rows
from segue.store.database import Transaction


class Outlay:
    """Gathered in a turn and written with it. ``spent`` is what the turn spends so far, by kind of message, currency
    and day, in millionths."""

    def __init__(self, tx: Transaction, zone: tzinfo) -> None:
        self.spent: Counter[tuple[str, str, date]] = Counter()
        self._tx = tx
        self._zone = zone
        self._unused: list[tuple[int, int, str]] = []

    def charge(self, row: LedgerRow, cost: Money | None, now: Instant) -> None:
        """A message that is being claimed costs this, on the day of the claim; what an earlier claim cost is given
        back."""
        self.give_back(row)
        if cost is not None and cost.amount:
            row.cost, row.currency = to_millionths(cost), cost.currency
            self.spent[row.kind, row.currency, self.day_of(now)] += row.cost

    def weigh(self, row: LedgerRow, taken: Sent, each: Money | None) -> None:
        """A message was taken: it costs what the provider says, or for each of its parts what the channel costs. The
        same answer again changes nothing."""
        if row.claimed is None or row.state in CAME_TO_NOTHING:
            return
        if taken.cost is not None:
            self.charge(row, taken.cost, row.claimed)
        elif each is not None and taken.parts > 1:
            self.charge(row, Money(each.amount * taken.parts, each.currency), row.claimed)

    def give_back(self, row: LedgerRow) -> None:
        """What a message cost is given back, to the day on which it was last claimed."""
        if row.cost is not None and row.claimed is not None:
            self.spent[row.kind, row.currency, self.day_of(row.claimed)] -= row.cost
            row.cost = None

    def come_to_nothing(self, row: LedgerRow) -> None:
        """A message that was claimed was not delivered after all. Its codes are free again if it was never handed
        over."""
        self.give_back(row)
        if row.state is not MessageState.UNDELIVERED:
            self._unused += [(row.customer, row.journey, pool) for _, pool in row.coupons]

    def day_of(self, instant: Instant) -> date:
        """The calendar day in the project's zone."""
        return local(instant, self._zone).date()

    def came_back(self) -> frozenset[tuple[str, str]]:
        """The kinds of message, with the currency, of which this turn gave more back than it spent on some day."""
        return frozenset((kind, currency) for (kind, currency, _), amount in self.spent.items() if amount < 0)

    def flush(self) -> bool:
        """Write it; whether anything was spent. After the messages: whether a code is free hangs on what all of its
        journey's came to."""
        for customer, journey, pool in self._unused:
            coupons.give_back(self._tx, customer, journey, pool)
        self._unused.clear()
        if not self.spent:
            return False
        ledger_rows.put_spend(self._tx, self.spent)
        self.spent.clear()
        return True
