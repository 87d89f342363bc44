"""Reading what a channel returned: it may be anything."""

from __future__ import annotations

import math
import re
from typing import Final

import msgspec

from segue.api import Answer, Callback, Finding, Inbound, Polled, Rejected, Report, Retry, Sent, Unknown
from segue.host.declarations import checked

MOST_POLLED: Final = 1_000
"""Reports and replies that one `Polled` may bring: they are committed together."""
MOST_FINDINGS: Final = 100
_LONGEST_REASON: Final = 500
_LONGEST_ID: Final = 1_000
_MOST_PARTS: Final = 255  # of one SMS: 3GPP TS 23.040 9.2.3.24.1
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def clean(text: str, most: int = _LONGEST_REASON) -> str:
    """One line that can be stored and shown: no control characters, no lone surrogates, not endless."""
    return _UNPRINTABLE.sub(" ", text[: most * 2]).encode("utf-8", "replace").decode("utf-8").strip()[:most]


def read_answers(returned: object, count: int) -> tuple[list[Answer], str | None]:
    """One answer for each of ``count`` messages, and what was wrong with them, if anything was.

    What is no answer becomes Unknown: the message may have gone.
    """
    if not isinstance(returned, list | tuple):
        fault = f"it answered with {type(returned).__name__}, not a list"
        return [Unknown(fault) for _ in range(count)], fault
    if len(returned) != count:
        fault = f"it gave {len(returned)} answers to {count} messages"
        return [Unknown(fault) for _ in range(count)], fault
    answers: list[Answer] = []
    faults: list[str] = []
    for one in returned:
        try:
            answers.append(_read(one))
        except ValueError as error:
            fault = f"an answer {error}" if not isinstance(one, Answer) else f"the answer {type(one).__name__}: {error}"
            faults.append(fault)
            answers.append(Unknown(clean(fault)))
    return answers, clean(faults[0]) if faults else None


def _read(answer: object) -> Answer:
    match answer:
        case Sent():
            taken = checked(answer, Sent)
            if not 1 <= taken.parts <= _MOST_PARTS:
                raise ValueError(f"says that it went in {taken.parts} parts")
            if taken.cost is not None and not (taken.cost.amount.is_finite() and taken.cost.amount >= 0):
                raise ValueError("costs less than nothing, or no amount at all")
            return Sent(clean(taken.receipt, _LONGEST_ID), taken.parts, taken.cost)
        case Retry():
            good = checked(answer, Retry)
            after = good.after if good.after is not None and math.isfinite(good.after) and good.after >= 0 else None
            return Retry(clean(good.reason), after, good.account, good.address)
        case Rejected():
            refused = checked(answer, Rejected)
            return Rejected(clean(refused.reason), refused.address_gone, refused.opted_out)
        case Unknown():
            return Unknown(clean(checked(answer, Unknown).reason))
        case _:
            raise ValueError(f"is a {type(answer).__name__}, not Sent, Retry, Rejected or Unknown")


def read_callback(returned: object, reactions: tuple[str, ...]) -> Callback:
    """The callback with every type checked; raises ValueError saying what is wrong."""
    try:
        callback = checked(returned, Callback)
    except ValueError as error:
        raise ValueError(
            f"what it made of the call {error}" if not isinstance(returned, Callback) else str(error)
        ) from None
    if not 200 <= callback.response.status <= 599:
        raise ValueError(f"it answers with the HTTP status {callback.response.status}")
    return msgspec.structs.replace(
        callback,
        reports=_read_reports(callback.reports, reactions),
        inbound=_read_inbound(callback.inbound),
    )


def read_polled(returned: object, reactions: tuple[str, ...]) -> Polled:
    """What a channel brought, with every type checked; raises ValueError saying what is wrong."""
    try:
        polled = checked(returned, Polled)
    except ValueError as error:
        raise ValueError(f"what it polled {error}" if not isinstance(returned, Polled) else str(error)) from None
    if len(polled.reports) + len(polled.inbound) > MOST_POLLED:
        raise ValueError(f"it brings more than {MOST_POLLED:,} reports at once; bring a few hundred, and again=0")
    if polled.again is not None and not (math.isfinite(polled.again) and polled.again >= 0):
        raise ValueError(f"it asks to be polled again in {polled.again} seconds")
    return msgspec.structs.replace(
        polled,
        reports=_read_reports(polled.reports, reactions),
        inbound=_read_inbound(polled.inbound),
    )


def read_findings(returned: object) -> list[Finding]:
    """What a channel found when it was examined; raises ValueError saying what is wrong."""
    if not isinstance(returned, list | tuple):
        raise ValueError(f"it examined itself and gave {type(returned).__name__}, not a list")
    findings = [checked(one, Finding) for one in returned[:MOST_FINDINGS]]
    return [
        Finding(clean(one.what, 40), one.well, clean(one.found, _LONGEST_ID), clean(one.advice, _LONGEST_ID))
        for one in findings
    ]


def _read_reports(reports: tuple[Report, ...], reactions: tuple[str, ...]) -> tuple[Report, ...]:
    known = {"delivered", "undelivered", *reactions}
    for report in reports:
        if report.what not in known:
            raise ValueError(
                f"it reports {clean(report.what, 50)!r}, which its declaration does not name among its reactions"
            )
        if not report.id or not (report.key or report.receipt):
            raise ValueError("a report has no id, or neither key nor receipt")
    return tuple(
        msgspec.structs.replace(
            report,
            id=clean(report.id, _LONGEST_ID),
            receipt=clean(report.receipt, _LONGEST_ID),
            reason=clean(report.reason),
        )
        for report in reports
    )


def _read_inbound(messages: tuple[Inbound, ...]) -> tuple[Inbound, ...]:
    for inbound in messages:
        if not inbound.id or not inbound.address:
            raise ValueError("an inbound message has no id, or no address")
    return tuple(
        msgspec.structs.replace(
            inbound,
            id=clean(inbound.id, _LONGEST_ID),
            address=clean(inbound.address, _LONGEST_ID),
            text=inbound.text.encode("utf-8", "replace").decode("utf-8").replace("\0", ""),
        )
        for inbound in messages
    )
