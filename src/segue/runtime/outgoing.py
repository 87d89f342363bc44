"""Messages out, as one turn decides, changes and takes them back; `segue.runtime.dispatch` claims and settles them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from segue.api import Instant
from segue.customers.identity import show
from segue.delivery.ledger import CAME_TO_NOTHING, LedgerRow, MessageState
from segue.engine.journey import Decide, Decision, Journey, Pass
from segue.runtime.outlay import Outlay
from segue.runtime.people import Person
from segue.runtime.running import DecisionLine
from segue.store import ledger as ledger_rows

if TYPE_CHECKING:
    from segue.runtime.turn import Turn

JOURNEY_ENDED: Final = "the journey ended: "
"""How the reason of a message begins that was not sent since its journey had ended."""


class Outgoing:
    """The messages that a turn concerns, and what they cost."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._messages: dict[int, LedgerRow] = {}
        self._updates: dict[int, LedgerRow] = {}
        self._watched: dict[int, LedgerRow] = {}
        self._taking_back: set[str] = set()
        self.outlay = Outlay(turn.tx, turn.running.zone)

    def _row(self, person: Person, journey: Journey, effect: Decide | Pass, now: Instant) -> LedgerRow:
        return LedgerRow(  # by position, in the order of its fields
            self._turn.tx.store.ids.take("message"),
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
            effect.expires if isinstance(effect, Decide) else now,
        )

    def decide(self, person: Person, journey: Journey, effect: Decide, now: Instant) -> None:
        """A message is to be sent."""
        row = self._row(person, journey, effect, now)
        row.due, row.given, row.coupons = now, effect.values, effect.coupons
        self._messages[row.row] = row

    def pass_over(self, person: Person, journey: Journey, effect: Pass, now: Instant) -> None:
        """A message is not even tried."""
        row = self._row(person, journey, effect, now)
        row.state, row.settled, row.reason = MessageState.SKIPPED, now, effect.reason
        self._messages[row.row] = row
        self.note(person, row, "skipped", now)

    def withdraw(self, person: Person, journey: Journey, reason: str, now: Instant) -> None:
        """The journey ended: take back what it has not handed over yet."""
        if all(sending.settled for sending in journey.sends):
            return
        open_rows = [row for row in self._messages.values() if row.journey == journey.row and row.due is not None]
        if not self._turn.is_new(journey):
            open_rows += [
                self._watched.get(row.row, row)
                for row in ledger_rows.load_open(self._turn.tx, person.row.row, journey.row)
            ]
        for row in open_rows:
            if row.state is not MessageState.DECIDED:
                continue
            row.due, row.settled = None, now
            row.reason = f"{JOURNEY_ENDED}{reason}"
            if row.doubt:  # a call was cut off before: it may have gone, so it is not "skipped"
                row.state = MessageState.UNKNOWN
                self.note(person, row, "undelivered", now)
            else:
                row.state = MessageState.SKIPPED
                self.note(person, row, "skipped", now)
            self.update(row)

    def take_back(self, person: Person, journey: Journey) -> None:
        """The journey has ended: have taken back what it left standing, and, where it did not finish, what is only
        queued."""
        running = self._turn.running
        program = running.programs.get(journey.program)
        if not running.retractable or (
            program is not None and not program.prefers and program.channels.isdisjoint(running.retractable)
        ):
            return
        channels = [
            name for name in running.retractable if journey.state != "finished" or running.channels[name].stands
        ]
        if not channels:
            return
        for stored in ledger_rows.load_of_journey(self._turn.tx, person.row.row, journey.row, channels):
            row = self._watched.get(stored.row) or self._updates.get(stored.row) or stored
            if row.state in (MessageState.HANDED, MessageState.CONFIRMED):
                row.state, row.due, row.retracting, row.tries = (
                    MessageState.RETRACTING,
                    self._turn.now,
                    self._turn.now,
                    0,
                )
                self.update(row)
                self._taking_back.add(row.channel)

    def note(
        self, person: Person, row: LedgerRow, decision: Decision, at: Instant, reason: str | None = None, sort: str = ""
    ) -> None:
        """Record what became of a message, for its reason where no other is given. ``sort`` is what the reason counts
        as: one without moments and names in it, of which there are few."""
        said = ("" if decision == "sent" else row.reason) if reason is None else reason
        self._turn.tally[row.rule, decision, sort or said] += 1
        self._turn.lines.append(
            DecisionLine(at, show(person.row.key), row.rule, row.key, decision, row.channel, row.message, said)
        )
        if row.claimed is not None and row.state in CAME_TO_NOTHING:
            self.outlay.come_to_nothing(row)

    def watch(self, rows: Iterable[LedgerRow]) -> None:
        """Messages this turn works on: a journey that ends takes back these very values, not copies of them."""
        for row in rows:
            self._watched[row.row] = row

    def update(self, row: LedgerRow) -> None:
        """Have a message's row written."""
        if row.row not in self._messages:
            self._updates[row.row] = row

    def flush(self) -> frozenset[str]:
        """Write everything back; the channels that have something to send or to take back."""
        tx = self._turn.tx
        if self._messages:
            ledger_rows.insert(tx, self._messages.values())
        if self._updates:
            ledger_rows.update(tx, self._updates.values())
        self.outlay.flush()
        return frozenset(row.channel for row in self._messages.values() if row.due is not None) | self._taking_back
