"""What FCM's answer means: https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode and
https://firebase.google.com/docs/cloud-messaging/error-codes for what to do about each."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.api import Answer, Rejected, Response, Retry, Sent, Unknown
from segue.api.replies import quotable, retry_after

_MINUTE = 60.0
"""Seconds to wait after QUOTA_EXCEEDED where FCM names no time; it asks for a minute at least."""


def judge(response: Response, now: float) -> Answer:
    """A 200 that names the message is the only yes.

    UNREGISTERED means that the token is gone. So does INVALID_ARGUMENT where FCM names the token as its reason; else it
    is the message that is wrong. SENDER_ID_MISMATCH means a token of another Firebase project, and is a refusal and no
    more: with a wrong service account everybody's would be. What the operator can put right, the account's rights or
    the key for Apple, is a Retry."""
    status = response.status
    if status == 200:
        name = _member(_object(response.body), "name")
        if isinstance(name, str) and name:
            return Sent(receipt=name[:500])
        if not _object(_member(_object(response.body), "error")):
            return Unknown(f"FCM answered 200 {quotable(response.body)}, which names no message: is url right?")
    error = _object(_member(_object(response.body), "error"))
    code, about = _code(error), _member(error, "message")
    said = f"{code} {quotable(about.encode('utf-8', 'replace'))}" if isinstance(about, str) else quotable(response.body)
    reason = f"FCM answered {status} {said}".rstrip()
    wait = retry_after(response, now)
    match code:
        case "UNREGISTERED":
            return Rejected(reason, address_gone=True)
        case "SENDER_ID_MISMATCH":
            return Rejected(f"{reason}: the token is of another Firebase project")
        case "INVALID_ARGUMENT":
            return Rejected(reason, address_gone=_is_about_the_token(error))
        case "QUOTA_EXCEEDED" | "RESOURCE_EXHAUSTED":
            device = _is_of_a_device(error)
            return Retry(reason, _MINUTE if wait is None else wait, account=not device, address=device)
        case "THIRD_PARTY_AUTH_ERROR":
            return Retry(f"{reason}: put right the key for Apple, or for web push, in the Firebase console")
        case "UNAVAILABLE" | "INTERNAL":
            return Retry(reason, after=wait)
    if status in {502, 504} or not 300 <= status <= 599:
        return Unknown(reason)
    if status in {401, 403}:
        return Retry(f"{reason}: may the service account send, and is the Firebase Cloud Messaging API on?")
    if status == 404:
        return Retry(f"{reason}: is the project of service_account right?")
    if status in {400, 413}:
        return Rejected(reason)
    return Retry(reason, after=wait, account=status == 429)


def _code(error: dict[str, Any]) -> str:
    """FCM's own code where it is given, else Google's of every API."""
    for detail in _details(error):
        code = _member(detail, "errorCode")
        if isinstance(code, str):
            return code[:60]
    status = _member(error, "status")
    return status[:60] if isinstance(status, str) else ""


def _is_about_the_token(error: dict[str, Any]) -> bool:
    fields = [
        _member(one, "field")
        for detail in _details(error)
        for one in (_member(detail, "fieldViolations") or ())
        if isinstance(one, dict)
    ]
    about = _member(error, "message")
    return "message.token" in fields or (isinstance(about, str) and "not a valid FCM registration token" in about)


def _is_of_a_device(error: dict[str, Any]) -> bool:
    """Whether the quota is that of one device, or of a topic; else it is the project's. A google.rpc.QuotaFailure names
    it where FCM sends one."""
    named = [
        str(_member(one, name)).lower()
        for detail in _details(error)
        for one in (_member(detail, "violations") or ())
        if isinstance(one, dict)
        for name in ("subject", "description")
    ]
    return any("device" in name or "topic" in name for name in named)


def _details(error: dict[str, Any]) -> list[dict[str, Any]]:
    details = _member(error, "details")
    return [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, bytes):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _member(of: dict[str, Any], name: str) -> Any:
    return of.get(name)
