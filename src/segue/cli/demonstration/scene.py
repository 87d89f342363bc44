"""What there is to see of a running Segue, gathered: counts from the store, decisions and messages as they come."""

from __future__ import annotations

import time
from collections import Counter, deque
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from segue.api import Instant, from_datetime
from segue.cli.demonstration.mailbox import Letter
from segue.clock.clock import Clock
from segue.runtime.running import DecisionLine
from segue.store.database import Transaction
from segue.store.positions import (
    Assigned,
    HandedOver,
    HeldOut,
    Position,
    count_assigned,
    count_handed_over,
    count_held_out,
    count_positions,
    list_worth,
)
from segue.store.sweeps import RuleCount, count_rules, exits

KEPT: Final = 60
"""How many of the latest messages and decisions are kept."""
RATE_OVER: Final = 5.0
"""Wall seconds over which rates are measured."""


_SUMMED: Final = tuple(field.name for field in msgspec.structs.fields(RuleCount) if field.name != "rule")
PAST: Final = ("the event was too old on arrival", "its moment was missed by too much")
"""Why the past, as it is told at the opening, begins nothing: that happens hundreds of times, and is no news."""


class Counts(msgspec.Struct, frozen=True):
    """One consistent look at the store. ``endings`` are (rule, what, reason, how many); ``worth`` is by rule and
    currency."""

    rules: tuple[RuleCount, ...] = ()
    positions: tuple[Position, ...] = ()
    handed_over: tuple[HandedOver, ...] = ()
    endings: tuple[tuple[str, str, str, int], ...] = ()
    worth: dict[str, dict[str, Decimal]] = {}
    held_out: tuple[HeldOut, ...] = ()
    assigned: tuple[Assigned, ...] = ()

    def of(self, rule: str) -> RuleCount:
        """The counts of one rule."""
        for count in self.rules:
            if count.rule == rule:
                return count
        return RuleCount(rule, 0, 0, 0, 0, 0)

    def held_out_of(self, rule: str) -> HeldOut:
        """Who is held out of one rule."""
        return next((one for one in self.held_out if one.rule == rule), HeldOut(rule, 0, 0))

    def reasons(self, what: str, rule: str = "") -> dict[str, int]:
        """Why something (``skipped``, ``deferred``, ``exited``) happened, of one rule or of all, the most frequent
        reason first; the past that was told at the opening is left out."""
        sums: Counter[str] = Counter()
        for name, which, reason, n in self.endings:
            if which == what and rule in ("", name) and reason not in PAST:
                sums[reason] += n
        return dict(sums.most_common())

    @property
    def all(self) -> RuleCount:
        """All rules together."""
        sums = {field: sum(getattr(one, field) for one in self.rules) for field in _SUMMED}
        return RuleCount("", **sums)


def look(tx: Transaction) -> Counts:
    """Read everything that the picture shows, in one transaction."""
    worth: dict[str, dict[str, Decimal]] = {}
    for rule, text in list_worth(tx):
        amount, _, currency = text.partition(" ")
        try:
            sums = worth.setdefault(rule, {})
            sums[currency] = sums.get(currency, Decimal()) + Decimal(amount)
        except InvalidOperation:
            continue  # an order whose total was no number is worth nothing that could be added
    return Counts(
        tuple(count_rules(tx)),
        tuple(count_positions(tx)),
        tuple(count_handed_over(tx)),
        tuple(exits(tx)),
        worth,
        tuple(count_held_out(tx)),
        tuple(count_assigned(tx)),
    )


class Arrival(msgspec.Struct, frozen=True):
    """A message, the virtual moment at which it went out, and the wall second at which it was seen."""

    letter: Letter
    at: Instant
    seen: float


class Judged(msgspec.Struct, frozen=True):
    """A decision, and the wall second at which it was heard of."""

    line: DecisionLine
    seen: float


class Scene:
    """The latest of everything. Filled by the demo's tasks, read by the picture; all on one loop."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.began = clock.look()
        self.started = time.monotonic()
        self.counts = Counts()
        self.letters: deque[Arrival] = deque(maxlen=KEPT)
        self.decisions: deque[Judged] = deque(maxlen=KEPT)
        self.messages = 0
        self.by_channel: Counter[str] = Counter()
        self.heard = 0
        self.events = 0
        self.known = ("", "")
        """A customer and a rule of whom `segue why` has much to tell: a journey that has ended, with messages."""
        self._written: Counter[tuple[str, str]] = Counter()
        self._marks: deque[tuple[float, int, int]] = deque()

    @property
    def now(self) -> Instant:
        """The present of the demo's clock."""
        return self.clock.look()

    def hear(self, line: DecisionLine) -> None:
        """A decision was made."""
        if line.reason in PAST:
            return
        self.heard += 1
        self.decisions.append(Judged(line, time.monotonic()))
        if line.decision == "sent":
            self._written[line.customer, line.rule] += 1
        elif line.decision in ("exited", "finished"):
            told = self._written[line.customer, line.rule]
            if told and told >= self._written[self.known]:
                self.known = (line.customer, line.rule)

    def receive(self, letter: Letter) -> None:
        """A message came into the mailbox. That one was taken back is told by a decision."""
        if letter.retracted:
            return
        self.messages += 1
        self.by_channel[letter.channel] += 1
        self.letters.append(Arrival(letter, shown(self.clock, letter.at), time.monotonic()))

    def mark(self, events: int) -> None:
        """Note how many events were committed so far, for the rates."""
        self.events = events
        present = time.monotonic()
        self._marks.append((present, events, self.messages))
        while present - self._marks[0][0] > RATE_OVER:
            self._marks.popleft()

    @property
    def rates(self) -> tuple[float, float]:
        """Events and messages a second, of late."""
        if len(self._marks) < 2:
            return 0.0, 0.0
        (then, events, messages), (now, events_now, messages_now) = self._marks[0], self._marks[-1]
        elapsed = max(now - then, 0.001)
        return (events_now - events) / elapsed, (messages_now - messages) / elapsed


def shown(clock: Clock, written: str) -> Instant:
    """What the compressed clock showed at a wall moment (RFC 3339)."""
    wall = from_datetime(datetime.fromisoformat(written))
    return Instant(clock.shown + int((wall - clock.real) * clock.speed))
