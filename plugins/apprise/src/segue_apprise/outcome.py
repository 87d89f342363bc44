"""What it means that Apprise says no, from the words of its log.

The services share their wording: a refusal by HTTP ends in ``error=404.``, and what a connection met stands behind
``Socket Exception:`` (https://github.com/caronc/apprise, apprise/plugins).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import unquote

import msgspec

from segue.api import Answer, Rejected, Retry, Unknown
from segue.api.replies import quotable

_STATUS: Final = re.compile(r"\berror=(\d{3})\b")
_SMTP: Final = re.compile(r"\((\d{3}), b['\"]")
_NOT_REACHED: Final = re.compile(
    r"refused|NewConnectionError|ConnectTimeout|NameResolution|not known|name resolution|unreachable|No route to host|"
    r"CERTIFICATE_VERIFY_FAILED",
    re.IGNORECASE,
)
_CUT_OFF: Final = re.compile(r"timed? ?out|aborted|reset by peer|disconnected|unexpectedly closed|IncompleteRead", re.I)
_LATER: Final = frozenset({408, 425, 429, 503})
_FOR_THE_OPERATOR: Final = frozenset({401, 403, 407})
_SHORTEST: Final = 4
"""Characters of a piece of an address that is struck out: shorter ones would strike out words."""


def judge(heard: Sequence[str]) -> Answer:
    """The answer to a message that Apprise did not deliver. A wrong key is the operator's to put right, so a Retry."""
    said = [line.partition(" ")[2] for line in heard if not line.startswith(("DEBUG ", "TRACE ", "INFO "))]
    words = quotable(" ".join(dict.fromkeys(said)).encode("utf-8", "replace"), 400)
    reason = f"Apprise says: {words}" if words else "Apprise did not deliver it, and does not say why"
    everything = "\n".join(heard)
    status = _STATUS.search(everything)
    if status is not None:
        return _by_http(int(status[1]), reason)
    smtp = _SMTP.search(everything)
    if smtp is not None:
        return Rejected(reason) if smtp[1].startswith("5") else Retry(reason)
    if _NOT_REACHED.search(everything) is None and _CUT_OFF.search(everything) is not None:
        return Unknown(reason)
    return Retry(reason)


def _by_http(status: int, reason: str) -> Answer:
    if status in _LATER or status in _FOR_THE_OPERATOR:
        return Retry(reason)
    if 400 <= status <= 499:
        return Rejected(reason)
    return Unknown(reason)


def secrets_of(url: str) -> frozenset[str]:
    """The pieces of an address, and what they stand for: any may be a key."""
    pieces = re.split(r"[:/?&=@,;#]+", url.partition("://")[2])
    found = {form for piece in pieces for form in (piece, unquote(piece))}
    return frozenset(piece for piece in found if len(piece) >= _SHORTEST)


def without(answer: Answer, secrets: Iterable[str]) -> Answer:
    """The answer with the secrets struck out of its reason."""
    reason = getattr(answer, "reason", "")
    for secret in sorted(secrets, key=len, reverse=True):
        reason = reason.replace(secret, "…")
    return msgspec.structs.replace(answer, reason=reason)
