"""What a funnel is counted from: journeys as they went, each with its messages and what customers did with them."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from segue.api import Instant
from segue.delivery.ledger import MessageState
from segue.program.program import Program

Fate = Literal["waiting", "sent", "skipped", "failed", "unknown"]
"""What became of a message, so far: of all that were decided each has exactly one. One that a provider took and did not
deliver, and one taken back, were sent."""

FATES: Final[dict[int, Fate]] = {
    MessageState.DECIDED: "waiting",
    MessageState.CLAIMED: "waiting",
    MessageState.HANDED: "sent",
    MessageState.CONFIRMED: "sent",
    MessageState.UNDELIVERED: "sent",
    MessageState.RETRACTED: "sent",
    MessageState.RETRACTING: "sent",
    MessageState.SKIPPED: "skipped",
    MessageState.FAILED: "failed",
    MessageState.UNKNOWN: "unknown",
}

DELIVERED: Final = 1
OPENED: Final = 2
CLICKED: Final = 4
REPLIED: Final = 8
DEEDS: Final[dict[str, int]] = {"delivered": DELIVERED, "opened": OPENED, "clicked": CLICKED, "replied": REPLIED}
"""What comes back of a message, as bits of one number."""
ANSWERED: Final = OPENED | CLICKED | REPLIED


class Sort(msgspec.Struct, eq=False, gc=False):
    """What messages have in common that differ by nothing but their moment and what was done with them. ``step`` is the
    program's number of their step, None where that can't be told; ``template`` the hash of their content, empty where
    they had none. Whoever reads a million messages makes each sort once: two of them are the same only where they are
    one object."""

    channel: str
    message: str
    step: int | None
    fate: Fate
    reason: str
    template: str


class Contact(msgspec.Struct, gc=False):
    """One message of a journey. ``handed`` is when its provider took it. ``persons`` and ``machines`` are what people,
    and what programs, did with it, in bits; delivered counts among the persons'."""

    sort: Sort
    handed: Instant | None
    persons: int
    machines: int


class Course(msgspec.Struct, gc=False):
    """One journey. ``version`` is the number of the program that it runs or ended in; ``state`` the number of its state
    in `segue.store.journeys.STATES`; ``step`` the one that it is at, or ended at; ``passed`` the steps that it took, in
    order, each with what came of it, by their numbers in that program. ``moved``: it began with an earlier version."""

    version: int
    customer: int
    entered: Instant
    state: int
    step: int
    ended: Instant | None
    reason: str
    goal_until: Instant | None
    converted: Instant | None
    held_out: bool
    passed: tuple[tuple[int, str], ...]
    contacts: list[Contact]
    moved: bool = False


class Version(msgspec.Struct, frozen=True):
    """One text of a rule, of all that were published. ``number`` counts them from 1, ``row`` is the store's number of
    its program. ``published`` is when that was, None where it can't be told: the rule went back to an earlier text.
    ``arrivals`` is the number of the first arrival after that, None where none of before is kept. ``current``: it is in
    the book now."""

    number: int
    row: int
    program: Program
    published: Instant | None
    current: bool
    arrivals: int | None = None


class Books(msgspec.Struct, frozen=True):
    """What was counted of a rule as it happened, of all time, in the transactions that changed it. The law of every
    rule: ``entered = inside + finished + exited + failed``. ``inside`` is counted in the journeys themselves, so that a
    disagreement shows."""

    entered: int = 0
    inside: int = 0
    finished: int = 0
    exited: int = 0
    failed: int = 0
    ignored: int = 0
    converted: int = 0
    sent: int = 0

    @property
    def balanced(self) -> bool:
        return self.entered == self.inside + self.finished + self.exited + self.failed
