"""Segment-style calls: JSON of type track, identify, page, screen, group or alias, and the events they mean.

They are what sources understand unless told otherwise (see `segue.api.mapping`): the tracking API, brokers, files.
Source: https://segment.com/docs/connections/spec/
"""

from __future__ import annotations

from segue.api.calls.reading import TYPES, event_of, happened_at, message_id_of, read_call, unknown_type
from segue.api.calls.timestamps import Written, corrected, not_after_arrival
from segue.api.calls.wire import LARGEST_CALL, Batch, Call, Context, decode_batch, decode_call, decode_json

__all__ = [
    "LARGEST_CALL",
    "TYPES",
    "Batch",
    "Call",
    "Context",
    "Written",
    "corrected",
    "decode_batch",
    "decode_call",
    "decode_json",
    "event_of",
    "happened_at",
    "message_id_of",
    "not_after_arrival",
    "read_call",
    "unknown_type",
]
