"""Two rule books over the same past: what would have been different.

Both are replayed, each over a store of its own that begins with the same customers. Journeys that had begun before the
past at hand are in neither. Messages are answered as they were where the same one was sent, and taken by their channels
where not.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from segue.api import Answer, Instant, Rejected, Unknown
from segue.api.values import DAY
from segue.customers.suppression import Suppression
from segue.delivery.dead_letters import UNKNOWN_OUTCOME
from segue.delivery.ledger import MessageState
from segue.language import model as m
from segue.messages.catalogue import Catalogue
from segue.program.calendar import local
from segue.runtime.publishing import Setting, publish, resume
from segue.runtime.running import DecisionLine, Running
from segue.runtime.sweeping import Chore, chores, sweep
from segue.scenario.record_writing import write_arrivals
from segue.scenario.recording import Decode, Recording
from segue.scenario.replay import Progress, Record, Replay
from segue.scenario.taking import Taking
from segue.store import books, history
from segue.store import ledger as ledger_rows
from segue.store.books import Changes
from segue.store.consent import list_said
from segue.store.database import Store, Transaction
from segue.store.seeding import Look, copy_past, first_arrival_since

_PIECE = 2000
_MILLION = 1_000_000


class Tally(msgspec.Struct):
    """What one book decided. ``counts`` are by day, rule, channel and decision (the channel is empty where no message
    is meant), ``costs`` by day, rule, channel and currency in millionths, ``reasons`` why messages were skipped, by
    rule and channel. Days are the project's."""

    counts: Counter[tuple[str, str, str, str]] = msgspec.field(default_factory=Counter)
    costs: Counter[tuple[str, str, str, str]] = msgspec.field(default_factory=Counter)
    reasons: Counter[tuple[str, str, str]] = msgspec.field(default_factory=Counter)

    def count(self, what: str, *, rule: str | None = None, channel: str | None = None, day: str | None = None) -> int:
        """How many of a decision, of all or of these alone."""
        return sum(
            number
            for (on, of, by, decision), number in self.counts.items()
            if decision == what and rule in (None, of) and channel in (None, by) and day in (None, on)
        )

    def cost(
        self, *, rule: str | None = None, channel: str | None = None, day: str | None = None
    ) -> dict[str, Decimal]:
        """What it cost by currency, of all or of these alone."""
        total: dict[str, Decimal] = {}
        for (on, of, by, currency), amount in self.costs.items():
            if rule in (None, of) and channel in (None, by) and day in (None, on):
                total[currency] = total.get(currency, Decimal(0)) + Decimal(amount) / _MILLION
        return total


class Trial(msgspec.Struct, frozen=True):
    """Both books over one past: of how many days, from when to when, with how many arrivals. ``customers`` are those
    that it began with."""

    days: float
    first: Instant
    last: Instant
    arrivals: int
    customers: int
    before: Tally
    after: Tally

    @property
    def day_names(self) -> list[str]:
        """The days on which either book decided something, in order."""
        return sorted({place[0] for tally in (self.before, self.after) for place in tally.counts})

    @property
    def channels(self) -> list[str]:
        """The channels on which either book decided something."""
        return sorted({place[2] for tally in (self.before, self.after) for place in tally.counts if place[2]})

    @property
    def rules(self) -> list[str]:
        """The rules that decided something in either book."""
        return sorted({place[1] for tally in (self.before, self.after) for place in tally.counts})

    def per_day(self, number: int | Decimal) -> float:
        """A difference of the whole past as one of a day."""
        return float(number) / self.days


class Past(msgspec.Struct, frozen=True):
    """Recorded arrivals to try books on. ``answers`` are those of channels that did not take a message, by its key;
    ``seed`` is the store that each trial begins with."""

    arrivals: Recording
    record: Record
    answers: Mapping[str, Answer]
    seed: Path | None
    customers: int = 0


Publish = Callable[[Transaction, Instant], object]
"""Publishes a book to a store, as of a moment."""

Telling = Callable[[str, Progress], None]
"""Is told how far a trial has come: which, and how far."""


def recorded_past(path: Path, decode: Decode) -> Past:
    """A file of recorded events as a past: nobody is known before. Raises OSError where it cannot be read."""
    recording = Recording(path, decode)
    answers = {
        known.key: known.answer
        for known in recording.record.answers.values()
        if isinstance(known.answer, Rejected | Unknown)
    }
    record = Record(reports=recording.record.reports, suppressions=recording.record.suppressions)
    return Past(recording, record, answers, None)


def stored_past(
    look: Look, since: Instant, names: Iterable[str], folder: Path, decode: Decode, *, everyone: bool
) -> Past:
    """What arrived at a store since a moment, copied to files in a folder. ``names`` are the events whose history a
    book reads; ``everyone``: also customers who have not arrived since, for time alone may let them enter."""
    with look() as tx:
        first = first_arrival_since(tx, since)
    arrivals = folder / "arrivals.jsonl"
    after: int = first - 1
    with arrivals.open("wb") as lines:
        while True:
            with look() as tx:
                last, written = write_arrivals(tx, after, _PIECE)
            lines.writelines(line + b"\n" for line in written)
            if not last:
                break
            after = last
    seed = folder / "seed.db"
    store = Store(seed, durable=False)
    try:
        customers = copy_past(look, store, first, set(names), everyone=everyone)
    finally:
        store.close()
    recording = Recording(arrivals, decode)
    record = Record(reports=recording.record.reports, suppressions=tuple(_suppressions(look)))
    return Past(recording, record, _answers(look, since), seed, customers)


