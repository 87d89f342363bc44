"""What sources have in common that other systems call, each signing its calls with a secret that both know."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from segue.api.bodies import Refused
from segue.api.events import Event
from segue.api.http import Request, Response
from segue.api.instants import read_instant
from segue.api.shop import order_lines
from segue.api.sources import Received, Rejection
from segue.api.values import MINUTE, Instant

__all__ = [
    "answer",
    "moment_of",
    "number",
    "present",
    "require_fresh",
    "require_signed",
    "secrets_of",
    "sign",
    "text_id",
]

TOLERANCE: Final = 5 * MINUTE
"""How far the moment that was signed may lie from now, both ways: one call that was caught is of no use for longer."""
MOST_SIGNATURES: Final = 16
"""Signatures of one request that are looked at: there are two while a secret is changed."""
LONGEST: Final = 1000
"""Characters of an id: all of them are keys of indexes."""


def answer(request: Request, now: Instant, read: Callable[[], Iterable[Event]]) -> Received:
    """What `Source.receive` gives: the events that ``read`` finds, each order followed by its lines, none later than
    now, and status 200; or the refusal that it raised."""
    try:
        events = [
            event if event.timestamp <= now else msgspec.structs.replace(event, timestamp=now) for event in read()
        ]
    except Refused as refused:
        body = msgspec.json.encode({"error": refused.reason})
        response = Response(refused.status, body, {"content-type": "application/json"})
        return Received((), response, (Rejection(reason=refused.reason, raw=request.body),))
    return Received(tuple(one for event in events for one in (event, *order_lines(event))), Response(200))


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


def require_signed(good: Iterable[bytes], given: Iterable[bytes]) -> None:
    """Raises Refused with 401 unless one of the given signatures is one of the good ones. All are compared, each in
    constant time: how long that takes says nothing about any of them."""
    shown = list(given)[:MOST_SIGNATURES]
    known = [hmac.compare_digest(mine, theirs) for mine in good for theirs in shown]
    if True not in known:
        what = "none of its signatures is" if len(shown) > 1 else "its signature is not" if shown else "nothing was"
        raise Refused(f"the request was not signed with the secret of this source: {what} made with it", 401)


def require_fresh(signed_at: str, now: Instant) -> None:
    """Raises Refused with 401 unless a moment, in Unix seconds, lies within five minutes of now."""
    if not signed_at.isascii() or not signed_at.isdigit() or len(signed_at) > 12:
        raise Refused(f"the moment of the signature is {signed_at[:40]!r}, and must be in Unix seconds", 401)
    if abs(int(signed_at) * 1_000_000 - now) > TOLERANCE:
        raise Refused("the request was signed more than 5 minutes ago, or its sender's clock is wrong", 401)


def moment_of(written: str | int | float, field: str) -> Instant:
    """A moment as `read_instant` reads it. Raises Refused, naming the field."""
    try:
        return read_instant(written)
    except ValueError as error:
        raise Refused(f"`{field}` {error}") from None


def text_id(value: object, field: str) -> str | None:
    """An id as text; None where it is absent or empty. Raises Refused where it is none, or too long."""
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise Refused(f"`{field}` is no id: it must be text or a whole number")
    text = str(value)
    if len(text) > LONGEST:
        raise Refused(f"`{field}` is too long: an id may have {LONGEST:,} characters")
    return text


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
