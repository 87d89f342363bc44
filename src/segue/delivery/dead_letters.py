"""Dead letters: messages that were not delivered for a reason worth another try, once somebody has mended it."""

from __future__ import annotations

from typing import Final, Literal, get_args

from segue.api import Instant
from segue.delivery.ledger import Again, LedgerRow, MessageState

Sort = Literal["retries", "unknown", "content", "refused", "late"]
"""Why: ``retries`` were used up, the outcome is ``unknown``, its ``content`` is missing or cannot be made, the
provider ``refused`` it, or it was too ``late``."""

SORTS: Final = get_args(Sort)
TOO_LATE: Final = "too late"
NOT_IN_TIME: Final = "not in time: "
NOT_RENDERED: Final = "its content cannot be rendered: "
NOT_MADE: Final = "its report cannot be made: "
NO_CONTENT: Final = "no content for "
UNKNOWN_OUTCOME: Final = "unknown: "
"""How the reason of a message begins that may or may not have reached its provider."""


def sort_of(row: LedgerRow) -> Sort | None:
    """Why a message is a dead letter; None where it is none: it went, or what kept it back meant to."""
    match row.state:
        case MessageState.UNKNOWN:
            return "unknown"
        case MessageState.FAILED if row.reason.startswith(NOT_IN_TIME):
            return "retries"
        case MessageState.FAILED if row.reason.startswith((NOT_RENDERED, NOT_MADE)):
            return "content"
        case MessageState.FAILED:
            return "refused"
        case MessageState.SKIPPED if row.reason.startswith(NO_CONTENT):
            return "content"
        case MessageState.SKIPPED if row.reason == TOO_LATE:
            return "late"
        case _:
            return None


def put_up(row: LedgerRow, now: Instant, who: str) -> None:
    """Have a dead letter sent after all: due now, for as long as it had the first time. One that may have gone out
    keeps what it was sent with, and its slot; any other is made anew, by the content of today, and has no slot before
    it is claimed."""
    may_have_gone = row.state is MessageState.UNKNOWN
    begun = row.again[-1].at if row.again else row.decided
    attempts = row.attempts if may_have_gone else 0
    was = Again(now, who, row.state, row.claimed, row.settled, row.reason, row.held, attempts)
    row.expires = Instant(now + row.expires - begun)
    row.state, row.due, row.settled, row.reason = MessageState.DECIDED, now, None, ""
    row.held, row.again = (), (*row.again, was)
    if not may_have_gone:
        row.attempts, row.doubt, row.template, row.claimed = 0, False, "", None
