"""Segment-style calls: JSON of type track, identify, page, screen, group or alias, and the events they mean.

They are what sources understand unless told otherwise (see `segue.api.mapping`): the tracking API, brokers, files.
Source: https://segment.com/docs/connections/spec/
"""

from __future__ import annotations

from segue.api.calls.reading import TYPES, event_of, happened_at, message_id_of, read_call, read_id, unknown_type
from segue.api.calls.refusals import Refused, refusal_of
from segue.api.calls.timestamps import Written, corrected, read_timestamp
from segue.api.calls.wire import LARGEST_CALL, Batch, Call, Context, clean, decode_batch, decode_call, decode_json

__all__ = [
    "LARGEST_CALL",
    "TYPES",
    "Batch",
    "Call",
    "Context",
    "Refused",
    "Written",
    "clean",
    "corrected",
    "decode_batch",
    "decode_call",
    "decode_json",
    "event_of",
    "happened_at",
    "message_id_of",
    "read_call",
    "read_id",
    "read_timestamp",
    "refusal_of",
    "unknown_type",
]
