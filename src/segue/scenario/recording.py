"""Records of what arrived and what channels answered, as JSON lines: written from a store, read for a replay.

Events are Segment calls, as any archive has them; ``imported`` is true of past events that `segue import` brought: they
began no journey. Three further types carry what only Segue knows::

    {"type": "segue.answer", "key": …, "claimedAt": …, "answeredAt": …, "answer": {"type": "sent", "receipt": ""}}
    {"type": "segue.report", "channel": …, "receivedAt": …, "report": {"id": …, "what": "delivered", "at": …, "key": …}}
    {"type": "segue.suppression", "at": …, "sort": "email", "address": …, "reason": "asked"}

A message that was never claimed has ``claimedAt`` null; one whose claim was refused, or whose journey ended first, has
no ``answer``. ``attempts`` are the calls before that came to nothing. ``deferredAt`` are the moments at which the
contact policy held the message back, ``retractedAt`` and ``retraction`` what the channel said to taking it back.
``coded`` is false where a pool of coupons was empty. ``again`` are the times that a dead letter was put up again, each
with what became of it then. A suppression that was lifted has ``liftedAt``; those that a
message or its report showed follow from these.
"""

from __future__ import annotations

import array
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from segue.api import Answer, Event, Instant, Report, from_datetime
from segue.api.bodies import Refused
from segue.api.shop import MOST_LINES, order_lines
from segue.customers.suppression import Reason, Suppression, comparable
from segue.delivery.ledger import Attempt
from segue.scenario.replay import Arrival, Record, RecordedAgain, RecordedAnswer, RecordedReport

Decode = Callable[[bytes], tuple[Event, Instant]]

ANSWER: Final = "segue.answer"
REPORT: Final = "segue.report"
SUPPRESSION: Final = "segue.suppression"


class _Typed(msgspec.Struct):
    type: str | None = None
    imported: bool | None = None


class AttemptLine(msgspec.Struct, rename="camel", omit_defaults=True):
    """A call that came to nothing, as a line holds it."""

    claimed_at: str
    answered_at: str
    reason: str = ""
    after: float | None = None
    unknown: bool = False


class _AgainLine(msgspec.Struct, rename="camel"):
    """What became of a dead letter that was put up again, as a line holds it."""

    at: str
    by: str = ""
    claimed_at: str | None = None
    answered_at: str | None = None
    answer: Answer | None = None
    deferred_at: tuple[str, ...] = ()
    coded: bool = True
    attempts: tuple[AttemptLine, ...] = ()
    retracted_at: str | None = None
    retraction: Answer | None = None


class _AnswerLine(msgspec.Struct, rename="camel"):
    key: str
    claimed_at: str | None = None
    answered_at: str | None = None
    answer: Answer | None = None
    deferred_at: tuple[str, ...] = ()
    retracted_at: str | None = None
    retraction: Answer | None = None
    coded: bool = True
    attempts: tuple[AttemptLine, ...] = ()
    again: tuple[_AgainLine, ...] = ()


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
    again = tuple(RecordedAgain(_moment(one.at), one.by, _what_became(read.key, one)) for one in read.again)
    return msgspec.structs.replace(_what_became(read.key, read), again=again)


def _what_became(key: str, read: _AnswerLine | _AgainLine) -> RecordedAnswer:
    return RecordedAnswer(
        key,
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
