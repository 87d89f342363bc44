"""Records of what arrived and what channels answered, as JSON lines: written from a store, read for a replay.

Events are Segment calls, as any archive has them; ``imported`` is true of past events that `segue import` brought: they
began no journey. Three further types carry what only Segue knows::

    {"type": "segue.answer", "key": …, "claimedAt": …, "answeredAt": …, "answer": {"type": "sent", "receipt": ""}}
    {"type": "segue.report", "channel": …, "receivedAt": …, "report": {"id": …, "what": "delivered", "at": …, "key": …}}
    {"type": "segue.suppression", "at": …, "sort": "email", "address": …, "reason": "asked"}

A message that was never claimed has ``claimedAt`` null; one whose claim was refused, or whose journey ended first, has
no ``answer``. ``attempts`` are the calls before that came to nothing. ``deferredAt`` are the moments at which the
contact policy held the message back, ``retractedAt`` and ``retraction`` what the channel said to taking it back.
``coded`` is false where a pool of coupons was empty. A suppression that was lifted has ``liftedAt``; those that a
message or its report showed follow from these.
"""

from __future__ import annotations

import array
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from segue.api import Answer, Event, Instant, Money, Rejected, Report, Sent, Unknown, from_datetime, to_rfc3339
from segue.api.bodies import Refused
from segue.api.shop import MOST_LINES, order_lines
from segue.customers.suppression import Reason, Suppression, comparable
from segue.delivery.ledger import Attempt, LedgerRow, MessageState
from segue.runtime.dispatch import NO_CODE
from segue.runtime.last_look import UNKNOWN_OUTCOME
from segue.runtime.outgoing import JOURNEY_ENDED
from segue.runtime.taking_back import STAYED
from segue.scenario.replay import Arrival, Record, RecordedAnswer, RecordedReport
from segue.store import history
from segue.store.consent import list_said, shown_dead_by
from segue.store.database import Transaction

Decode = Callable[[bytes], tuple[Event, Instant]]

ANSWER: Final = "segue.answer"
REPORT: Final = "segue.report"
SUPPRESSION: Final = "segue.suppression"


class _Typed(msgspec.Struct):
    type: str | None = None
    imported: bool | None = None


class _AttemptLine(msgspec.Struct, rename="camel", omit_defaults=True):
    claimed_at: str
    answered_at: str
    reason: str = ""
    after: float | None = None
    unknown: bool = False


class _AnswerLine(msgspec.Struct, rename="camel"):
    key: str
    claimed_at: str | None = None
    answered_at: str | None = None
    answer: Answer | None = None
    deferred_at: tuple[str, ...] = ()
    retracted_at: str | None = None
    retraction: Answer | None = None
    coded: bool = True
    attempts: tuple[_AttemptLine, ...] = ()


class _ReportBody(msgspec.Struct, rename="camel"):
    id: str
    what: str
    at: str
    key: str
    reason: str = ""
    address_gone: bool = False


class _ReportLine(msgspec.Struct, rename="camel"):
    channel: str
    received_at: str
    report: _ReportBody


class _SuppressionLine(msgspec.Struct, rename="camel"):
    at: str
    sort: str
    address: str
    reason: Reason
    channel: str = ""
    source: str = ""
    detail: str = ""
    received_at: str | None = None
    lifted_at: str | None = None


_type = msgspec.json.Decoder(_Typed)
_answer = msgspec.json.Decoder(_AnswerLine)
_report = msgspec.json.Decoder(_ReportLine)
_suppression = msgspec.json.Decoder(_SuppressionLine)


class BadLine(msgspec.Struct, frozen=True):
    """A line that is left out, and why."""

    number: int
    reason: str


