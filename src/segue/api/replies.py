"""What channels read from providers' answers in one and the same way."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from segue.api.http import Response

__all__ = ["LONGEST_WAIT", "quotable", "retry_after"]

LONGEST_WAIT: Final = 86_400.0
"""Seconds. A provider that asks for more is asked again after a day."""

_SECONDS: Final = re.compile(r"[0-9]+")


def retry_after(response: Response, now: float) -> float | None:
    """The seconds that an answer's ``Retry-After`` asks for, in either form: a number of them, or a date (RFC 9110,
    10.2.3). ``now`` is in seconds since 1970. None where it is missing or cannot be read; never below 0 and never above
    `LONGEST_WAIT`."""
    value = next((value.strip() for name, value in response.headers.items() if name.lower() == "retry-after"), "")
    if _SECONDS.fullmatch(value):
        return min(float(value[:9]), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:  # "-0000", and asctime's form: both mean UTC
            moment = moment.replace(tzinfo=UTC)
        return min(max(moment.timestamp() - now, 0.0), LONGEST_WAIT)
    except (ValueError, OverflowError):
        return None


def quotable(body: bytes, most: int = 200) -> str:
    """The beginning of an answer's body as one line that can stand in a reason: no control characters, and not long."""
    text = body[: 2 * most].decode("utf-8", "replace")
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= most else line[: most - 1] + "…"
