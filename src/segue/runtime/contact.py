"""The contact policy in one turn: what it has to know of customers, fetched at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, get_args

from segue.api import Instant, Kind
from segue.customers.wishes import chosen_frequency
from segue.delivery.ledger import HOLDS_SLOT, LedgerRow, MessageState
from segue.delivery.policy import (
    Asking,
    Go,
    Line,
    Taken,
    Verdict,
    budget_days,
    counts_money,
    counts_slots,
    goes_by_clock,
    in_words,
    judge,
    longest_window,
    rank,
    to_millionths,
    word_line,
)
from segue.language import model as m
from segue.runtime.people import Person
from segue.store import ledger as ledger_rows
from segue.store.pauses import load_pauses

if TYPE_CHECKING:
    from segue.runtime.outgoing import Outgoing
    from segue.runtime.turn import Turn

_Place = tuple[int, str]
"""A customer and a kind of message: limits count by both."""


def _place_in_line(one: LedgerRow | ledger_rows.Waiting) -> tuple[Instant, str, int]:
    """Who was due earlier goes first. The rules' names, and not the order in which it was decided, part what was due in
    one moment: that order is another where the calendar lets customers enter in pieces."""
    return one.decided, one.rule, one.row


class Contact:
    """The policies over the messages of one turn. Messages see each other: it is told with `looked_at` what became of
    each."""

    def __init__(self, turn: Turn, outgoing: Outgoing) -> None:
        self._turn = turn
        self._outgoing = outgoing
        self._known: set[int] = set()
        self._taken: dict[_Place, dict[int, Taken]] = {}
        self._waiting: dict[_Place, dict[int, LedgerRow | ledger_rows.Waiting]] = {}
        self._spent: dict[tuple[str, str, date, date], int] = {}
        self._surely: dict[int, Instant] = {}
        self._aside: dict[int, Instant] = {}
        self._paused: set[tuple[str, str]] | None = None
        self._lines: dict[str, tuple[tuple[Line, str], ...]] = {
            kind: in_words(policy) for kind, policy in turn.running.policies.items()
        }
        lines = [line for policy in turn.running.policies.values() for line in policy.lines]
        self._window = longest_window(lines) if lines else 0
        self._by_clock = any(isinstance(line, m.Quiet) and line.zone in (None, "local") for line in lines)
        self._counts = any(isinstance(line, m.Limit | m.Space) and line.overflow.action == "defer" for line in lines)

    def prepare(self, rows: Iterable[LedgerRow], now: Instant) -> None:
        """Fetch what has to be known before these messages are judged, for all of them at once."""
        policies = self._turn.running.policies
        window = self._window
        people = set()
        for row in rows:
            if row.customer in self._known or row.state is not MessageState.DECIDED:
                continue
            chosen = self._chosen(row)
            if chosen is not None:
                window = max(window, longest_window([chosen[0]]))
            if chosen is not None or (window and row.kind in policies):
                people.add(row.customer)
        if not people:
            return
        self._known |= people
        asked = sorted(people)
        for customer, kind, taken in ledger_rows.load_taken(self._turn.tx, asked, Instant(now - window)):
            if not self._stands(taken.channel):
                self._taken.setdefault((customer, kind), {})[taken.row] = taken
        for waiting in ledger_rows.load_waiting(self._turn.tx, asked):
            if not self._stands(waiting.channel):
                self._waiting.setdefault((waiting.customer, waiting.kind), {})[waiting.row] = waiting
        for row in self._outgoing.of_customers(people):
            self.looked_at(row)

    def forget(self, customers: Collection[int]) -> None:
        """Customers change in the store: fetch anew what has to be known of them."""
        self._known.difference_update(customers)
        for slots in (self._taken, self._waiting):
            for place in [place for place in slots if place[0] in customers]:
                del slots[place]

    def forget_spend(self) -> None:
        """What this turn had spent is in the store now."""
        self._spent.clear()

    def _chosen(self, row: LedgerRow) -> tuple[Line, str] | None:
        """The limit that the customer set for messages of this kind, and its words."""
        per = chosen_frequency(self._turn.person(row.customer).row.traits, row.kind)
        if per is None:
            return None
        limit = m.Limit(1, None, per)
        return limit, f"{word_line(limit)}, as the customer chose"

    def _stands(self, channel: str) -> bool:
        spec = self._turn.running.channels.get(channel)
        return spec is not None and spec.stands

    def judge(self, row: LedgerRow, person: Person, now: Instant) -> Verdict:
        """Whether a message may go now."""
        running = self._turn.running
        lines = self._lines.get(row.kind, ())
        chosen = self._chosen(row)
        if chosen is not None:  # after the quiet hours, before the limits of the project
            lines = tuple(sorted((chosen, *lines), key=lambda one: rank(one[0])))
        if not lines:
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
        slots = self._slots(row, now)
        return judge(lines, asking, slots, partial(self._spent_before, row), running.zone, now)

    def _slots(self, row: LedgerRow, now: Instant) -> list[Taken]:
        """The slots that others have of this customer and kind, those included that wait and are before this one."""
        slots = [one for number, one in self._taken.get((row.customer, row.kind), {}).items() if number != row.row]
        slots += [Taken(now, one.channel, one.rule, one.row, one.decided) for one in self._before(row, now)]
        return slots

    def _before(self, row: LedgerRow, now: Instant) -> list[LedgerRow | ledger_rows.Waiting]:
        """The messages that may go now as well and are before this one in the line. What is paused is in no line."""
        found = [
            one
            for one in self._waiting.get((row.customer, row.kind), {}).values()
            if one.due is not None and one.due <= now and _place_in_line(one) < _place_in_line(row)
        ]
        if not found:
            return found
        if self._paused is None:
            self._paused = {(pause.sort, pause.name) for pause in load_pauses(self._turn.tx)}
        paused = self._paused
        return [one for one in found if paused.isdisjoint((("channel", one.channel), ("rule", one.rule)))]

    def in_doubt(self, row: LedgerRow, now: Instant) -> list[LedgerRow]:
        """The messages before this one in the line of which it is not sure that they go: in their order. From now on
        they are taken to be looked at."""
        doubtful = [one for one in self._before(row, now) if self._surely.get(one.row) != now]
        self._surely.update((one.row, now) for one in doubtful)
        found = [self._outgoing.find(one.row) for one in sorted(doubtful, key=_place_in_line)]
        return [one for one in found if one is not None]

    def stepped_aside(self, row: LedgerRow, now: Instant) -> None:
        """A message in the line was looked at, and does not go now."""
        self._aside[row.row] = now

    def has_stepped_aside(self, row: LedgerRow, now: Instant) -> bool:
        """Whether that was so in this moment, and nothing has asked for another look since."""
        return self._aside.get(row.row) == now and row.due != now

    def freed(self, row: LedgerRow) -> None:
        """A message came to nothing that had a slot, or stood in the line for one: who was held back for want of it is
        looked at again at once."""
        if self._counts and not self._stands(row.channel):
            self._look_again(row.customer, counts_slots, row.kind)

    def money_came_back(self, kind: str, currency: str) -> None:
        """Messages of a kind came to nothing, or cost less than was thought: who was held back for want of money is
        looked at again at once, the first to be due first, as far as there is some for them now."""
        running, now = self._turn.running, self._turn.now
        left = self._money_left(kind, currency)
        if left is None:
            return
        for channel, cost in running.costs.items():
            price = to_millionths(cost)
            if cost.currency != currency or not 0 < price <= left:
                continue
            numbers = ledger_rows.load_short_of_money(self._turn.tx, channel, kind, now)[: left // price]
            self._outgoing.load(numbers)
            for number in numbers:
                if self._hurry(number, counts_money):
                    left -= price

    def leaves_money(self, row: LedgerRow) -> bool:
        """Whether a message that waited for money, and may have been given some, does not go now for another reason."""
        if row.claimed is not None or not row.held or row.channel not in self._turn.running.costs:
            return False
        if row.state is not MessageState.DECIDED:
            return counts_money(row.held[-1].words)
        return not counts_money(row.held[-1].words) and any(counts_money(one.words) for one in row.held[-2:-1])

    def _money_left(self, kind: str, currency: str) -> int | None:
        """What the budgets of a kind let through now, in millionths; None where none of them holds messages back."""
        today = self._outgoing.outlay.day_of(self._turn.now)
        left: int | None = None
        for line, _ in self._lines.get(kind, ()):
            if isinstance(line, m.Budget) and line.amount.currency == currency and line.overflow.action == "defer":
                first, end = budget_days(line.per, today)
                rest = to_millionths(line.amount) - self._spent_in(kind, currency, first, end)
                left = rest if left is None else min(left, rest)
        return left

    def moved_house(self, customer: int) -> None:
        """The customer's clock shows another time: whom the night held back is looked at again at once."""
        if self._by_clock:
            self._look_again(customer, goes_by_clock)

    def _look_again(self, customer: int, concerns: Callable[[str], bool], kind: str | None = None) -> None:
        if customer in self._known:
            numbers = [row for sort in get_args(Kind) for row in self._waiting.get((customer, sort), ())]
        else:  # who was held back in this turn is known
            numbers = [one.row for one in ledger_rows.load_waiting(self._turn.tx, (customer,))]
        for number in numbers:
            self._hurry(number, concerns, kind)

    def _hurry(self, number: int, concerns: Callable[[str], bool], kind: str | None = None) -> bool:
        """Have a message looked at again at once, if such a line held it back."""
        row = self._outgoing.find(number)
        if (
            row is None
            or row.state is not MessageState.DECIDED
            or row.claimed is not None
            or not row.held
            or row.due is None
            or row.due <= self._turn.now
            or kind not in (None, row.kind)
            or not concerns(row.held[-1].words)
        ):
            return False
        self._outgoing.hurry(row)
        return True

    def _spent_before(self, row: LedgerRow, currency: str, first: date, end: date) -> int:
        """What was spent without this message, which an earlier claim may have charged."""
        spent = self._spent_in(row.kind, currency, first, end)
        if row.cost is not None and row.claimed is not None and row.currency == currency:
            day = self._outgoing.outlay.day_of(row.claimed)
            spent -= row.cost if first <= day < end else 0
        return spent

    def _spent_in(self, kind: str, currency: str, first: date, end: date) -> int:
        """What is spent on messages of a kind, this turn's included."""
        place = (kind, currency, first, end)
        if place not in self._spent:
            self._spent[place] = ledger_rows.load_spend(self._turn.tx, *place)
        return self._spent[place] + sum(
            amount
            for (of_kind, of, day), amount in self._outgoing.outlay.spent.items()
            if of_kind == kind and of == currency and first <= day < end
        )

    def looked_at(self, row: LedgerRow) -> None:
        """A message was decided on anew: claimed, held back, given up, or answered."""
        if row.customer not in self._known or self._stands(row.channel):
            return
        place = row.customer, row.kind
        if row.claimed is not None and row.state in HOLDS_SLOT:
            self._taken.setdefault(place, {})[row.row] = Taken(row.claimed, row.channel, row.rule, row.row)
        elif place in self._taken:
            self._taken[place].pop(row.row, None)
        if row.claimed is None and row.state is MessageState.DECIDED:
            self._waiting.setdefault(place, {})[row.row] = row
        elif place in self._waiting:
            self._waiting[place].pop(row.row, None)