class Recording:
    """A file of records. Opening reads it once, to learn the order of arrival; `arrivals` reads it again, one line at a
    time, so that a file of any length takes 16 bytes of memory for each line. ``bad`` lists the lines left out."""

    def __init__(self, path: Path, decode: Decode) -> None:
        """Raises OSError where the file cannot be read."""
        self._path = path
        self._decode = decode
        self.bad: list[BadLine] = []
        self._offsets = array.array("q")
        received = array.array("q")
        answers: dict[str, RecordedAnswer] = {}
        reports: list[RecordedReport] = []
        suppressions: list[Suppression] = []
        self.ordered = True
        with path.open("rb") as lines:
            for number, offset, line in _numbered(lines):
                try:
                    kind = _type.decode(line).type
                    if kind == ANSWER:
                        known = _read_answer(line)
                        answers[known.key] = known
                    elif kind == REPORT:
                        reports.append(_read_report(line))
                    elif kind == SUPPRESSION:
                        suppressions.append(_read_suppression(line))
                    else:
                        event, moment = decode(line)
                        if len(line) > MOST_LINES:  # bytes: no order of too many lines has fewer
                            order_lines(event)
                        if received and moment < received[-1]:
                            self.ordered = False
                        received.append(moment)
                        self._offsets.append(offset)
                except Refused as refused:
                    self.bad.append(BadLine(number, refused.describe()))
                except (ValueError, msgspec.MsgspecError, RecursionError) as error:
                    self.bad.append(BadLine(number, str(error)))
        self._first = Instant(min(received, default=0))
        self._last = Instant(max(received, default=0))
        self.record = Record(answers, tuple(reports), tuple(suppressions))
        if not self.ordered:
            order = sorted(range(len(received)), key=received.__getitem__)
            self._offsets = array.array("q", (self._offsets[place] for place in order))

    @property
    def last(self) -> Instant:
        """When the last event arrived; 1970 where there is none."""
        return self._last

    @property
    def first(self) -> Instant:
        """When the first event arrived; 1970 where there is none."""
        return self._first

    def __len__(self) -> int:
        return len(self._offsets)

    def arrivals(self) -> Iterator[Arrival]:
        """The events in the order of arrival; of equal moments, in that of the file. Behind an order come its
        lines, as its source hands them on; where they are on record as well, those are duplicates."""
        with self._path.open("rb") as lines:
            for offset in self._offsets:
                lines.seek(offset)
                line = lines.readline()
                event, moment = self._decode(line)
                imported = b'"imported"' in line and _type.decode(line).imported is True
                yield Arrival(event, moment, imported)
                for item in order_lines(event):
                    yield Arrival(item, moment, imported)


def _numbered(lines: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    offset = 0
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, offset, line
        offset += len(line)


def _moment(text: str) -> Instant:
    return from_datetime(datetime.fromisoformat(text))


def _read_answer(line: bytes) -> RecordedAnswer:
    read = _answer.decode(line)
    return RecordedAnswer(
        read.key,
        _moment(read.claimed_at) if read.claimed_at else None,
        _moment(read.answered_at) if read.answered_at else None,
        read.answer,
        tuple(_moment(each) for each in read.deferred_at),
        _moment(read.retracted_at) if read.retracted_at else None,
        read.retraction,
        read.coded,
        tuple(
            Attempt(_moment(one.claimed_at), _moment(one.answered_at), one.reason, one.after, one.unknown)
            for one in read.attempts
        ),
    )


def _read_report(line: bytes) -> RecordedReport:
    read = _report.decode(line)
    body = read.report
    report = Report(
        id=body.id,
        what=body.what,
        at=_moment(body.at),
        key=body.key,
        reason=body.reason,
        address_gone=body.address_gone,
    )
    return RecordedReport(read.channel, report, _moment(read.received_at))


def _read_suppression(line: bytes) -> Suppression:
    read = _suppression.decode(line)
    return Suppression(
        sort=read.sort,
        address=comparable(read.sort, read.address),
        reason=read.reason,
        since=_moment(read.at),
        source=read.source,
        channel=read.channel,
        detail=read.detail,
        lifted=_moment(read.lifted_at) if read.lifted_at else None,
        received=_moment(read.received_at) if read.received_at else None,
    )


# Writing


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
        known = _answer_of(tx, message)
        line: dict[str, Any] = {
            "type": ANSWER,
            "key": message.key,
            "claimedAt": to_rfc3339(known.claimed) if known.claimed is not None else None,
            "answeredAt": to_rfc3339(known.answered) if known.answered is not None else None,
            "answer": known.answer,
        }
        if known.attempts:
            line["attempts"] = [
                _AttemptLine(to_rfc3339(one.claimed), to_rfc3339(one.answered), one.reason, one.after, one.unknown)
                for one in known.attempts
            ]
        if message.held:
            line["deferredAt"] = [to_rfc3339(held.at) for held in message.held]
        if message.retracted is not None:
            line |= {"retractedAt": to_rfc3339(message.retracted), "retraction": _retraction_of(message)}
        if message.state is MessageState.SKIPPED and message.reason.startswith(NO_CODE):
            line["coded"] = False
        lines.append(msgspec.json.encode(line))
    return last, lines


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
    if message.again:  # its journey knows only what became of it first
        first = message.again[0]
        message = msgspec.structs.replace(
            message,
            state=first.state,
            claimed=first.claimed,
            settled=first.settled,
            reason=first.reason,
            again=(),
            attempted=tuple(one for one in message.attempted if one.answered <= first.at),
        )
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
        case MessageState.UNKNOWN:
            return message.claimed, message.settled, Unknown(message.reason.removeprefix(UNKNOWN_OUTCOME))
        case MessageState.SKIPPED:
            # a claim that was refused: the replay refuses it at the same moment, for the same reason
            return message.settled, None, None
