"""The ledger's states, and what each means.

``decided ▸ claimed ▸ handed over ▸ confirmed | undelivered``, or ``skipped``, ``failed``, ``unknown``, ``retracted``. A
message leaves Segue only between ``claimed`` and its outcome; each change is committed before the next begins.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

import msgspec

from segue.api import Instant, Kind


class MessageState(IntEnum):
    """Where a message is. The numbers are stored: never change one."""

    DECIDED = 0
    """To be sent at ``due``; also while it is deferred or will be tried again."""
    CLAIMED = 1
    """Handed to the channel; the outcome is not known yet. After a crash it is looked at again,
    and called again with the same key."""
    HANDED = 2
    """The provider took it."""
    CONFIRMED = 3
    """The provider reported it delivered."""
    UNDELIVERED = 4
    """The provider took it, and reported later that it could not be delivered."""
    UNKNOWN = 5
    """The call was cut off and the channel says that such a message is held."""
    SKIPPED = 6
    """Not sent, with the reason."""
    FAILED = 7
    """The provider refused it for good, or it could not be handed over in time."""
    RETRACTED = 8
    """Taken back after it was handed over."""
    RETRACTING = 9
    """Handed over, and to be taken back at ``due``; while that call is under way there is no ``due``.
    After a crash it is repeated, with the same key."""


HOLDS_SLOT: Final = frozenset(
    {
        MessageState.DECIDED,
        MessageState.CLAIMED,
        MessageState.HANDED,
        MessageState.CONFIRMED,
        MessageState.UNKNOWN,
        MessageState.RETRACTING,
    }
)
"""States in which a message that was claimed keeps its slot of a limit: it reached the customer, or may have, or will
be tried again. A failure gives it back."""

CAME_TO_NOTHING: Final = frozenset({MessageState.SKIPPED, MessageState.FAILED, MessageState.UNDELIVERED})
"""States in which a message costs nothing."""

MAY_STAND: Final = frozenset({MessageState.HANDED, MessageState.CONFIRMED, MessageState.UNKNOWN})
"""States in which a message has reached its provider, or may have: there is something to take back."""


class Held(msgspec.Struct, frozen=True, array_like=True):
    """A deferral: when, until when, and the policy line that asked for it, in its words."""

    at: Instant
    until: Instant
    words: str


class Again(msgspec.Struct, frozen=True, array_like=True):
    """A dead letter was put up again: when, by whom, and what had become of it until then. ``attempts`` are the calls
    before, where they are counted on: it may have gone out by one of them."""

    at: Instant
    who: str
    state: MessageState
    claimed: Instant | None
    settled: Instant | None
    reason: str
    held: tuple[Held, ...] = ()
    attempts: int = 0


class Attempt(msgspec.Struct, frozen=True, array_like=True):
    """A call that came to nothing: when the message was claimed for it, when it ended and why, in how many seconds the
    provider wanted the next, and whether it may have taken the message all the same (``unknown``)."""

    claimed: Instant
    answered: Instant
    reason: str
    after: float | None = None
    unknown: bool = False


class LedgerRow(msgspec.Struct):
    """One message decided. ``doubt``: a call that was cut off may have reached the provider,
    so it can no longer be called skipped.

    ``held`` are its deferrals, ``checks`` the policy lines asked at the latest look, each with the value seen. ``cost``
    is what it counts as spent, in millionths of ``currency``; None where nothing. ``coupons`` are those of its values
    that the claim takes from a pool: (name, pool). ``retracting`` is since when it is to be taken back, ``tries`` how
    often that was asked of the channel, ``retracted`` when it was answered for good. ``again``: it was put up again.
    ``attempted`` are its calls that came to nothing, all of them.
    """

    row: int
    key: str
    journey: int
    customer: int
    rule: str
    channel: str
    message: str
    kind: Kind
    state: MessageState
    due: Instant | None
    decided: Instant
    expires: Instant
    attempts: int = 0
    doubt: bool = False
    claimed: Instant | None = None
    handed: Instant | None = None
    settled: Instant | None = None
    address: str = ""
    template: str = ""
    given: dict[str, Any] = {}
    receipt: str = ""
    reason: str = ""
    held: tuple[Held, ...] = ()
    checks: tuple[str, ...] = ()
    cost: int | None = None
    currency: str = ""
    coupons: tuple[tuple[str, str], ...] = ()
    retracting: Instant | None = None
    tries: int = 0
    retracted: Instant | None = None
    again: tuple[Again, ...] = ()
    attempted: tuple[Attempt, ...] = ()
