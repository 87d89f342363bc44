"""The contact policy in one claiming transaction: what it has to know of the batch, fetched at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import partial

from segue.api import Instant
from segue.delivery.ledger import HOLDS_SLOT, LedgerRow, MessageState
from segue.delivery.policy import Asking, Go, Taken, Verdict, in_words, judge, longest_window
from segue.runtime.people import Person
from segue.runtime.turn import Turn
from segue.store import ledger as ledger_rows

_Place = tuple[int, str]
"""A customer and a kind of message: limits count by both."""


class Contact:
    """The policies over a batch of messages that are about to be claimed. Messages of one batch see each other: tell it
    with `looked_at` what became of each."""

    def __init__(self, turn: Turn, rows: Iterable[LedgerRow], now: Instant) -> None:
        self._turn = turn
        self._now = now
        self._taken: dict[_Place, dict[int, Taken]] = {}
        self._waiting: dict[_Place, dict[int, ledger_rows.Waiting]] = {}
        self._spent: dict[tuple[str, str, date, date], int] = {}
        policies = turn.running.policies
        self._lines = {kind: in_words(policy) for kind, policy in policies.items()}
        if not policies:
            return
        under = [row for row in rows if row.state is MessageState.DECIDED and row.kind in policies]
        lines = [line for kind in {row.kind for row in under} for line in policies[kind].lines]
        window = longest_window(lines)
        if not window:
            return
        people = sorted({row.customer for row in under})
        for customer, kind, taken in ledger_rows.load_taken(turn.tx, people, Instant(now - window)):
            if not self._stands(taken.channel):
                self._taken.setdefault((customer, kind), {})[taken.row] = taken
        if any(line.overflow.action == "defer" for line in lines):
            for waiting in ledger_rows.load_waiting(turn.tx, people, now):
                if not self._stands(waiting.channel):
                    self._waiting.setdefault((waiting.customer, waiting.kind), {})[waiting.row] = waiting

    def _stands(self, channel: str) -> bool:
        spec = self._turn.running.channels.get(channel)
        return spec is not None and spec.stands

    def judge(self, row: LedgerRow, person: Person) -> Verdict:
        """Whether a message may go now."""
        running = self._turn.running
        lines = self._lines.get(row.kind)
        if lines is None:
            return Go()
        held: dict[str, Instant] = {}
        for one in row.held:
            held.setdefault(one.words, one.at)
        asking = Asking(
            channel=row.channel,
            kind=row.kind,
            expires=row.expires,
            zone=person.facts.zone,
            cost=running.costs.get(row.channel),
            stands=self._stands(row.channel),
            held=held,
        )
        return judge(lines, asking, self._slots(row), partial(self._spent_before, row), running.zone, self._now)

    def _slots(self, row: LedgerRow) -> list[Taken]:
        """The slots that others have of this customer and kind, those included that wait, were decided earlier and may
        go now as well."""
        place = row.customer, row.kind
        slots = [one for number, one in self._taken.get(place, {}).items() if number != row.row]
        slots += [
            Taken(self._now, one.channel, one.rule, one.row)
            for one in self._waiting.get(place, {}).values()
            if (one.decided, one.row) < (row.decided, row.row)
        ]
        return slots

    def _spent_before(self, row: LedgerRow, currency: str, first: date, end: date) -> int:
        """What was spent without this message, which an earlier claim may have charged."""
        place = (row.kind, currency, first, end)
        if place not in self._spent:
            self._spent[place] = ledger_rows.load_spend(self._turn.tx, *place)
        spent = self._spent[place] + sum(
            amount
            for (kind, of, day), amount in self._turn.outgoing.outlay.spent.items()
            if kind == row.kind and of == currency and first <= day < end
        )
        if row.cost is not None and row.claimed is not None and row.currency == currency:
            day = self._turn.outgoing.outlay.day_of(row.claimed)
            spent -= row.cost if first <= day < end else 0
        return spent

    def looked_at(self, row: LedgerRow) -> None:
        """A message of the batch was claimed, held back or given up."""
        place = row.customer, row.kind
        if place in self._waiting:
            self._waiting[place].pop(row.row, None)
        if row.claimed is not None and row.state in HOLDS_SLOT and not self._stands(row.channel):
            self._taken.setdefault(place, {})[row.row] = Taken(row.claimed, row.channel, row.rule, row.row)
        elif place in self._taken:
            self._taken[place].pop(row.row, None)
