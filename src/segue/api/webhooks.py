"""What signed calls have in common, with a secret that both sides know: those of sources that other systems call, and
those that a channel makes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from segue.api.bodies import Refused
from segue.api.events import Event
from segue.api.http import Request, Response
from segue.api.sources import Received, Rejection
from segue.api.values import MINUTE, Instant

__all__ = [
    "answer",
    "number",
    "present",
    "require_fresh",
    "require_signed",
    "secrets_of",
    "sign",
    "signed_topic",
    "standard_key",
    "standard_signature",
]

TOLERANCE: Final = 5 * MINUTE
"""How far the moment that was signed may lie from now, both ways: one call that was caught is of no use for longer."""
_PREFIX: Final = "whsec_"
MOST_SIGNATURES: Final = 16
"""Signatures of one request that are looked at: there are two while a secret is changed."""


def answer(request: Request, read: Callable[[], Iterable[Event]]) -> Received:
    """What `Source.receive` gives: the events that ``read`` finds, and status 200; or the refusal that it raised."""
    try:
        events = tuple(read())
    except Refused as refused:
        reason = refused.describe()
        body = msgspec.json.encode({"error": reason})
        response = Response(refused.status, body, {"content-type": "application/json"})
        return Received((), response, (Rejection(reason=reason, raw=request.body),))
    return Received(events, Response(200))


def secrets_of(secret: str | tuple[str, ...], setting: str = "secret") -> tuple[str, ...]:
    """The secrets of a setting that has one or, while they are changed, several. Raises ValueError where one is
    empty."""
    secrets = (secret,) if isinstance(secret, str) else secret
    if not secrets or "" in secrets:
        raise ValueError(f"`{setting}` is empty: give the secret that the other side signs with")
    return secrets


def sign(secret: bytes, *parts: bytes) -> bytes:
    """The HMAC with SHA-256 of the parts."""
    return hmac.digest(secret, b"".join(parts), hashlib.sha256)


def standard_key(secret: str) -> bytes:
    """The bytes of a secret of Standard Webhooks: base64, most often behind ``whsec_``. Raises ValueError, which does
    not show it. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"""
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(
            "`secret` is no secret of Standard Webhooks: it is base64, most often behind `whsec_`"
        ) from None


def standard_signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """One signature of the header ``webhook-signature``: the version, a comma, and the HMAC in base64."""
    signed = sign(key, message_id.encode(), b".", timestamp.encode(), b".", body)
    return f"v1,{base64.b64encode(signed).decode()}"


def require_signed(field: str, good: Iterable[bytes], given: Iterable[bytes]) -> None:
    """Raises Refused, naming the header, with 401 unless one of the given signatures is a good one. All are compared,
    each in constant time: how long that takes says nothing about any of them."""
    shown = list(given)[:MOST_SIGNATURES]
    known = [hmac.compare_digest(mine, theirs) for mine in good for theirs in shown]
    if True not in known:
        problem = "shows nothing that was made with" if shown else "is missing: it shows that the caller knows"
        raise Refused(field, f"{problem} the secret of this source", status=401)


def signed_topic(request: Request, secrets: Iterable[bytes], *, signature: str, topic: str) -> str:
    """The topic of a call that shops make: what the header ``topic`` says, in lower case, once the header ``signature``
    has shown the HMAC of the body in base64. Raises Refused."""
    given = request.headers.get(signature)
    good = (base64.b64encode(sign(secret, request.body)) for secret in secrets)
    require_signed(signature, good, [given.encode()] if given else [])
    named = request.headers.get(topic, "").lower()
    if not named:
        raise Refused(topic, "is missing: it says what the body is")
    return named


def require_fresh(field: str, signed_at: str, now: Instant) -> None:
    """Raises Refused with 401 unless a moment, in Unix seconds, lies within five minutes of now."""
    if not signed_at.isascii() or not signed_at.isdigit() or len(signed_at) > 12:
        raise Refused(field, f"says {signed_at[:40]!r} for when it was signed, which must be Unix seconds", status=401)
    if abs(int(signed_at) * 1_000_000 - now) > TOLERANCE:
        problem = "says that it was signed more than 5 minutes from now: it is a repetition, or a clock is wrong"
        raise Refused(field, problem, status=401)


def number(value: object) -> int | float | None:
    """An amount or a count as JSON has it, from a number or a text such as ``"59.80"``; None where it is neither."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        found = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    if not found.is_finite() or abs(found) >= 10**15:
        return None
    return int(found) if found == found.to_integral_value() else float(found)


def present(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Those fields that have a value: what a system leaves empty is not known, which is not the same as gone."""
    return {name: value for name, value in fields.items() if value is not None and value not in ("", [], {})}
