"""Why a message did not go, told so that like counts with like."""

from __future__ import annotations

import re
from typing import Final, Literal, get_args

from segue.api import Kind
from segue.delivery.dead_letters import NO_CONTENT, NOT_IN_TIME, TOO_LATE, UNKNOWN_OUTCOME

By = Literal["policy", "consent", "address", "content", "journey", "holdout", "late", "other"]
"""What kept a message back."""

_KINDS: Final = "|".join(get_args(Kind))
_POLICY: Final = re.compile(rf"((?:quiet|limit|space|budget) [^,]*? \((?:{_KINDS})\))(?:,.*)?", re.DOTALL)
_ENDED: Final = "the journey ended: "
_ADDRESS: Final = re.compile(r"no \w+(?:;|$)")
_EMAIL: Final = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+")
_CONSENT: Final = re.compile(r"consent (withdrawn )?for |no consent for ")


MANY_REASONS: Final = "other reasons"
"""Stands for the reasons beyond the first so many: a provider's words may differ each time."""
_MOST_REASONS: Final = 200


class Reasons:
    """The reasons that are told apart."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def tell(self, reason: str) -> str:
        """A reason, or what stands for the many beyond the first."""
        if not reason or reason in self._known:
            return reason
        if len(self._known) >= _MOST_REASONS:
            return MANY_REASONS
        self._known.add(reason)
        return reason


def sort_reason(reason: str) -> tuple[By, str]:
    """What kept a skipped message back, and in which words: those of a line of the policy without what was in its way
    this time."""
    if (line := _POLICY.fullmatch(reason)) is not None:
        return "policy", line[1]
    if reason == "holdout":
        return "holdout", reason
    if reason.startswith(_ENDED):
        return "journey", reason
    if _CONSENT.match(reason):
        return "consent", reason
    if reason.startswith(NO_CONTENT):
        return "content", reason
    if reason == TOO_LATE or reason.startswith(NOT_IN_TIME):
        return "late", reason
    return ("address" if _ADDRESS.match(reason) else "other"), reason


def told(reason: str, *, skipped: bool) -> str:
    """Why a message did not arrive, as it is counted: Segue's own reason where it was skipped, else a provider's
    words."""
    if skipped:
        return sort_reason(reason)[1]
    if reason.startswith(UNKNOWN_OUTCOME):  # one that may have gone, and was kept back when it was tried again
        return f"{UNKNOWN_OUTCOME}{alike(sort_reason(reason.removeprefix(UNKNOWN_OUTCOME))[1])}"
    return alike(reason)


def alike(reason: str) -> str:
    """What a provider said, without addresses: those of two customers would be two reasons, and a table of counts is no
    place for them."""
    return _EMAIL.sub("…", reason)
