"""What customers said about being written to: one statement after the other, and what stands after them.

The laws:

1. Statements are never changed nor removed; each is about one channel and one kind of message.
2. The latest by the time it was made decides, whenever it arrived. Of a grant and a withdrawal of one instant the
   withdrawal wins.
3. A subscription that waits to be confirmed takes nothing away: whoever had agreed before goes on having agreed. After
   a withdrawal, and where nothing was said before, marketing is refused until it is confirmed.

What stands is kept as a value that two orders of arrival, and two customers who turn out to be one, make the same: it
is joined, not overwritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from segue.api import Instant

State = Literal["granted", "withdrawn", "pending"]

GRANTED: Final = "granted"
WITHDRAWN: Final = "withdrawn"
PENDING: Final = "pending"
KINDS: Final = ("transactional", "promotional", "informational")
MARKETING: Final = ("promotional", "informational")
"""The kinds that a withdrawal without a kind stops: what a customer needs for an order still goes."""

Basis = Literal["consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests", ""]
BASES: Final = (
    "consent",
    "contract",
    "legal_obligation",
    "vital_interests",
    "public_task",
    "legitimate_interests",
)
"""The lawful bases of the GDPR, Art. 6(1), a to f. A soft opt-in (Art. 13(2) of Directive 2002/58/EC: a customer who
bought is told of similar goods) rests on legitimate interests."""
_SYNONYMS: Final = {"soft_opt_in": "legitimate_interests", "legitimate_interest": "legitimate_interests"}


class Statement(msgspec.Struct, frozen=True):
    """One entry of the ledger. ``at`` is when it was said, ``received`` when it arrived. ``basis`` is one of `BASES`,
    or empty (a withdrawal needs none); ``wording`` names the version of the text that was agreed to; ``proof`` is what
    shows that it was said, and ``event`` the id of what brought it."""

    channel: str
    kind: str
    state: State
    at: Instant
    source: str
    basis: str = ""
    wording: str = ""
    proof: str = ""
    event: str = ""
    received: Instant | None = None


class Stand(msgspec.Struct, frozen=True, array_like=True):
    """What stands for one channel and kind: the latest grant or withdrawal (``said`` empty: there was none), and when a
    subscription last waited to be confirmed (None: never)."""

    said: Literal["granted", "withdrawn", ""] = ""
    at: Instant = Instant(0)
    pending: Instant | None = None

    @property
    def state(self) -> State | None:
        """What holds now; None where nothing was ever said."""
        if self.pending is not None and self.said != GRANTED and (not self.said or self.pending > self.at):
            return PENDING
        return self.said or None

    def join(self, other: Stand) -> Stand:
        """What stands after both: in either order the same, and twice the same as once."""
        later = max(self, other, key=lambda one: (bool(one.said), one.at, one.said == WITHDRAWN))
        waits = [one.pending for one in (self, other) if one.pending is not None]
        return Stand(later.said, later.at, max(waits, default=None))


NOTHING_SAID: Final = Stand()

Standing = Mapping[str, Stand]
"""What stands for a customer, by ``channel/kind``."""


def place(channel: str, kind: str) -> str:
    """The name under which what stands for a channel and kind is kept."""
    return f"{channel}/{kind}"


def stand_of(state: State, at: Instant) -> Stand:
    """What one statement alone makes stand."""
    return Stand(pending=at) if state == PENDING else Stand(state, at)


def join_all(one: Standing, other: Standing) -> dict[str, Stand]:
    """What stands for two customers who are one."""
    joined = dict(one)
    for name, stand in other.items():
        joined[name] = joined[name].join(stand) if name in joined else stand
    return joined


def sum_up(statements: Iterable[Statement]) -> dict[str, Stand]:
    """What stands after these statements, in whatever order they come."""
    standing: dict[str, Stand] = {}
    for one in statements:
        add(standing, one)
    return standing


def add(standing: dict[str, Stand], one: Statement) -> None:
    """Have what stands be that after one more statement."""
    name = place(one.channel, one.kind)
    standing[name] = standing.get(name, NOTHING_SAID).join(stand_of(one.state, one.at))


def basis_of(written: object, state: State) -> str:
    """The lawful basis that an event names, in the words of the GDPR. One that is no such word is none that anybody
    could rely on, so a grant then rests on consent, as one that names none does."""
    if state == WITHDRAWN:
        return ""
    word = written.strip().lower().replace("-", "_").replace(" ", "_") if isinstance(written, str) else ""
    word = _SYNONYMS.get(word, word)
    return word if word in BASES else "consent"
