"""What the gateway's answer to ``sendsms`` means (Kannel user guide, "SMS push (sendsms)")."""

from __future__ import annotations

import time

from segue.api import Answer, Rejected, Response, Retry, Sent, Unknown
from segue.api.replies import quotable, retry_after

# A proxy says these when it does not know what became of the request.
_IN_DOUBT = frozenset({502, 504})
_MESSAGE_AT_FAULT = frozenset({400, 406, 410, 413, 414, 422})


def judge(response: Response) -> Answer:
    """202 with ``0:`` (accepted) or ``3:`` (queued) is the only yes. What the operator of Segue can put right, a
    password, an address or a missing sender, is a Retry: the message is not at fault, and goes once it is corrected."""
    status = response.status
    said = quotable(response.body)
    reason = f"the gateway answered {status} {said}".rstrip()
    if status in {200, 202}:
        if said.startswith(("0:", "3:")):
            return Sent()
        return Unknown(f"{reason!r}, which is no answer of sendsms: is url right?")
    lower = said.lower()
    if "do not try again" in lower or "denied by" in lower:
        return Rejected(reason)
    if status in _IN_DOUBT or not 300 <= status <= 599:
        return Unknown(reason)
    if 300 <= status <= 399:
        return Retry(f"{reason}: redirects are not followed, set url to the final address")
    if status in _MESSAGE_AT_FAULT and "sender missing" not in lower:
        return Rejected(reason)
    return Retry(reason, after=retry_after(response, time.time()), account=status == 429)
