"""What the gateway's answer to ``sendsms`` means (Kannel user guide, "SMS push (sendsms)")."""

from __future__ import annotations

from segue.api import Answer, Rejected, Response, Retry, Sent, Unknown

# A proxy says these when it does not know what became of the request.
_IN_DOUBT = frozenset({502, 504})
_MESSAGE_AT_FAULT = frozenset({400, 406, 410, 413, 414, 422})


def judge(response: Response) -> Answer:
    """202 with ``0:`` (accepted) or ``3:`` (queued) is the only yes. What the operator of Segue can put right, a
    password, an address or a missing sender, is a Retry: the message is not at fault, and goes once it is corrected."""
    status = response.status
    said = _readable(response.body)
    reason = f"the gateway answered {status} {said}".rstrip()
    if status in {200, 202}:
        if said.startswith(("0:", "3:")):
            return Sent()
        return Unknown(f"{reason!r}, which is no answer of sendsms: is url right?")
    lower = said.lower()
    if "do not try again" in lower or "denied by" in lower:
        return Rejected(reason)
    if status in _IN_DOUBT:
        return Unknown(reason)
    if 300 <= status <= 399:
        return Retry(f"{reason}: redirects are not followed, set url to the final address")
    if status in _MESSAGE_AT_FAULT and "sender missing" not in lower:
        return Rejected(reason)
    return Retry(reason, after=_retry_after(response))


def _retry_after(response: Response) -> float | None:
    for name, value in response.headers.items():
        if name.lower() == "retry-after" and value.strip().isascii() and value.strip().isdigit():
            return float(min(int(value.strip()[:9]), 86_400))
    return None


def _readable(body: bytes) -> str:
    text = body[:400].decode("utf-8", "replace")
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= 200 else line[:199] + "…"
