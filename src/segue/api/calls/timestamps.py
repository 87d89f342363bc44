"""When a call happened: undoing a wrong client clock."""

from __future__ import annotations

from typing import Final

from segue.api.values import Instant

__all__ = ["Written", "corrected", "not_after_arrival"]

Written = str | int | float | None
"""A timestamp as it stands in JSON."""
_LATEST: Final = 253_402_300_799_999_999
"""The end of the year 9999: no later instant can be written."""


def corrected(original: Instant, sent: Instant | None, received: Instant) -> Instant:
    """The instant by our own clock: ``received - (sent - original)``, as Segment computes it, so that a phone whose
    clock is an hour wrong does no harm. It may lie in the future: Segue takes an event as of its arrival then, and
    notices the clock.
    Source: https://segment.com/docs/connections/spec/common/#timestamps"""
    happened = original if sent is None else received - (sent - original)
    return Instant(max(0, min(happened, _LATEST)))


def not_after_arrival(happened: Instant, received: Instant, now: Instant) -> Instant:
    """When something happened that somebody else received and kept until ``now``: not after they received it. What lies
    even after now is handed on as it is, so that Segue notices the clock."""
    return happened if happened > now else min(happened, received)
