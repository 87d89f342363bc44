"""When a message that could not be handed over is tried again."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from segue.api import Instant
from segue.api.values import MINUTE, SECOND

FIRST_DELAY: Final = 1 * SECOND
LONGEST_DELAY: Final = 15 * MINUTE


def retry_at(key: str, attempts: int, now: Instant, after: float | None) -> Instant:
    """The instant of the next try after ``attempts`` tries: exponential with full jitter, so that a provider that comes
    back isn't met by everybody at once; never earlier than ``after`` seconds where the provider said so. The jitter is
    a hash of the message's key and the attempt: the same in a replay."""
    ceiling = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(attempts, 20))
    draw = int.from_bytes(blake2b(f"{key}{attempts}".encode(), digest_size=4).digest(), "big") / 2**32
    delay = FIRST_DELAY // 4 + int(draw * ceiling)
    if after is not None and after > 0:
        delay = max(delay, int(min(after, 86_400.0) * SECOND) + int(draw * SECOND))
    return Instant(now + delay)
