"""A span of virtual time in one transaction: many moments, one turn.

What is due by the end of the span is brought at its beginning; what begins within the span and is due within it joins
the agenda. So each moment is decided with everything before it decided, as if it had a transaction of its own, and a
span ends where its end is not known well enough: where more is due than fits, where the calendar lets customers enter,
where the arrivals at hand run out. Where it ends changes nothing.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final

from segue.api import Instant, Sent
from segue.customers.suppression import STOPPED, Suppression
from segue.delivery.dead_letters import sort_of
from segue.delivery.ledger import LedgerRow, MessageState
from segue.runtime.dispatch import Outcome, look_at, take_outcome, take_report
from segue.runtime.fan_out import let_enter
from segue.runtime.ingest import Intake
from segue.runtime.reaching import look_again
from segue.runtime.running import DecisionLine
from segue.runtime.turn import Turn
from segue.runtime.wake import end_wait
from segue.store import carts as cart_rows
from segue.store import journeys as journey_rows
from segue.store import lookouts as lookout_rows
from segue.store import schedules as schedule_rows
from segue.store.customers import find_seen, hash_id
from segue.store.database import Transaction

if TYPE_CHECKING:
    from segue.scenario.replay import Replay

_END: Final = Instant(2**63 - 1)
_MOST_DUE: Final = 2000
"""Looks, and waits, that one span brings."""
_MOST_NEW: Final = 5000
"""Customers that a span brings into memory beside those it began with, before it ends."""
_MOMENTS: Final = 4
"""Moments, at most, of a span for each arrival that it may take."""
_ROUND: Final = 1000
"""Messages that are claimed before their answers are noted."""

_CART: Final = -1
_LOOK: Final = 0
_WAIT: Final = 2


class Span:
    """One span of a replay. `run` decides it; ``lines`` are its decisions then."""

    def __init__(self, replay: Replay, tx: Transaction) -> None:
        self._replay = replay
        self._tx = tx
        self._running = replay.running
        self._arrivals = replay.upcoming
        self._turn = Turn(tx, self._running, replay.moment)
        self._intake = Intake(self._turn, recorded=True)
        self._agenda: list[tuple[Instant, int, int, int, str]] = []
        self._beyond: Instant | None = None
        self._calendar: Instant | None = None
        self._done = 0
        self.lines: list[DecisionLine] = self._turn.lines
        self._bring()

    def _bring(self) -> None:
        """Bring what is due by the last arrival at hand, by the end of time where no more arrive, and never what the
        replay does not come to."""
        tx, turn, running = self._tx, self._turn, self._running
        end = _END if self._replay.complete else self._arrivals[-1].received
        if self._replay.until is not None:
            end = min(end, self._replay.until)
        looks = self._load_looks(end) if running.beginnings.watched else []
        waits = journey_rows.load_due_places(tx, end, _MOST_DUE + 1)
        entries = [(due, _LOOK, customer, customer, subject) for due, subject, customer in looks]
        entries += [(due, _WAIT, journey, customer, "") for due, journey, customer in waits]
        carts = cart_rows.load_due(tx, end, _MOST_DUE + 1) if running.carts else []
        entries += [(due, _CART, customer, customer, "") for due, customer in carts]
        self._beyond = min((found[-1][0] for found in (looks, waits, carts) if len(found) > _MOST_DUE), default=None)
        if self._beyond is not None:
            end = Instant(min(end, self._beyond - 1))
            before = [entry for entry in entries if entry[0] <= end]
            if not before:  # a crowd at one moment: of what comes first there, as much as fits
                kind = min(entry[1] for entry in entries if entry[0] == self._beyond)
                before = [entry for entry in entries if entry[0] == self._beyond and entry[1] == kind][:_MOST_DUE]
            entries = before
        turn.horizon = end
        entries.sort()
        self._agenda = entries  # sorted, so it is a heap
        if running.beginnings.schedules:
            self._calendar = schedule_rows.next_due(tx)
        coming = [one.event for one in self._arrivals]
        turn.load([entry[3] for entry in entries])
        self._intake.expect(coming)
        live = (turn.people[entry[3]].journeys or {} for entry in entries)
        turn.load_ahead(journey for journeys in live for journey in journeys.values())
        self._room = len(turn.people) + _MOST_NEW

    def _load_looks(self, end: Instant) -> list[tuple[Instant, str, int]]:
        """What is to be looked at; a subject that is being forgotten is not any more."""
        lookouts = self._turn.lookouts
        subjects = lookouts.subjects if lookouts is not None else {}
        while True:
            found = lookout_rows.load_due(self._tx, end, _MOST_DUE + 1)
            lost = [(subject, customer) for _, subject, customer in found if subject not in subjects]
            if not lost:
                return found
            lookout_rows.remove_lookouts(self._tx, lost)

    def run(self) -> bool:
        """Decide the span; False where nothing is left to decide."""
        replay = self._replay
        going_on = True
        while True:
            moment = self._next_moment()
            if moment is None or (replay.until is not None and moment >= replay.until):
                going_on = False
                break
            replay.moment = self._turn.now = moment
            if not self._at(moment):
                break
            self._done += 1
            if self._done >= replay.span * _MOMENTS or len(self._turn.people) >= self._room or replay.ends_recurrence:
                break
        self._intake.close()
        return going_on

    def _next_moment(self) -> Instant | None:
        replay = self._replay
        earliest = _END
        if self._arrivals:
            earliest = self._arrivals[0].received
        if self._agenda and self._agenda[0][0] < earliest:
            earliest = self._agenda[0][0]
        if replay.mail and replay.mail[0][0] < earliest:
            earliest = replay.mail[0][0]
        if replay.answers and replay.answers[0][0] < earliest:
            earliest = replay.answers[0][0]
        if replay.reports and replay.reports[0].received < earliest:
            earliest = replay.reports[0].received
        if replay.suppressions and replay.suppressions[0][0] < earliest:
            earliest = replay.suppressions[0][0]
        if replay.put_up and replay.put_up[0][0] < earliest:
            earliest = replay.put_up[0][0]
        if self._calendar is not None and self._calendar < earliest:
            earliest = self._calendar
        if self._beyond is not None and self._beyond < earliest:
            earliest = self._beyond
        return max(replay.moment, earliest) if earliest != _END else None

    def _at(self, moment: Instant) -> bool:
        """Everything that happens at one moment; False where the span has to end within it."""
        arrivals, replay = self._arrivals, self._replay
        while replay.suppressions and replay.suppressions[0][0] <= moment:
            self._suppress(replay.suppressions.popleft()[1], moment)
        while arrivals and arrivals[0].received <= moment:
            if len(arrivals) == 1 and not replay.complete:
                return False
            arrival = arrivals.popleft()
            self._intake.take(arrival.event, moment, imported=arrival.imported)
            replay.arrivals += 1
            self._note()
        while replay.reports and replay.reports[0].received <= moment:
            self._report(moment)
        while replay.answers and replay.answers[0][0] <= moment:
            _, _, outcome = heapq.heappop(replay.answers)
            self._take_outcome(outcome, moment)
        while replay.put_up and replay.put_up[0][0] <= moment:
            self._put_up_again(*replay.put_up.popleft())
        return self._pass_time(moment) and self._send(moment)

    def _suppress(self, one: Suppression, moment: Instant) -> None:
        """An address is suppressed that no message showed to be dead; or no more."""
        if one.lifted is not None:
            self._turn.suppressions.lift(one.sort, one.address, one.lifted, one.reason, one.channel)
        elif not self._turn.suppressions.add(one) or one.reason == STOPPED:
            return  # it was so; or whoever has the number has an event of their own for it
        look_again(self._turn, one.sort, one.address, moment)

    def _note(self) -> None:
        """Put on the agenda what the turn found to be due within the span."""
        turn = self._turn
        if turn.overdue:
            for due, customer, journey in turn.overdue:
                heapq.heappush(self._agenda, (due, _WAIT, journey.row, customer, ""))
            turn.overdue.clear()
        if turn.outgoing.moved:
            for row in turn.outgoing.moved:
                self._replay.post(row)
            turn.outgoing.moved.clear()
        if turn.lookouts is not None and turn.lookouts.moved:
            for due, customer, subject in turn.lookouts.moved:
                heapq.heappush(self._agenda, (due, _LOOK, customer, customer, subject))
            turn.lookouts.moved.clear()
        if turn.carts is not None and turn.carts.moved:
            for due, customer in turn.carts.moved:
                heapq.heappush(self._agenda, (due, _CART, customer, customer, ""))
            turn.carts.moved.clear()
        if turn.calendar is not None:
            if self._calendar is None or turn.calendar < self._calendar:
                self._calendar = turn.calendar
            turn.calendar = None

    def _report(self, moment: Instant) -> None:
        one = self._replay.reports.popleft()
        name = f"report:{one.channel}:{one.report.id}"
        row = self._turn.outgoing.find_claimed(key=one.report.key, channel=one.channel, receipt=one.report.receipt)
        if row is None or name in self._replay.reported or find_seen(self._tx, (hash_id(name),)):
            return
        self._replay.reported.add(name)
        take_report(self._turn, name, one.report, row, moment)
        self._note()

    def _put_up_again(self, at: Instant, key: str, who: str) -> None:
        """Somebody has a dead letter tried again. Under other rules it may be none."""
        row = self._turn.outgoing.find_by_key(key)
        if row is not None and sort_of(row) is not None:
            self._turn.outgoing.put_up_again(row, at, who)
            self._note()

    def _take_outcome(self, outcome: Outcome, moment: Instant) -> None:
        row = self._turn.outgoing.find(outcome.row)
        if row is not None:
            repeated = not outcome.retraction and self._replay.is_repeated(row)
            take_outcome(self._turn, row, outcome, moment, hold=not repeated)
            self._note()

    # What comes by time

    def _pass_time(self, moment: Instant) -> bool:
        """At one moment carts are abandoned first, then customers go into and out of segments, then the calendar lets
        some enter, then waits end."""
        turn, agenda = self._turn, self._agenda
        while True:
            first = agenda[0] if agenda and agenda[0][0] <= moment else None
            if first is None and self._beyond is not None and self._beyond <= moment:
                return False
            calendar = self._calendar
            if calendar is not None and calendar <= moment and (first is None or (calendar, 1) < first[:2]):
                self._let_enter()
                return False
            if first is None:
                return True
            due, kind, number, customer, _ = heapq.heappop(agenda)
            if customer in turn.lost:
                continue
            person = turn.person(customer)
            if kind != _WAIT:
                turn.advance(person, Instant(due + 1))
            else:
                end_wait(turn, person, turn.find_journey(person, number), due)
            self._note()

    def _let_enter(self) -> None:
        """A piece of those whom the calendar lets enter: chosen in the store, where everyone has to be."""
        self._intake.close()
        entering = Turn(self._tx, self._running, self._turn.now)
        let_enter(entering)
        self.lines.extend(entering.lines)
        for row in entering.outgoing.moved:
            self._replay.post(row)

    # Messages

    def _send(self, moment: Instant) -> bool:
        """Claim and answer until nothing more may go at this moment: one channel after the other, in the order of their
        names."""
        replay = self._replay
        mail = replay.mail
        ready: dict[str, list[tuple[Instant, int]]] = {}
        while True:
            while mail and mail[0][0] <= moment:
                due, channel, number = heapq.heappop(mail)
                ready.setdefault(channel, []).append((due, number))
            if not ready:
                return True
            if len(self._turn.people) >= self._room:
                for channel, entries in ready.items():
                    for due, number in entries:
                        heapq.heappush(mail, (due, channel, number))
                return False
            first = min(ready)
            entries = sorted(set(ready.pop(first)))
            if not replay.on_record and len(entries) > _ROUND:
                ready[first] = entries[_ROUND:]
                del entries[_ROUND:]
            self._claim(self._rows_of(entries, moment), moment)

    def _rows_of(self, entries: list[tuple[Instant, int]], moment: Instant) -> list[LedgerRow]:
        """The messages that are really to be looked at now, the one due earliest first."""
        replay, turn, outgoing = self._replay, self._turn, self._turn.outgoing
        outgoing.load([number for _, number in entries])
        rows = []
        for due, number in entries:
            row = outgoing.find(number)
            if row is not None and replay.when(row) == due:  # else it was moved on, or taken back
                rows.append(row)
        # As a channel's loop takes them: the record may have them looked at together long after they were due.
        rows.sort(key=lambda row: (row.due or moment, row.row))
        turn.load([row.customer for row in rows])
        outgoing.prepare(rows, moment)
        return rows

    def _claim(self, rows: list[LedgerRow], moment: Instant) -> None:
        replay = self._replay
        at_once: list[Outcome] = []
        for row in rows:
            taking_back = row.state is MessageState.RETRACTING
            claimed = look_at(self._turn, replay.content, row, moment, replay.make_up_code)
            self._note()
            if claimed is None:
                continue
            if taking_back:
                known = replay.known(row)
                answer = known.retraction if known is not None else None
                at_once.append(Outcome(row.row, answer or Sent(), retraction=True))
            elif (outcome := replay.answer(claimed, row, moment)) is not None:
                at_once.append(outcome)
        for outcome in at_once:
            self._take_outcome(outcome, moment)
