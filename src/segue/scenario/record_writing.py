"""A store's record, written as the JSON lines that `segue.scenario.recording` reads."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from segue.api import Answer, Instant, Money, Rejected, Sent, Unknown, to_rfc3339
from segue.delivery.dead_letters import UNKNOWN_OUTCOME
from segue.delivery.ledger import LedgerRow, MessageState
from segue.runtime.dispatch import NO_CODE
from segue.runtime.outgoing import JOURNEY_ENDED
from segue.runtime.taking_back import STAYED
from segue.scenario.recording import ANSWER, REPORT, SUPPRESSION, AttemptLine
from segue.scenario.replay import RecordedAnswer
from segue.store import history
from segue.store.consent import list_said, shown_dead_by
from segue.store.database import Transaction


def write_arrivals(tx: Transaction, after: int, limit: int) -> tuple[int, list[bytes]]:
    """Records of what arrived after a row, in order, at most ``limit``; and the last row written (0: none was left)."""
    lines: list[bytes] = []
    last = 0
    for row in history.load_arrivals(tx, after, limit):
        last = row.row
        if row.kind == history.REPORT and row.name is None:
            lines.append(_report_line(row))
        elif row.kind != history.EMITTED:
            lines.append(_event_line(row))
    return last, lines


def _event_line(row: history.ArrivalRow) -> bytes:
    rest = row.rest
    call: dict[str, Any] = {"type": "track", "messageId": row.message_id}
    user = rest.get("userId", row.key[2:] if row.key.startswith("u:") and "anonymousId" not in rest else None)
    if "previousId" in rest:
        call |= {"type": "alias", "previousId": rest["previousId"]}
    elif row.name is None:
        call |= {"type": "identify", "traits": rest.get("traits", {})}
    else:
        call |= {"event": row.name, "properties": row.fields}
    context: dict[str, Any] = {}
    if rest.get("traits") and "traits" not in call:
        context["traits"] = rest["traits"]
    if rest.get("ids"):
        context["externalIds"] = [{"type": kind, "id": value} for kind, value in rest["ids"].items()]
    if context:
        call["context"] = context
    if user is not None:
        call["userId"] = user
    if "anonymousId" in rest:
        call["anonymousId"] = rest["anonymousId"]
    call |= {"timestamp": to_rfc3339(row.at), "receivedAt": to_rfc3339(row.received)}
    if row.kind == history.IMPORTED:
        call["imported"] = True
    return msgspec.json.encode(call)


def _report_line(row: history.ArrivalRow) -> bytes:
    fields = row.fields
    return msgspec.json.encode(
        {
            "type": REPORT,
            "channel": fields.get("channel", ""),
            "receivedAt": to_rfc3339(row.received),
            "report": {
                "id": row.message_id.split(":", 2)[2],
                "what": fields.get("what", ""),
                "at": to_rfc3339(row.at),
                "key": fields.get("key", ""),
                "reason": fields.get("reason", ""),
                "addressGone": bool(fields.get("address_gone")),
            },
        }
    )


def write_answers(tx: Transaction, after: int, limit: int) -> tuple[int, list[bytes]]:
    """Records of what channels answered, by message, as `write_arrivals` does."""
    lines: list[bytes] = []
    last = 0
    for message in history.load_messages_after(tx, after, limit):
        last = message.row
        first, *further = lives(message)
        line: dict[str, Any] = {"type": ANSWER, "key": message.key, **_what_became(tx, first)}
        if further:
            line["again"] = [
                {"at": to_rfc3339(one.at), "by": one.who, **_what_became(tx, life)}
                for one, life in zip(message.again, further, strict=True)
            ]
        lines.append(msgspec.json.encode(line))
    return last, lines


def _what_became(tx: Transaction, message: LedgerRow) -> dict[str, Any]:
    known = _answer_of(tx, message)
    line: dict[str, Any] = {
        "claimedAt": to_rfc3339(known.claimed) if known.claimed is not None else None,
        "answeredAt": to_rfc3339(known.answered) if known.answered is not None else None,
        "answer": known.answer,
    }
    if known.attempts:
        line["attempts"] = [
            AttemptLine(to_rfc3339(one.claimed), to_rfc3339(one.answered), one.reason, one.after, one.unknown)
            for one in known.attempts
        ]
    if message.held:
        line["deferredAt"] = [to_rfc3339(held.at) for held in message.held]
    if message.retracted is not None:
        line |= {"retractedAt": to_rfc3339(message.retracted), "retraction": _retraction_of(message)}
    if message.state is MessageState.SKIPPED and message.reason.startswith(NO_CODE):
        line["coded"] = False
    return line


def lives(message: LedgerRow) -> list[LedgerRow]:
    """A message as it was each time before it was put up again, and as it is now: each with its own calls."""
    found: list[LedgerRow] = []
    since = message.decided
    for one in message.again:
        tried = tuple(attempt for attempt in message.attempted if since <= attempt.claimed <= one.at)
        was = msgspec.structs.replace(
            message,
            state=one.state,
            claimed=one.claimed if one.claimed is not None and one.claimed >= since else None,
            handed=None,
            settled=one.settled,
            reason=one.reason,
            held=one.held,
            retracted=None,
            attempted=tried,
        )
        found.append(was)
        since = one.at
    claimed = message.claimed if message.claimed is not None and message.claimed >= since else None
    tried = tuple(attempt for attempt in message.attempted if attempt.claimed >= since)
    return [*found, msgspec.structs.replace(message, claimed=claimed, attempted=tried)]


def write_suppressions(tx: Transaction, after: int, limit: int) -> tuple[int, list[bytes]]:
    """Records of what was suppressed by hand, or by a STOP from whatever address, as `write_arrivals` does. Without
    those whose owner was erased: nobody can tell their addresses any more."""
    lines: list[bytes] = []
    last = 0
    for number, one in list_said(tx, after, limit):
        last = number
        line = {"type": SUPPRESSION, "at": to_rfc3339(one.since), "sort": one.sort, "address": one.address}
        line |= {"reason": one.reason, "channel": one.channel, "source": one.source, "detail": one.detail}
        if one.received is not None and one.received != one.since:
            line["receivedAt"] = to_rfc3339(one.received)
        if one.lifted is not None:
            line["liftedAt"] = to_rfc3339(one.lifted)
        lines.append(msgspec.json.encode(line))
    return last, lines


def _answer_of(tx: Transaction, message: LedgerRow) -> RecordedAnswer:
    attempts = message.attempted
    if attempts and message.claimed == attempts[-1].claimed:  # no call was made since
        looked = message.settled if message.settled is not None and message.settled > attempts[-1].answered else None
        spoken = message.handed is not None  # a report told that it was taken: that is on record by itself
        return RecordedAnswer(message.key, None if spoken else looked, attempts=attempts)
    return msgspec.structs.replace(_end_of(tx, message), attempts=attempts)


def _end_of(tx: Transaction, message: LedgerRow) -> RecordedAnswer:
    """What became of a message in the end."""
    if message.reason.startswith(JOURNEY_ENDED) and message.settled is not None:
        # It waited for its first call. Where no event ended the journey, a guard did, at a claim in that moment.
        return RecordedAnswer(message.key, message.settled)
    claimed, answered, answer = _last_answer_of(tx, message)
    return RecordedAnswer(message.key, claimed, answered, answer)


def _cost_of(message: LedgerRow) -> Money | None:
    """What a message costs, all its parts together; None where it costs nothing (any more)."""
    return Money(Decimal(message.cost).scaleb(-6), message.currency) if message.cost is not None else None


def _retraction_of(message: LedgerRow) -> Answer:
    """What the channel said to taking a message back."""
    if message.state is MessageState.RETRACTED:
        return Sent()
    return Rejected(message.reason.removeprefix(STAYED))


def _last_answer_of(tx: Transaction, message: LedgerRow) -> tuple[Instant | None, Instant | None, Answer | None]:
    match message.state:
        case MessageState.DECIDED:
            return None, None, None
        case MessageState.CLAIMED:
            return message.claimed, None, None
        case MessageState.RETRACTED | MessageState.RETRACTING if message.handed is None:  # nobody knows that it stood
            return message.claimed, message.settled, Unknown(message.reason.removeprefix(UNKNOWN_OUTCOME))
        case (
            MessageState.HANDED
            | MessageState.CONFIRMED
            | MessageState.UNDELIVERED
            | MessageState.RETRACTED
            | MessageState.RETRACTING
        ):
            return message.claimed, message.handed, Sent(message.receipt, cost=_cost_of(message))
        case MessageState.FAILED:
            gone = shown_dead_by(tx, message.row)
            return message.claimed, message.settled, Rejected(message.reason, address_gone=gone)
        case MessageState.UNKNOWN if message.claimed is None:  # it was put up again, and refused
            return message.settled, None, None
        case MessageState.UNKNOWN:
            return message.claimed, message.settled, Unknown(message.reason.removeprefix(UNKNOWN_OUTCOME))
        case MessageState.SKIPPED:
            # a claim that was refused: the replay refuses it at the same moment, for the same reason
            return message.settled, None, None
