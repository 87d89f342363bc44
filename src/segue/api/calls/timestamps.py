"""When a call happened: reading timestamps as clients write them, and undoing a wrong client clock."""

from __future__ import annotations

from segue.api.calls.refusals import Refused
from segue.api.instants import read_instant
from segue.api.values import Instant

__all__ = ["Written", "corrected", "read_timestamp"]

Written = str | int | float | None
"""A timestamp as it stands in JSON."""


def read_timestamp(written: str | int | float, field: str) -> Instant:
    """The instant meant by ``written``, as `read_instant` reads it. Raises Refused, naming the field."""
    try:
        return read_instant(written)
    except ValueError as error:
        raise Refused(field, str(error)) from None


def corrected(original: Instant, sent: Instant | None, received: Instant) -> Instant:
    """The instant by our own clock: ``received - (sent - original)``, as Segment computes it, so that a phone whose
    clock is an hour wrong does no harm. Never later than the arrival.
    Source: https://segment.com/docs/connections/spec/common/#timestamps"""
    happened = original if sent is None else received - (sent - original)
    return Instant(max(0, min(happened, received)))
