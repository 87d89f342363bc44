"""What Twilio's answers and error codes mean: https://www.twilio.com/docs/api/errors, and for the statuses
https://www.twilio.com/docs/messaging/api/message-resource#message-status-values."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from segue.api import Answer, Rejected, Response, Retry, Sent, Unknown
from segue.api.replies import quotable, retry_after

__all__ = ["FAILURES", "address_is_gone", "is_opted_out", "judge"]

FAILURES: Final = frozenset({"failed", "undelivered", "canceled"})
"""Statuses of a message that will not arrive."""

_GONE: Final = frozenset(
    {
        21211,  # 'To' is no valid number
        21217,  # it does not appear to be one
        21614,  # it is not a mobile number
        30005,  # an unknown handset: the number is not in service (any more)
    }
)
"""30003 (unreachable: switched off), 30004 (blocked), 30006 (a landline, or a carrier out of reach) and 63106 (no RCS
on that telephone) are not among them: the number may well live, and other channels reach it."""

_OPTED_OUT: Final = 21610
"""Its owner sent STOP to this sender or Messaging Service, and Twilio heeds that."""

_ACCOUNT_AT_FAULT: Final = frozenset(
    {
        20003,  # authentication
        21212,  # 'From' is no valid number,
        21603,  # is missing,
        21606,  # is not of this account,
        21659,  # is no number of Twilio's,
        21660,  # or belongs to another account
        21701,  # there is no such Messaging Service,
        21703,  # or it has no sender
        21705,  # its SID is wrong
        30002,  # the account is suspended
    }
)
"""Nothing is wrong with the message: it goes once the operator of Segue has put the account or the settings right."""

_LATER: Final = frozenset({14107, 20429, 21611, 30001, 30022, 63018})
"""Too much at once: requests, or messages in a queue."""

_IN_DOUBT: Final = frozenset({500, 502, 504})
_SID: Final = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")


class _Created(msgspec.Struct, frozen=True):
    sid: str
    status: str = ""
    num_segments: str | None = None
    error_code: int | None = None
    error_message: str | None = None


class _Refusal(msgspec.Struct, frozen=True):
    code: int | None = None
    message: str = ""


def judge(response: Response, now: float, parts: int) -> Answer:
    """The answer to a request to create a message. ``now`` is in seconds since 1970, ``parts`` in how many parts the
    text goes: a Messaging Service says 0, as long as it has no sender for it."""
    status = response.status
    refusal = _read(response.body, _Refusal)
    if status in {200, 201, 202} and (refusal is None or refusal.code is None):
        return _judge_created(response, parts)
    code = refusal.code if refusal is not None else None
    said = quotable(refusal.message.encode("utf-8", "replace") if code is not None else response.body)
    reason = f"Twilio answered {status}{f' with {code}' if code is not None else ''}: {said}".rstrip(": ")
    if status in _IN_DOUBT or (code is None and not 300 <= status <= 599):
        return Unknown(reason)
    if status == 429 or status > 500 or code in _LATER:
        return Retry(reason, after=retry_after(response, now), account=status == 429)
    if 300 <= status <= 399:
        return Retry(f"{reason}: redirects are not followed, set url to the final address")
    if status in {401, 403, 404} or code in _ACCOUNT_AT_FAULT or code is None:
        # A wrong account, or no answer of Twilio's at all (a proxy in between).
        return Retry(reason)
    return _refuse(code, reason)


def address_is_gone(code: int) -> bool:
    """Whether an error says that nobody is reached by this number any more."""
    return code in _GONE


def is_opted_out(code: int) -> bool:
    """Whether an error says that Twilio was told STOP."""
    return code == _OPTED_OUT


def _judge_created(response: Response, parts: int) -> Answer:
    created = _read(response.body, _Created)
    if created is None or _SID.fullmatch(created.sid) is None:
        return Unknown(f"Twilio answered {response.status} {quotable(response.body)!r}, which names no message")
    if created.status in FAILURES or created.error_code:
        said = quotable((created.error_message or "").encode("utf-8", "replace"))
        reason = f"Twilio took it and answered {created.status} with {created.error_code}: {said}".rstrip(": ")
        return _refuse(created.error_code or 0, reason)
    counted = created.num_segments or ""
    if counted.isascii() and counted.isdigit() and 1 <= int(counted[:4]) <= 255:
        parts = int(counted[:4])
    return Sent(created.sid, parts)


def _refuse(code: int, reason: str) -> Rejected:
    return Rejected(reason, address_gone=address_is_gone(code), opted_out=is_opted_out(code))


def _read(body: bytes, shape: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, RecursionError):
        return None
