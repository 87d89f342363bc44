"""What came of taking back a message whose journey ended; that it is to be is noted with the end, by `Outgoing`."""

from __future__ import annotations

from typing import Final, assert_never

from segue.api import Answer, Instant, Rejected, Retry, Sent, Unknown
from segue.api.values import DAY
from segue.delivery.ledger import LedgerRow, MessageState
from segue.delivery.retries import retry_at
from segue.runtime.outgoing import JOURNEY_ENDED
from segue.runtime.people import Person
from segue.runtime.turn import Turn

STAYED: Final = "could not be taken back: "
"""How the reason of a message begins that stays although its journey ended."""

_TAKE_BACK_FOR: Final = 3 * DAY
"""For how long taking back is tried where the channel cannot, or does not say that it did."""


def take_back_late(turn: Turn, row: LedgerRow, person: Person) -> None:
    """A message was handed over: where its journey ended while the call was under way, it is taken back."""
    if row.channel in turn.running.retractable:
        journey = turn.find_journey(person, row.journey)
        if journey.state != "inside":
            turn.outgoing.take_back(person, journey)


def note_retraction(turn: Turn, row: LedgerRow, person: Person, answer: Answer, now: Instant) -> None:
    """What the channel said to taking a message back. Where it cannot, the message stays as it is."""
    match answer:
        case Sent():
            row.state, row.retracted = MessageState.RETRACTED, now
            spec = turn.running.channels.get(row.channel)
            if spec is None or not spec.stands:
                turn.outgoing.outlay.give_back(row)  # it never went: a banner that stood has cost what it cost
                turn.outgoing.contact.freed(row)
            journey = turn.find_journey(person, row.journey)
            reason = f"{JOURNEY_ENDED}{journey.reason or journey.state}"
            turn.outgoing.note(person, row, "retracted", now, reason)
        case Rejected(reason=reason):
            _stay(row, reason, now)
        case Retry(reason=reason) | Unknown(reason=reason):
            due = retry_at(row.key, row.tries, now, answer.after if isinstance(answer, Retry) else None)
            if row.retracting is not None and due <= row.retracting + _TAKE_BACK_FOR:
                row.due = due
                if row.handed is not None:  # else it says why nobody knows whether it stands
                    row.reason = reason
            else:
                _stay(row, reason, now)
        case _:
            assert_never(answer)
    turn.outgoing.change(row)


def _stay(row: LedgerRow, reason: str, now: Instant) -> None:
    """It could not be taken back: it was taken, or nobody knows, as before."""
    row.state = MessageState.HANDED if row.handed is not None else MessageState.UNKNOWN
    row.retracted, row.reason = now, f"{STAYED}{reason}"
