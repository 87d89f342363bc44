"""How many messages are claimed for one call: no more than go out within `GOES_OUT`.

What is claimed can only be stopped until it is handed to the channel, and a channel that sends one message after the
other may have the last of them in hand for long. So a call that takes too long is followed by one of half as many, as
long as that makes calls shorter; where it does not, the provider is slow for one message as for a hundred, and there is
nothing to gain. What stands (an audience) goes in whole batches: there a call for each ten would cost more than it
saves.
"""

from __future__ import annotations

from typing import Final

import msgspec

GOES_OUT: Final = 2.0
"""Seconds within which what is claimed goes out."""
_AT_FIRST: Final = 10
_SHORTER: Final = 0.75
"""A call of half as many that takes more than this share of the time is no shorter."""


class Batches(msgspec.Struct, frozen=True):
    """``most`` messages go in one call, up to ``batch``. ``slow`` is how many seconds the latest full call took, where
    that was too long; else 0."""

    batch: int
    most: int
    slow: float = 0.0

    @classmethod
    def of(cls, batch: int, *, stands: bool) -> Batches:
        """Before the first call of a channel."""
        return cls(batch, batch if stands else min(batch, _AT_FIRST))


def after_call(batches: Batches, count: int, seconds: float, *, stands: bool) -> Batches:
    """A call with so many messages took so long."""
    if stands or count < batches.most:  # a call with fewer says nothing of more
        return batches
    if seconds <= GOES_OUT:
        quick = seconds <= GOES_OUT / 2
        return Batches(batches.batch, min(batches.batch, 2 * batches.most) if quick else batches.most)
    if batches.most > 1 and batches.slow and seconds > _SHORTER * batches.slow:
        return Batches(batches.batch, batches.batch)
    return Batches(batches.batch, max(1, batches.most // 2), seconds)
