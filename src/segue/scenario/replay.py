"""Replay: recorded arrivals through the real store and the real loops, in virtual time, to the end of the last wait.

There is no second implementation here, only another order of calls: the next moment is the earliest of the next
arrival, of what comes by time (segments, dates, the calendar, waits) and of the next claim or answer on record. At one
instant arrivals come first, then what comes by time, then sends. Answers that are not on record are ``Sent``, at once.
Pools of coupons are not known here: every message gets a code made up from the pool and its journey.

A calendar has no end and a record does: what recurs begins journeys up to the last arrival (or up to ``until``), live
segments are watched for a year after it, and dates of customers and broadcasts are waited for however far they are.
"""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

import msgspec

from segue.api import Answer, Event, Instant, Report, Sent
from segue.delivery.ledger import LedgerRow, MessageState
from segue.engine.journey import mint
from segue.messages.catalogue import Catalogue
from segue.runtime.dispatch import Claim, Outcome, claim, report, settle
from segue.runtime.due import end_recurrence, next_due, pass_time
from segue.runtime.ingest import ingest
from segue.runtime.running import DecisionLine, Running, with_content
from segue.runtime.sweeping import Chore, chores, sweep
from segue.runtime.turn import Done
from segue.store import ledger as ledger_rows
from segue.store.database import Store, Transaction

_ALL = 1_000_000_000
_PIECE = 1000


class Arrival(msgspec.Struct, frozen=True):
    """An event on record, and when it arrived."""

    event: Event
    received: Instant


class RecordedAnswer(msgspec.Struct, frozen=True):
    """What a channel answered: when the message was claimed (None: it never was), when the answer came, and the answer
    (None: the claim was refused). ``withdrawn``: the answer was that nobody knows, and before the next try, at this
    moment, the journey ended. ``deferred`` are the moments at which the contact policy held it back, ``retracted`` when
    the channel answered for good to taking it back, and ``retraction`` what. ``coded``: no pool that it needed a code
    of was empty."""

    key: str
    claimed: Instant | None
    answered: Instant | None = None
    answer: Answer | None = None
    withdrawn: Instant | None = None
    deferred: tuple[Instant, ...] = ()
    retracted: Instant | None = None
    retraction: Answer | None = None
    coded: bool = True


class RecordedReport(msgspec.Struct, frozen=True):
    """A provider's report, and when it arrived."""

    channel: str
    report: Report
    received: Instant


class Record(msgspec.Struct, frozen=True):
    """What is known of channels from the record: nothing, for plain recorded events."""

    answers: Mapping[str, RecordedAnswer] = {}
    reports: tuple[RecordedReport, ...] = ()


class Progress(msgspec.Struct, frozen=True):
    """How far a replay is: arrivals taken, and the virtual moment."""

    arrivals: int
    moment: Instant


def _take(_claimed: Claim, _moment: Instant) -> Answer:
    return Sent()


