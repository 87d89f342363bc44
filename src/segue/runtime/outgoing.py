"""The messages of one turn: decided, looked at, withdrawn and taken back.

A message that the turn works on is one value, here, however often the turn comes back to it; it is written with the
turn. What a journey has in the store is read once, when a question is about all of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from segue.api import Instant
from segue.customers.identity import show
from segue.delivery.dead_letters import put_up
from segue.delivery.ledger import CAME_TO_NOTHING, MAY_STAND, LedgerRow, MessageState
from segue.engine.journey import Decide, Decision, Journey, Pass
from segue.runtime.contact import Contact
from segue.runtime.outlay import Outlay
from segue.runtime.people import Person
from segue.runtime.running import DecisionLine
from segue.store import ledger as ledger_rows

if TYPE_CHECKING:
    from segue.runtime.turn import Turn

JOURNEY_ENDED: Final = "the journey ended: "
"""How the reason of a message begins that was not sent since its journey had ended."""


class Outgoing:
    """The messages that a turn works on. ``moved`` are those that got a moment at which they are to be looked at, in
    the order in which they did."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self.contact = Contact(turn, self)
        self.outlay = Outlay(turn.tx, turn.running.zone)
        self.moved: list[LedgerRow] = []
        self._rows: dict[int, LedgerRow] = {}
        self._of: dict[int, list[LedgerRow]] = {}
        self._by_key: dict[str, LedgerRow] = {}
        self._by_receipt: dict[tuple[str, str], LedgerRow] = {}
        self._whole: set[int] = set()
        self._new: dict[int, LedgerRow] = {}
        self._changed: dict[int, LedgerRow] = {}
        self._channels: set[str] = set()
        self._unspent: set[tuple[str, str]] = set()

    # Which messages there are

    def take_up(self, stored: Iterable[LedgerRow]) -> list[LedgerRow]:
        """Work on messages of the store: those that the turn has already are given as it has them."""
        rows = []
        for row in stored:
            known = self._rows.get(row.row)
            if known is None:
                known = row
                self._keep(row)
            rows.append(known)
        return rows

    def find(self, number: int) -> LedgerRow | None:
        """A message by number."""
        row = self._rows.get(number)
        if row is None:
            found = ledger_rows.load_messages(self._turn.tx, (number,))
            row = self.take_up(found.values())[0] if found else None
        return row

    def load(self, numbers: Iterable[int]) -> None:
        """Take up messages by number, where that was not done."""
        missing = [number for number in numbers if number not in self._rows]
        if missing:
            self.take_up(ledger_rows.load_messages(self._turn.tx, missing).values())

    def find_claimed(self, *, key: str, channel: str, receipt: str) -> LedgerRow | None:
        """A claimed message by its key, else by the provider's receipt."""
        row = self._by_key.get(key) if key else self._by_receipt.get((channel, receipt))
        if row is not None:
            return row if row.claimed is not None else None
        stored = ledger_rows.find_message(self._turn.tx, key=key, channel=channel, receipt=receipt)
        return self.take_up([stored])[0] if stored is not None else None

    def find_by_key(self, key: str) -> LedgerRow | None:
        """A message by its key, whatever became of it."""
        row = self._by_key.get(key)
        if row is None and (stored := ledger_rows.find_by_key(self._turn.tx, key)) is not None:
            row = self.take_up([stored])[0]
        return row

    def of_customers(self, people: Collection[int]) -> Iterator[LedgerRow]:
        """The messages to these customers that this turn has decided or changed."""
        return (row for rows in (self._changed, self._new) for row in rows.values() if row.customer in people)

    def begin(self, journey: int) -> None:
        """A journey begins in this turn: the store has no messages of it."""
        self._whole.add(journey)

    def _all_of(self, person: Person, journey: Journey) -> list[LedgerRow]:
        """All messages of a journey, in the order in which they were decided."""
        number = journey.row
        if number not in self._whole:
            self._whole.add(number)
            self.take_up(ledger_rows.load_of_journey(self._turn.tx, person.row.row, number))
        return sorted(self._of.get(number, ()), key=lambda row: row.row)

    def prepare(self, rows: Sequence[LedgerRow], now: Instant) -> None:
        """Fetch what has to be known before messages of customers who are loaded are looked at, for all of them at
        once."""
        turn = self._turn
        self.contact.prepare(rows, now)
        addresses = []
        for row in rows:
            how = turn.running.reach.channels.get(row.channel)
            if how is not None and how.address is not None and row.state is MessageState.DECIDED:
                address = turn.person(row.customer).row.traits.get(how.address)
                addresses += [(how.address, one) for one in (address, row.address) if one]
        turn.suppressions.expect(addresses)

    # What becomes of them

    def decide(self, person: Person, journey: Journey, effect: Decide, now: Instant) -> None:
        """A message is to be sent."""
        row = self._add(person, journey, effect, now, effect.expires)
        row.due, row.given, row.coupons = now, effect.values, effect.coupons
        self.moved.append(row)
        self.contact.looked_at(row)

    def pass_over(self, person: Person, journey: Journey, effect: Pass, now: Instant) -> None:
        """A message is not even tried."""
        row = self._add(person, journey, effect, now, now)
        row.state, row.settled, row.reason = MessageState.SKIPPED, now, effect.reason
        self.note(person, row, "skipped", now)

    def _add(
        self, person: Person, journey: Journey, effect: Decide | Pass, now: Instant, expires: Instant
    ) -> LedgerRow:
        number = self._turn.tx.store.ids.take("message")
        row = LedgerRow(  # by position, in the order of its fields
            number,
            effect.key,
            journey.row,
            person.row.row,
            journey.rule,
            effect.channel,
            effect.message,
            effect.kind,
            MessageState.DECIDED,
            None,
            now,
            expires,
        )
        self._new[number] = row
        self._keep(row)
        return row

    def _keep(self, row: LedgerRow) -> None:
        self._rows[row.row] = self._by_key[row.key] = row
        known = self._of.get(row.journey)
        if known is None:
            self._of[row.journey] = [row]
        else:
            known.append(row)

    def withdraw(self, person: Person, journey: Journey, reason: str, now: Instant) -> None:
        """The journey exited: what it has not handed over yet is not sent."""
        if all(sending.settled for sending in journey.sends):
            return
        doubtful = False
        for row in self._all_of(person, journey):
            if row.state is not MessageState.DECIDED:
                continue
            row.due, row.settled = None, now
            row.reason = f"{JOURNEY_ENDED}{reason}"
            if row.doubt:  # a call was cut off before: it may have gone, so it is not "skipped"
                row.state = MessageState.UNKNOWN
                doubtful = True
                self.note(person, row, "undelivered", now)
            else:
                row.state = MessageState.SKIPPED
                self.note(person, row, "skipped", now)
            self.change(row)
        if doubtful:
            self.take_back(person, journey)

    def take_back(self, person: Person, journey: Journey) -> None:
        """The journey has ended: have taken back what it left standing, and, where it did not finish, what is only
        queued. What nobody knows to have been taken may stand as well."""
        turn = self._turn
        running = turn.running
        program = running.programs.get(journey.program)
        if not running.retractable or (
            program is not None and not program.prefers and program.channels.isdisjoint(running.retractable)
        ):
            return
        channels = {
            name for name in running.retractable if journey.state != "finished" or running.channels[name].stands
        }
        if not channels:
            return
        for row in self._all_of(person, journey):
            if row.channel in channels and row.state in MAY_STAND:
                row.state, row.due, row.retracting, row.tries = MessageState.RETRACTING, turn.now, turn.now, 0
                self.change(row)
                self._channels.add(row.channel)

    def note(
        self, person: Person, row: LedgerRow, decision: Decision, at: Instant, reason: str | None = None, sort: str = ""
    ) -> None:
        """Record what became of a message, for its reason where no other is given. ``sort`` is what the reason counts
        as: one without moments and names in it, of which there are few."""
        said = ("" if decision == "sent" else row.reason) if reason is None else reason
        turn = self._turn
        turn.tally[row.rule, decision, sort or said] += 1
        turn.lines.append(
            DecisionLine(at, show(person.row.key), row.rule, row.key, decision, row.channel, row.message, said)
        )
        if self.contact.leaves_money(row):
            self._unspent.add((row.kind, turn.running.costs[row.channel].currency))
        if row.state in CAME_TO_NOTHING:
            if row.claimed is not None:
                self.outlay.come_to_nothing(row)
            if not sort or row.claimed is not None:  # a line of the policy gave it no slot, so it gives none back
                self.contact.freed(row)

    def hurry(self, row: LedgerRow) -> None:
        """A message that was held back is to be looked at again at once."""
        row.due = self._turn.now
        self._channels.add(row.channel)
        self.change(row)

    def put_up_again(self, row: LedgerRow, now: Instant, who: str) -> None:
        """A dead letter is to be sent after all."""
        put_up(row, now, who)
        if row.row not in self._new:
            ledger_rows.put_up_again(self._turn.tx, (row,))
        self.change(row)

    def change(self, row: LedgerRow) -> None:
        """Have a message's row written as it is now."""
        if row.row not in self._new:
            self._changed[row.row] = row
        if row.due is not None:
            self.moved.append(row)
        if row.receipt:
            self._by_receipt[row.channel, row.receipt] = row
        self.contact.looked_at(row)

    # Writing

    def flush(self) -> frozenset[str]:
        """Write everything that is not written yet. Gives the channels that this turn gave something to look at."""
        tx = self._turn.tx
        self._channels.update(row.channel for row in self._new.values() if row.due is not None)
        if self._new:
            ledger_rows.insert(tx, self._new.values())
            self._new.clear()
        if self._changed:
            ledger_rows.update(tx, self._changed.values())
            self._changed.clear()
        came_back = self.outlay.came_back() | self._unspent
        self._unspent.clear()
        if self.outlay.flush():
            self.contact.forget_spend()
        for kind, currency in came_back:
            self.contact.money_came_back(kind, currency)
        if self._changed:  # who waited for that money
            ledger_rows.update(tx, self._changed.values())
            self._changed.clear()
        return frozenset(self._channels)

    def forget(self, customers: Collection[int]) -> None:
        """Customers change in the store: read there again what is written of their messages."""
        for row in [row for row in self._rows.values() if row.customer in customers]:
            del self._rows[row.row], self._by_key[row.key]
            self._by_receipt.pop((row.channel, row.receipt), None)
            self._of.pop(row.journey, None)
            self._whole.discard(row.journey)
        self.contact.forget(customers)
