"""The values of the engine: a journey, what can happen to it, and what follows.

A message's key and a journey's id are hashes of what they stand for, never counters: a restart,
a replay or another machine mints the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Literal

import msgspec

from segue.api import Instant, Kind
from segue.program.facts import Reaction

State = Literal["inside", "finished", "exited", "failed"]
Settlement = Literal["sent", "skipped", "failed", "unknown"]
Decision = Literal[
    "entered",
    "ignored",
    "sent",
    "skipped",
    "deferred",
    "undelivered",
    "retracted",
    "converted",
    "finished",
    "exited",
    "failed",
]


def mint(*parts: object) -> str:
    """A stable 128-bit name, as 32 hexadecimal digits, of what the parts say together."""
    named = ""
    for part in parts:
        text = "" if part is None else str(part)
        named += f"{len(text)}:{text}"
    return blake2b(named.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class Sending(msgspec.Struct, array_like=True, frozen=True):
    """One message of a send under way, or one whose fallback may still be called on.

    ``step`` and ``visit`` say which send it belongs to, ``group`` and ``alternative`` which place in it; ``until`` is
    how long a report of a permanent failure still leads to the next alternative. ``step`` is -1 where an edit left no
    such send.
    """

    key: str
    step: int
    visit: int
    group: int
    alternative: int
    until: Instant
    settled: bool = False


class Trace(msgspec.Struct, array_like=True, frozen=True):
    """A step taken, for ``segue why``: when, which step, and what came of it (``yes``/``no`` of a branch,
    ``true``/``limit`` of a wait, the arm of a split, the turn of a `repeat`). ``was``: its words before an edit
    changed or removed it; then ``step`` is -1 where it is no more."""

    at: Instant
    step: int
    outcome: str = ""
    was: str = ""


class Choice(msgspec.Struct, array_like=True, frozen=True):
    """An arm taken. Where the split has a ``towards``: ``until`` is how long that counts,
    ``met`` when it was met."""

    split: str
    arm: str
    until: Instant | None = None
    met: Instant | None = None


class Journey(msgspec.Struct):
    """One customer's passage through one rule.

    ``row`` is the store's number for it, 0 until it is stored. ``order`` is the entering event's place in the order of
    arrival and ``trigger`` its fields, as JSON. ``step`` is the number of the step it is at, ``visit`` how many steps
    it has reached, ``since`` the logical instant at which it reached this one (what a wait counts from), ``mark`` the
    last arrival it then knew. ``due`` is when it wants to be woken. ``goal_until`` is the end of the goal's window.
    ``turns`` counts, for each `repeat` it is in, by the number of its step, the turns begun. ``holdout``: it runs, and
    sends, takes, emits and sets nothing.
    """

    key: str
    rule: str
    program: str
    entered: Instant
    order: int
    trigger: bytes
    row: int = 0
    value: str | None = None
    state: State = "inside"
    step: int = 0
    visit: int = 0
    since: Instant = Instant(0)
    mark: int = -1
    due: Instant | None = None
    ended: Instant | None = None
    reason: str = ""
    goal_until: Instant | None = None
    converted: Instant | None = None
    worth: str | None = None
    sends: tuple[Sending, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    trace: tuple[Trace, ...] = ()
    choices: tuple[Choice, ...] = ()
    turns: tuple[tuple[int, int], ...] = ()
    holdout: bool = False


class Arrived(msgspec.Struct, frozen=True):
    """An event reached the customer. ``at`` is its own timestamp, never later than its arrival; ``order`` its place in
    the order of arrival; ``fields`` its JSON. ``key`` is its message id.

    What begins a journey without an event (a segment, a trait, a date, the calendar) is told to `admit` as one
    without a name: ``at`` is its moment, ``key`` says which occasion it was, ``order`` is that of the input that
    caused it, -1 where time alone did."""

    name: str
    at: Instant
    order: int
    raw: bytes
    fields: dict[str, Any]
    key: str


class Changed(msgspec.Struct, frozen=True):
    """Traits of the customer changed; the facts already show the new values."""

    traits: frozenset[str]


class Woken(msgspec.Struct, frozen=True):
    """The moment a journey was due has come."""


class Settled(msgspec.Struct, frozen=True):
    """A hand-over is settled: sent, skipped, failed for good, or unknown (held: neither repeated nor replaced)."""

    key: str
    how: Settlement
    reason: str = ""


class Reported(msgspec.Struct, frozen=True):
    """A reaction, ``delivered``, or ``undelivered`` came back for a message."""

    key: str
    what: str
    channel: str
    message: str
    at: Instant


class Claimed(msgspec.Struct, frozen=True):
    """A message of the journey is about to be sent: every guard that time may have turned is judged once more."""

    key: str


class Merged(msgspec.Struct, frozen=True):
    """The customer turned out to be the same as another one: history and traits hold now what either of them had."""


class Crossed(msgspec.Struct, frozen=True):
    """The customer went into or out of segments or rules of these names, by the passing of time or by entering and
    ending a journey; what an event or a trait does to a segment, that input itself has judged."""

    names: frozenset[str]


Input = Arrived | Changed | Woken | Settled | Reported | Claimed | Merged | Crossed


class Decide(msgspec.Struct, frozen=True):
    """Effect: a message is to be sent. ``values`` are its ``with`` values as JSON; ``coupons`` are those of them that
    the claim takes from a pool: (name, pool)."""

    key: str
    channel: str
    message: str
    kind: Kind
    expires: Instant
    values: dict[str, Any]
    coupons: tuple[tuple[str, str], ...] = ()


class Assign(msgspec.Struct, frozen=True):
    """Effect: the customer has this arm of the rule's split from now on. ``at`` is the moment of the draw, ``shares``
    are the probabilities that the arms had in it. ``until``: the split counts what its arms bring until then."""

    split: str
    arm: str
    at: Instant
    shares: Mapping[str, float]
    until: Instant | None = None


class Learn(msgspec.Struct, frozen=True):
    """Effect: a journey in this arm met what its split grows towards; it could until ``until``."""

    split: str
    arm: str
    until: Instant


class Pass(msgspec.Struct, frozen=True):
    """Effect: a message is not even tried, since no channel of its group reaches the customer."""

    key: str
    channel: str
    message: str
    kind: Kind
    reason: str


class Withdraw(msgspec.Struct, frozen=True):
    """Effect: the journey exited; take back what it has not handed over yet."""

    reason: str


class SetTrait(msgspec.Struct, frozen=True):
    """Effect: the customer's trait has a new value (None: none)."""

    trait: str
    value: Any


class Emitted(msgspec.Struct, frozen=True):
    """Effect: an event of Segue's own, with a message id that repeats with the step."""

    event: str
    fields: dict[str, Any]
    key: str


class Note(msgspec.Struct, frozen=True):
    """Effect: a decision about the journey itself, for the record."""

    decision: Decision
    at: Instant
    reason: str = ""


Effect = Decide | Assign | Learn | Pass | Withdraw | SetTrait | Emitted | Note