class Replay:
    """One replay over a store of its own. `run` gives the decisions in the order in which they are made."""

    def __init__(
        self,
        store: Store,
        running: Running,
        content: Catalogue,
        record: Record | None = None,
        answer: Callable[[Claim, Instant], Answer] = _take,
    ) -> None:
        """``answer`` is what channels say, at once, to messages that are not on record."""
        self._content = content
        self._take_up(running)
        self._store = store
        self._record = record or Record()
        self._usual = answer
        self._moments: list[tuple[Instant, int]] = sorted(
            (moment, number)
            for number, answer in enumerate(self._record.answers.values())
            for moment in (answer.claimed, answer.withdrawn, answer.retracted, *answer.deferred)
            if moment is not None
        )
        self._answers: list[tuple[Instant, int, Outcome]] = []
        self._reports = sorted(self._record.reports, key=lambda one: one.received)
        self._lines: list[DecisionLine] = []
        self._wakes: Instant | None = None
        self._channels: set[str] = set()
        self.arrivals = 0
        self.moment = Instant(0)

    def run(
        self,
        arrivals: Iterable[Arrival],
        until: Instant | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> Iterator[DecisionLine]:
        """Decide everything; stops before ``until`` where that is given. Arrivals come in the order of ``received``."""
        source = iter(arrivals)
        upcoming = next(source, None)
        self._wakes = self._store.apply(lambda tx: next_due(tx, self.running))
        while True:
            if upcoming is None and until is None and self.running.recurs_until is None:
                self._end_recurrence()
            moment = self._next_moment(upcoming)
            if moment is None or (until is not None and moment >= until):
                return
            self.moment = moment
            batch: list[Event] = []
            while upcoming is not None and upcoming.received <= moment and len(batch) < _PIECE:
                batch.append(upcoming.event)
                upcoming = next(source, None)
            self._at(moment, batch)
            yield from self._lines
            self._lines.clear()
            if progress is not None:
                progress(Progress(self.arrivals, moment))

    def hear(self, heard: RecordedReport) -> None:
        """Have a report arrive that is not on record; the next `run` begins with it where it has arrived by then."""
        bisect.insort(self._reports, heard, key=lambda one: one.received)

    def edit(self, running: Running, now: Instant) -> list[DecisionLine]:
        """Another book was published at a moment, up to which this replay has run: do what that leaves to do, and go on
        by it. Gives what is decided at once."""
        self.moment = now
        self._take_up(running)
        for chore in self._store.apply(lambda tx: chores(tx, running)):
            left: Chore | None = chore
            while left is not None:
                swept = self._store.apply(partial(sweep, running=self.running, chore=left, now=now))
                self._note(swept.done)
                left = swept.left
        self._at(now, [])
        lines, self._lines = self._lines, []
        return lines

    def _take_up(self, running: Running) -> None:
        running = with_content(running, self._content)
        # a call that was cut off is on record with its outcome: nothing is tried again here
        channels = {name: msgspec.structs.replace(spec, unknown="hold") for name, spec in running.channels.items()}
        self.running = msgspec.structs.replace(running, channels=channels)
        self._trying_again = running

    def _end_recurrence(self) -> None:
        """The last event has arrived: what would come again and again does so no more."""
        self.running, self._trying_again = (
            msgspec.structs.replace(one, recurs_until=self.moment) for one in (self.running, self._trying_again)
        )
        self._wakes = self._store.apply(lambda tx: end_recurrence(tx, self.running))

    def _next_moment(self, upcoming: Arrival | None) -> Instant | None:
        moments = [self._wakes] if self._wakes is not None else []
        if upcoming is not None:
            moments.append(upcoming.received)
        if self._moments:
            moments.append(self._moments[0][0])
        if self._answers:
            moments.append(self._answers[0][0])
        if self._reports:
            moments.append(self._reports[0].received)
        return max(self.moment, min(moments)) if moments else None

    def _at(self, moment: Instant, batch: list[Event]) -> None:
        """Everything that happens at one moment."""
        if batch:
            self.arrivals += len(batch)
            self._note(self._store.apply(lambda tx: ingest(tx, self.running, batch, moment)).done)
        while self._reports and self._reports[0].received <= moment:
            one = self._reports.pop(0)
            self._note(
                self._store.apply(
                    partial(report, running=self.running, channel=one.channel, reports=[one.report], now=moment)
                )
            )
        while self._answers and self._answers[0][0] <= moment:
            _, _, outcome = heapq.heappop(self._answers)
            self._note(self._store.apply(partial(settle, running=self.running, outcomes=[outcome], now=moment)))
        while self._wakes is not None and self._wakes <= moment:
            woke = self._store.apply(lambda tx: pass_time(tx, self.running, moment, _PIECE))
            self._lines.extend(woke.done.lines)
            self._channels |= woke.done.channels
            self._wakes = woke.next_due
        recorded = False
        while self._moments and self._moments[0][0] <= moment:
            heapq.heappop(self._moments)
            recorded = True
        if recorded:
            self._channels |= set(self._store.apply(ledger_rows.due_channels))
        self._send(moment)

    def _note(self, done: Done) -> None:
        self._lines.extend(done.lines)
        self._channels |= done.channels
        if done.due is not None and (self._wakes is None or done.due < self._wakes):
            self._wakes = done.due

    def _send(self, moment: Instant) -> None:
        """Claim and answer until nothing more may go at this moment."""
        answers = self._record.answers

        def may(row: LedgerRow) -> bool:
            known = answers.get(row.key)
            if known is None:
                return True
            if row.state is MessageState.RETRACTING:
                look = known.retracted
            elif len(row.held) < len(known.deferred):
                look = known.deferred[len(row.held)]
            else:
                look = known.claimed if row.attempts == 0 or known.withdrawn is None else known.withdrawn
            return look is not None and look <= moment

        while self._channels:
            channel = min(self._channels)
            limit = _ALL if answers else _PIECE
            claims = self._store.apply(
                partial(
                    claim,
                    running=self.running,
                    content=self._content,
                    channel=channel,
                    now=moment,
                    limit=limit,
                    may=may,
                    take=self._make_up_code,
                )
            )
            self._note(claims.done)
            if claims.seen == 0:
                self._channels.discard(channel)
                if claims.next_due is not None and claims.next_due > moment:
                    self._look_again(claims.next_due)
                continue
            at_once: list[Outcome] = []
            again: list[Outcome] = []
            for each in claims.claims:
                known = answers.get(each.key)
                if (outcome := self._answer(each, moment)) is not None:
                    (again if known is not None and known.withdrawn is not None else at_once).append(outcome)
            for each in claims.retractions:
                known = answers.get(each.key)
                answer = known.retraction if known is not None else None
                at_once.append(Outcome(each.row, answer or Sent(), retraction=True))
            for running, outcomes in ((self.running, at_once), (self._trying_again, again)):
                if outcomes:
                    self._note(self._store.apply(partial(settle, running=running, outcomes=outcomes, now=moment)))

    def _make_up_code(self, tx: Transaction, pool: str, message: LedgerRow, now: Instant) -> str | None:
        """The code that a message gets: one for each journey and pool. None where the record says that there was
        none."""
        known = self._record.answers.get(message.key)
        return mint("coupon", pool, message.journey)[:8].upper() if known is None or known.coded else None

    def _answer(self, claimed: Claim, moment: Instant) -> Outcome | None:
        """The answer to give now; None where the record says that it came later."""
        known = self._record.answers.get(claimed.key)
        if known is None:
            return Outcome(claimed.row, self._usual(claimed, moment))
        if known.answer is None or known.answered is None:
            return None  # the record ends while the call was under way
        outcome = Outcome(claimed.row, known.answer)
        if known.answered <= moment:
            return outcome
        heapq.heappush(self._answers, (known.answered, claimed.row, outcome))
        return None

    def _look_again(self, moment: Instant) -> None:
        """A message waits for a moment of its own (a report that is waited for)."""
        heapq.heappush(self._moments, (moment, -1))