def _suppressions(look: Look) -> Iterator[Suppression]:
    """Whatever is known of dead and suppressed addresses: messages of the past at hand need not have shown it."""
    after = 0
    while True:
        with look() as tx:
            found = list_said(tx, after, _PIECE, shown=True)
        if not found:
            return
        after = found[-1][0]
        yield from (msgspec.structs.replace(one, message=None) for _, one in found)


def _answers(look: Look, since: Instant) -> dict[str, Answer]:
    """What channels said of messages that they did not take."""
    answers: dict[str, Answer] = {}
    with look() as tx:
        after = history.last_message_before(tx, since)
    while True:
        with look() as tx:
            messages = history.load_messages_after(tx, after, _PIECE)
        if not messages:
            return answers
        after = messages[-1].row
        for message in messages:
            if message.state is MessageState.FAILED:
                answers[message.key] = Rejected(message.reason)
            elif message.state is MessageState.UNKNOWN:
                answers[message.key] = Unknown(message.reason.removeprefix(UNKNOWN_OUTCOME))


def try_both(
    past: Past,
    setting: Setting,
    content: Catalogue,
    before: Publish | None,
    after: Publish,
    folder: Path,
    tell: Telling | None = None,
) -> Trial:
    """Replay both books over a past; ``before`` None: nothing ran."""
    first, last = past.arrivals.first, past.arrivals.last
    tallies = [
        _try(past, setting, content, book, folder / f"{name}.db", name, tell) if book is not None else Tally()
        for name, book in (("before", before), ("after", after))
    ]
    days = max((last - first) / DAY, 1.0)
    return Trial(days, first, last, len(past.arrivals), past.customers, *tallies)


def _try(
    past: Past, setting: Setting, content: Catalogue, book: Publish, path: Path, name: str, tell: Telling | None
) -> Tally:
    if past.seed is not None:
        shutil.copyfile(past.seed, path)
    store = Store(path, durable=False)
    try:
        moment = Instant(past.arrivals.first - 1)
        running = store.apply(lambda tx: _prepare(tx, setting, book, moment))
        _look_at_everyone(store, running, moment)
        take = Taking(running)
        replay = Replay(
            store, running, content, past.record, lambda claim, at: past.answers.get(claim.key) or take(claim, at)
        )
        tally = Tally()
        for line in replay.run(past.arrivals.arrivals(), progress=partial(tell, name) if tell is not None else None):
            _count(tally, line, running)
        _add_costs(tally, store, running)
        return tally
    finally:
        store.close()


def _prepare(tx: Transaction, setting: Setting, book: Publish, moment: Instant) -> Running:
    book(tx, moment)
    running = resume(tx, setting)
    assert running is not None
    return running


def _look_at_everyone(store: Store, running: Running, moment: Instant) -> None:
    """Who is a member of a segment as the past begins does not enter it then."""
    for chore in store.apply(lambda tx: chores(tx, running)):
        left: Chore | None = chore
        while left is not None:
            left = store.apply(partial(sweep, running=running, chore=left, now=moment)).left


_COUNTED: Final = {"entered", "sent", "skipped", "ignored", "undelivered", "converted", "exited", "finished", "failed"}


def _count(tally: Tally, line: DecisionLine, running: Running) -> None:
    if line.decision not in _COUNTED:
        return
    day = local(line.at, running.zone).date().isoformat()
    tally.counts[day, line.rule, line.channel, line.decision] += 1
    if line.decision == "skipped":
        tally.reasons[line.rule, line.channel, _in_short(line.reason)] += 1


def _in_short(reason: str) -> str:
    """A reason without the moments and figures of one customer behind it."""
    return reason.split(", ", maxsplit=1)[0]


def _add_costs(tally: Tally, store: Store, running: Running) -> None:
    after = 0
    while True:
        rows = store.apply(partial(ledger_rows.load_costs, after=after, limit=_PIECE * 10))
        if not rows:
            return
        for _, rule, channel, claimed, amount, currency in rows:
            tally.costs[local(claimed, running.zone).date().isoformat(), rule, channel, currency] += amount
        after = rows[-1][0]


def published_book(look: Look) -> Publish | None:
    """The book that runs in a store, to be published to another; None before the first publication."""
    with look() as tx:
        words, current, bodies = books.load_words(tx), books.load_book(tx), books.load_programs(tx)
    if words is None:
        return None
    rules = {content: rule for rule, content in current.items()}
    programs = [(content, rules[content], body) for content, body in bodies.items() if content in rules]

    def put(tx: Transaction, moment: Instant) -> None:
        books.put_programs(tx, programs)
        books.put_book(tx, current, words, moment, "segue plan", {}, Changes())

    return put


def checked_book(book: m.Book) -> Publish:
    """A checked book, to be published."""
    return lambda tx, moment: publish(tx, book, moment, "segue plan")
