"""Reading recorded calls, as in the files of `segue replay`: one a line, in the format of Segment's own archives."""

from __future__ import annotations

from segue.api import Event, Instant
from segue.api.bodies import Refused, clean, read_timestamp
from segue.api.calls import (
    LARGEST_CALL,
    TYPES,
    decode_call,
    event_of,
    happened_at,
    message_id_of,
    unknown_type,
)

__all__ = ["read_recorded"]

SOURCE = "segment"
LARGEST_RECORDED = 4 * LARGEST_CALL
"""Bytes of a line: an archive adds fields of its own to a call (when it arrived) and may escape its text."""


def read_recorded(line: bytes) -> tuple[Event, Instant]:
    """The event of one recorded call, and when it arrived: ``receivedAt``, else ``timestamp``.

    ``timestamp`` in an archive has been corrected already and is taken as it stands, though never later than the
    arrival; only where it is missing is it worked out from ``originalTimestamp`` and ``sentAt``. Raises ValueError with
    a sentence that names the field.
    """
    try:
        return _read(clean(line.strip()))
    except Refused as refused:
        raise ValueError(refused.describe()) from None


def _read(line: bytes) -> tuple[Event, Instant]:
    call = decode_call(line, LARGEST_RECORDED)
    if call.type not in TYPES:
        raise unknown_type(call.type)
    if call.received_at is not None:
        received = read_timestamp(call.received_at, "receivedAt")
    elif call.timestamp is not None:
        received = read_timestamp(call.timestamp, "timestamp")
    elif call.original_timestamp is not None:
        received = read_timestamp(call.original_timestamp, "originalTimestamp")
    else:
        raise Refused("receivedAt", "is missing, and so is `timestamp`: one of them says when the call arrived")
    if call.timestamp is not None:
        happened = read_timestamp(call.timestamp, "timestamp")
    else:
        happened = happened_at(call, None, received)
    message_id = message_id_of(call, line, 0, None, received)
    return event_of(call, call.type, message_id, Instant(min(happened, received)), SOURCE), received
