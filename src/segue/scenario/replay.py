"""Replay: recorded arrivals through the real store and the real loops, in virtual time, to the end of the last wait.

There is no second implementation here, only another order of calls: the next moment is the earliest of the next
arrival, of what comes by time (segments, dates, the calendar, waits) and of the next claim or answer on record. At one
instant arrivals come first, then what comes by time, then sends. Answers that are not on record are ``Sent``, at once.
Pools of coupons are not known here: every message gets a code made up from the pool and its journey. Many moments share
a transaction: see `segue.scenario.span`.

A calendar has no end and a record does: what recurs begins journeys up to the last arrival (or up to ``until``), live
segments are watched for a year after it, and dates of customers and broadcasts are waited for however far they are.
"""

from __future__ import annotations

import bisect
import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

import msgspec

from segue.api import Answer, Event, Instant, Report, Retry, Unknown
from segue.customers.suppression import Suppression
from segue.delivery.ledger import Attempt, LedgerRow, MessageState
from segue.engine.journey import mint
from segue.messages.catalogue import Catalogue
from segue.runtime.dispatch import Claim, Outcome
from segue.runtime.due import end_recurrence
from segue.runtime.running import DecisionLine, Running, with_content
from segue.runtime.sweeping import Chore, chores, sweep
from segue.scenario.span import Span
from segue.scenario.taking import Taking
from segue.store import history
from segue.store import ledger as ledger_rows
from segue.store.database import Store, Transaction

SPAN = 1000
"""Arrivals and moments in one transaction, at most about."""


class Arrival(msgspec.Struct, frozen=True):
    """An event on record, and when it arrived. One that was ``imported`` began no journey."""

    event: Event
    received: Instant
    imported: bool = False


class RecordedAnswer(msgspec.Struct, frozen=True):
    """What a channel answered: when the message was claimed (None: it never was), when the answer came, and the answer
    (None: the claim was refused). ``deferred`` are the moments at which the contact policy held it back, ``retracted``
    when the channel answered for good to taking it back, and ``retraction`` what. ``coded``: no pool that it needed a
    code of was empty. ``attempts`` are the calls before that came to nothing. ``again``: a dead letter was put up
    again, and what became of it then."""

    key: str
    claimed: Instant | None
    answered: Instant | None = None
    answer: Answer | None = None
    deferred: tuple[Instant, ...] = ()
    retracted: Instant | None = None
    retraction: Answer | None = None
    coded: bool = True
    attempts: tuple[Attempt, ...] = ()
    again: tuple[RecordedAgain, ...] = ()


class RecordedAgain(msgspec.Struct, frozen=True):
    """A dead letter was put up again: when, by whom, and what became of it from then on."""

    at: Instant
    who: str
    answer: RecordedAnswer


class RecordedReport(msgspec.Struct, frozen=True):
    """A provider's report, and when it arrived."""

    channel: str
    report: Report
    received: Instant


class Record(msgspec.Struct, frozen=True):
    """What is known of channels from the record: nothing, for plain recorded events. ``suppressions`` are those that no
    message showed, also such as were lifted since."""

    answers: Mapping[str, RecordedAnswer] = {}
    reports: tuple[RecordedReport, ...] = ()
    suppressions: tuple[Suppression, ...] = ()


class Progress(msgspec.Struct, frozen=True):
    """How far a replay is: arrivals taken, and the virtual moment."""

    arrivals: int
    moment: Instant


