"""When a call happened: undoing a wrong client clock."""

from __future__ import annotations

from segue.api.values import Instant

__all__ = ["Written", "corrected"]

Written = str | int | float | None
"""A timestamp as it stands in JSON."""


def corrected(original: Instant, sent: Instant | None, received: Instant) -> Instant:
    """The instant by our own clock: ``received - (sent - original)``, as Segment computes it, so that a phone whose
    clock is an hour wrong does no harm. Never later than the arrival.
    Source: https://segment.com/docs/connections/spec/common/#timestamps"""
    happened = original if sent is None else received - (sent - original)
    return Instant(max(0, min(happened, received)))
