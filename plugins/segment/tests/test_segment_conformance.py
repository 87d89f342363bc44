"""The suite that every source passes, on the source as it is declared; and fuzzed bodies."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from segue.api import Instant, Request, SourceSpec, SourceTools
from segue.testing import SourceConformance
from segue_segment import SEGMENT, Config, SegmentSource

KEY = "the-key"
HEADERS = {"authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}
CALL: dict[str, Any] = {
    "type": "track",
    "userId": "ann",
    "event": "Order Completed",
    "timestamp": "2026-01-01T00:00:00.123Z",
    "properties": {"order_id": "7", "total": 12.5, "products": [{"product_id": "X1"}]},
    "context": {"traits": {"firstName": "Ann"}, "device": {"token": "t"}, "locale": "fi-FI"},
}


class TestSingleCall(SourceConformance):
    def make(self) -> tuple[SourceSpec, Config]:
        return SEGMENT, Config(write_keys=KEY)

    def good(self) -> Request:
        return Request("POST", "/v1/track", HEADERS, {}, json.dumps(CALL).encode())


class TestBatch(SourceConformance):
    def make(self) -> tuple[SourceSpec, Config]:
        return SEGMENT, Config(write_keys=(KEY, "another"))

    def good(self) -> Request:
        calls = [CALL, CALL | {"messageId": "m2", "type": "identify"}, CALL | {"userId": "bea"}]
        body = {"batch": calls, "sentAt": "2026-01-01T00:00:01Z", "writeKey": KEY}
        return Request("POST", "/v1/batch", {}, {}, json.dumps(body).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=()), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        *("type", "messageId", "userId", "anonymousId", "previousId", "groupId", "event", "name", "category"),
        *("timestamp", "originalTimestamp", "sentAt", "properties", "traits", "context", "batch", "writeKey"),
    ]
)
TYPES = st.sampled_from(["track", "identify", "page", "screen", "group", "alias"])


@given(st.dictionaries(FIELDS, JSON, max_size=8), TYPES, st.booleans())
def test_any_json_is_answered_with_a_2xx_or_a_4xx_that_names_a_field(
    call: dict[str, Any], kind: str, in_batch: bool
) -> None:
    body: dict[str, Any] = {"batch": [call | {"type": kind}]} if in_batch else call
    path = "/v1/batch" if in_batch else f"/v1/{kind}"
    request = Request("POST", path, HEADERS, {}, json.dumps(body).encode())
    received = SegmentSource(Config(write_keys=KEY), SourceTools(source="segment")).receive(
        request, Instant(1_767_225_600_000_000)
    )
    if received.events:
        assert received.response.status == 200
        json.dumps([event.properties for event in received.events], allow_nan=False).encode()
        for event in received.events:
            assert event.message_id
            assert "\0" not in repr(event)
    else:
        assert received.response.status in (400, 413)
        assert json.loads(received.response.body)["field"]
        assert len(received.rejections) == 1
