"""What a receiver's answer means.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#webhook-delivery: 2xx is yes,
redirects are failures, 410 asks to be called no more.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from segue.api import Answer, Rejected, Response, Retry, Sent, Unknown
from segue.api.replies import quotable, retry_after

_LATER: Final = frozenset({408, 425, 429, 503})
_FOR_THE_OPERATOR: Final = frozenset({401, 403, 404, 405, 407, 421})
"""What says that address or secret are wrong, and not the message."""
_ABSENT: Final = object()


class Judge:
    """Reads answers; ``ok`` and ``error`` are the settings of these names."""

    def __init__(self, ok: str = "", error: str = "") -> None:
        self._ok = _steps(ok)
        self._error = _steps(error)

    def __call__(self, response: Response, now: float, *, ours: bool) -> Answer:
        """A 5xx other than 503 says nothing about what became of the message. What the operator can put right, where
        the address stands in the settings, is a Retry; a stranger's address that does not work is a Rejected."""
        status = response.status
        reason = f"the receiver answered {status} {quotable(response.body)}".rstrip()
        if 200 <= status <= 299:
            return self._read(response.body, reason)
        if status == 410:
            return Rejected(reason, address_gone=True)
        if status in _LATER:
            return Retry(reason, retry_after(response, now), account=ours and status == 429, address=not ours)
        if 300 <= status <= 399:
            reason = f"{reason}: redirects are not followed, give the final address"
            return Retry(reason) if ours else Rejected(reason)
        if status in _FOR_THE_OPERATOR and ours:
            return Retry(f"{reason}: is url right, and does the receiver know the secret?")
        if 400 <= status <= 499:
            return Rejected(reason)
        return Unknown(reason)

    def _read(self, body: bytes, reason: str) -> Answer:
        """A 2xx: the message was taken, unless the answer says otherwise in the places that are set."""
        if not self._ok and not self._error:
            return Sent()
        try:
            answer = msgspec.json.decode(body) if body.strip() else None
        except (msgspec.DecodeError, RecursionError):
            return Unknown(f"{reason}, which is no JSON")
        if self._error and (error := _walk(answer, self._error)) is not _ABSENT and error:
            return Rejected(f"the receiver answered with an error: {quotable(msgspec.json.encode(error))}")
        if self._ok and _walk(answer, self._ok) not in (True, "true", "ok", "success"):
            return Rejected(f"{reason}, which does not say in $.{'.'.join(self._ok)} that it was taken")
        return Sent()


def _steps(place: str) -> tuple[str, ...]:
    return tuple(place.removeprefix("$.").split(".")) if place else ()


def _walk(value: Any, steps: tuple[str, ...]) -> Any:
    for step in steps:
        if not isinstance(value, dict) or step not in value:
            return _ABSENT
        value = value[step]
    return value