class Replay:
    """One replay over a store of its own. `run` gives the decisions in the order in which they are made.

    For its spans: ``upcoming`` are the arrivals at hand, ``complete`` that no more follow; ``mail`` the messages that
    wait to be looked at (when, channel, number); ``answers`` what channels are yet to say of claims, ``reports`` what
    providers are yet to say, ``suppressions`` what is yet to be suppressed or, with ``lifted``, to be so no more;
    ``put_up`` the dead letters that are yet to be put up again (when, key, by whom);
    ``moment`` is the latest that was reached, ``arrivals`` how many there were.
    """

    def __init__(
        self,
        store: Store,
        running: Running,
        content: Catalogue,
        record: Record | None = None,
        answer: Callable[[Claim, Instant], Answer] | None = None,
        *,
        span: int = SPAN,
    ) -> None:
        """``answer`` is what channels say, at once, to messages that are not on record; None: that they took them."""
        self.running = with_content(running, content)
        self.content = content
        self.span = span
        self._store = store
        self._record = record or Record()
        self._usual = answer if answer is not None else Taking(running)
        self._source: Iterator[Arrival] = iter(())
        self.upcoming: deque[Arrival] = deque()
        self.complete = False
        self.until: Instant | None = None
        self.mail: list[tuple[Instant, str, int]] = []
        self.answers: list[tuple[Instant, int, Outcome]] = []
        self.reports = deque(sorted(self._record.reports, key=lambda one: one.received))
        self.suppressions = deque(sorted(_changes(self._record.suppressions), key=lambda one: one[0]))
        self.put_up = deque(sorted(_put_up(self._record.answers), key=lambda one: one[0]))
        self.reported: set[str] = set()
        self.arrivals = 0
        self.moment = Instant(0)

    def run(
        self,
        arrivals: Iterable[Arrival],
        until: Instant | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> Iterator[DecisionLine]:
        """Decide everything; stops before ``until`` where that is given. Arrivals come in the order of ``received``."""
        self._source, self.until, self.complete = iter(arrivals), until, False
        self.upcoming.clear()
        self._store.apply(self._take_stock)
        going_on = True
        while going_on:
            self._read_ahead()
            if self.ends_recurrence:
                self._end_recurrence()
            going_on, lines = self._store.apply(self._decide_span)
            yield from lines
            if progress is not None:
                progress(Progress(self.arrivals, self.moment))

    def hear(self, heard: RecordedReport) -> None:
        """Have a report arrive that is not on record; the next `run` begins with it where it has arrived by then."""
        bisect.insort(self.reports, heard, key=lambda one: one.received)

    def edit(self, running: Running, now: Instant) -> list[DecisionLine]:
        """Another book was published at a moment, up to which this replay has run: do what that leaves to do, and go on
        by it. Gives what is decided at once."""
        self.moment, self.running = now, with_content(running, self.content)
        lines: list[DecisionLine] = []
        for chore in self._store.apply(lambda tx: chores(tx, self.running)):
            left: Chore | None = chore
            while left is not None:
                swept = self._store.apply(partial(sweep, running=self.running, chore=left, now=now))
                lines += swept.done.lines
                left = swept.left
        return [*lines, *self.run((), until=Instant(now + 1))]

    def _decide_span(self, tx: Transaction) -> tuple[bool, list[DecisionLine]]:
        span = Span(self, tx)
        going_on = span.run()
        return going_on, span.lines

    def _read_ahead(self) -> None:
        """Have at hand what a span may take, and one more: of the last one it is to be known that it is."""
        while not self.complete and len(self.upcoming) <= self.span:
            arrival = next(self._source, None)
            if arrival is None:
                self.complete = True
            else:
                self.upcoming.append(arrival)

    @property
    def ends_recurrence(self) -> bool:
        """Whether the last event has arrived: what would come again and again then does so no more."""
        return self.complete and not self.upcoming and self.until is None and self.running.recurs_until is None

    def _end_recurrence(self) -> None:
        self.running = msgspec.structs.replace(self.running, recurs_until=self.moment)
        self._store.apply(lambda tx: end_recurrence(tx, self.running))

    # Messages, and what is on record of them

    def _take_stock(self, tx: Transaction) -> None:
        """What the store knows already: up to where it came, and what waits to be looked at."""
        self.moment = max(self.moment, history.last_arrived(tx))
        self.mail.clear()
        for row in ledger_rows.select_messages(tx, "due is not null order by due, id", ()):
            self.post(row)

    def post(self, row: LedgerRow) -> None:
        """A message is to be looked at; where the record says when, then."""
        moment = self.when(row)
        if moment is not None:
            heapq.heappush(self.mail, (moment, row.channel, row.row))

    def when(self, row: LedgerRow) -> Instant | None:
        """When a message is to be looked at next; None where nothing is to be done, or the record ends before."""
        known = self.known(row) if self._record.answers else None
        if row.due is None or known is None:
            return row.due
        if row.state is MessageState.RETRACTING:
            look = known.retracted
        else:
            look = _next_call(known, _made(row))
            if len(row.held) < len(known.deferred):
                deferred = known.deferred[len(row.held)]
                look = min(look, deferred) if look is not None else deferred
        return max(row.due, look) if look is not None else None

    @property
    def on_record(self) -> bool:
        """Whether there is a record of what channels answered."""
        return bool(self._record.answers)

    def known(self, row: LedgerRow) -> RecordedAnswer | None:
        """What is on record of a message, since it was last put up again where it was."""
        known = self._record.answers.get(row.key)
        return known.again[len(row.again) - 1].answer if known is not None and row.again else known

    def make_up_code(self, _tx: Transaction, pool: str, message: LedgerRow, _now: Instant) -> str | None:
        """The code that a message gets: one for each journey and pool. None where the record says that there was
        none."""
        known = self.known(message)
        return mint("coupon", pool, message.journey)[:8].upper() if known is None or known.coded else None

    def answer(self, claimed: Claim, row: LedgerRow, moment: Instant) -> Outcome | None:
        """The answer to give now; None where the record says that it came later."""
        known = self.known(row)
        if known is None:
            return Outcome(claimed.row, self._usual(claimed, moment))
        answered, answer = known.answered, known.answer
        if (made := _made(row)) <= len(known.attempts):
            attempt = known.attempts[made - 1]
            answered = attempt.answered
            answer = Unknown(attempt.reason) if attempt.unknown else Retry(attempt.reason, after=attempt.after)
        if answer is None or answered is None:
            return None  # the record ends while the call was under way
        outcome = Outcome(claimed.row, answer)
        if answered <= moment:
            return outcome
        self.answer_later(answered, outcome)
        return None

    def is_repeated(self, row: LedgerRow) -> bool:
        """Whether the record says that the call of a message, which is under way, came to nothing and was repeated."""
        known = self.known(row)
        return known is not None and _made(row) <= len(known.attempts)

    def answer_later(self, moment: Instant, outcome: Outcome) -> None:
        """Have a channel's answer come at a moment."""
        heapq.heappush(self.answers, (moment, outcome.row, outcome))


def _made(row: LedgerRow) -> int:
    """How many calls were made of a message, since it was last put up again where it was."""
    return row.attempts - row.again[-1].attempts if row.again else row.attempts


def _put_up(answers: Mapping[str, RecordedAnswer]) -> Iterator[tuple[Instant, str, str]]:
    """When dead letters were put up again: their keys, and by whom."""
    return ((one.at, known.key, one.who) for known in answers.values() for one in known.again)


def _next_call(known: RecordedAnswer, made: int) -> Instant | None:
    """When a message is claimed of which so many calls were made."""
    if made < len(known.attempts):
        return known.attempts[made].claimed
    return known.claimed


def _changes(suppressions: Iterable[Suppression]) -> Iterator[tuple[Instant, Suppression]]:
    """When each of them begins, and when it was lifted."""
    for one in suppressions:
        yield one.received if one.received is not None else one.since, msgspec.structs.replace(one, lifted=None)
        if one.lifted is not None:
            yield one.lifted, one
