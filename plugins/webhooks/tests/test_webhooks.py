"""Webhooks of any tool: signatures, paths, and what becomes of a call."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.api import Instant, Received, Request, SourceSpec, SourceTools
from segue.api.mapping import Mapping
from segue.testing import SourceConformance
from segue_webhooks import WEBHOOKS, Config, WebhookSource

NOW = Instant(1_790_000_000_000_000)
KEY = b"0123456789abcdef01234567"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
MAPPING = Mapping(
    event="$.type",
    names={"purchase.completed": "ordered"},
    ignore=("ping",),
    time="$.timestamp",
    user="$.data.member.number",
    ids={"loyalty": "$.data.member.card"},
    fields={"order_id": "$.data.receipt.number", "total": "$.data.receipt.cents | hundredths", "currency": "EUR"},
    lines={
        "each": "$.data.receipt.lines",
        "product_id": "$.article",
        "price": "$.cents | hundredths",
        "quantity": "$.pieces",
    },
    traits={"email": "$.data.member.mail"},
)
BODY: dict[str, Any] = {
    "type": "purchase.completed",
    "timestamp": "2026-09-21T14:00:00Z",
    "data": {
        "member": {"number": 4711, "mail": "ann@example.com", "card": "F-1", "given_name": None},
        "receipt": {
            "number": 17,
            "cents": 5980,
            "lines": [{"article": "X1", "cents": 2990, "pieces": 2}, {"article": "X2", "cents": "0", "pieces": 1}],
        },
    },
}


def signature(body: bytes, message_id: str, moment: int, key: bytes = KEY) -> str:
    digest = hmac.new(key, f"{message_id}.{moment}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def signed(
    body: object, message_id: str = "msg_1", at: int = NOW // 1_000_000, headers: dict[str, str] | None = None
) -> Request:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    own = {"webhook-id": message_id, "webhook-timestamp": str(at), "webhook-signature": signature(raw, message_id, at)}
    return Request("POST", "/hooks/loyalty", {**own, **(headers or {})}, {}, raw)


def received(request: Request, **settings: Any) -> Received:
    config = Config(**{"secret": SECRET, "map": MAPPING, **settings})
    return WebhookSource(config, SourceTools(source="loyalty")).receive(request, NOW)


class TestSigned(SourceConformance):
    def make(self) -> tuple[SourceSpec, Config]:
        return WEBHOOKS, Config(secret=SECRET, map=MAPPING)

    def good(self) -> Request:
        return signed(BODY)


class TestWithAToken(SourceConformance):
    def make(self) -> tuple[SourceSpec, Config]:
        return WEBHOOKS, Config(header="x-key", token="t", map=MAPPING)

    def good(self) -> Request:
        return Request("POST", "/hooks/loyalty", {"x-key": "t"}, {}, json.dumps(BODY).encode())


def test_a_call_becomes_an_event_by_the_paths_and_each_line_one_of_its_own() -> None:
    order, first, second = received(signed(BODY)).events
    assert (order.name, order.message_id, order.source, order.user_id) == ("ordered", "msg_1", "loyalty", "4711")
    assert order.ids == {"loyalty": "F-1"}
    assert order.traits == {"email": "ann@example.com"}
    assert order.properties == {
        "order_id": 17,
        "total": 59.8,
        "currency": "EUR",
        "products": [
            {"product_id": "X1", "price": 29.9, "quantity": 2},
            {"product_id": "X2", "price": 0, "quantity": 1},
        ],
        "items": ["X1", "X2"],
    }
    assert order.timestamp == 1_789_999_200_000_000
    assert (first.name, first.message_id, second.message_id) == ("item_ordered", "msg_1/line-1", "msg_1/line-2")
    assert first.properties == {"product_id": "X1", "price": 29.9, "quantity": 2, "order_id": 17, "currency": "EUR"}


def test_without_a_mapping_bodies_are_segment_style_calls() -> None:
    call = {"type": "track", "event": "Ticket Sold", "userId": "ann", "properties": {"seat": "A1"}}
    (event,) = received(signed(call), map=None).events
    assert (event.name, event.properties, event.user_id) == ("Ticket Sold", {"seat": "A1"}, "ann")
    assert (event.message_id, event.timestamp) == ("msg_1", NOW)


def test_where_the_body_says_no_time_it_is_the_moment_of_signing() -> None:
    request = signed({**BODY, "timestamp": None}, at=NOW // 1_000_000 - 100)
    assert {event.timestamp for event in received(request).events} == {NOW - 100_000_000}


def test_what_the_project_passes_over_is_taken_and_means_nothing() -> None:
    answer = received(signed({"type": "ping"}))
    assert (answer.response.status, answer.events, answer.rejections) == (200, (), ())


# Who may call


def test_while_a_secret_is_changed_both_are_good() -> None:
    both = ("whsec_" + base64.b64encode(b"another").decode(), SECRET)
    assert received(signed(BODY), secret=both).response.status == 200


def test_one_good_signature_among_several_is_enough() -> None:
    good = signed(BODY).headers["webhook-signature"]
    request = signed(BODY, headers={"webhook-signature": f"v1a,xyz v1,{'A' * 43}= {good}"})
    assert received(request).response.status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": ""},
        {"webhook-signature": "v2," + signature(json.dumps(BODY).encode(), "msg_1", NOW // 1_000_000)[3:]},
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-timestamp": str(NOW // 1_000_000 + 1)},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-timestamp": "²"},
    ],
    ids=str,
)
def test_a_forged_call_is_refused(headers: dict[str, str]) -> None:
    answer = received(signed(BODY, headers=headers))
    assert (answer.response.status, answer.events) == (401, ())


def test_a_changed_body_is_refused() -> None:
    request = signed(BODY)
    assert received(msgspec.structs.replace(request, body=request.body + b" ")).response.status == 401


@pytest.mark.parametrize(("seconds", "status"), [(-299, 200), (299, 200), (-301, 401), (301, 401)])
def test_a_call_that_was_caught_is_of_no_use_after_five_minutes(seconds: int, status: int) -> None:
    assert received(signed(BODY, at=NOW // 1_000_000 + seconds)).response.status == status


def test_the_id_that_counts_is_the_body_s_own_else_the_one_that_was_signed() -> None:
    assert received(signed(BODY, "msg_9")).events[0].message_id == "msg_9"
    own = msgspec.structs.replace(MAPPING, id="$.own")
    assert received(signed({**BODY, "own": 5}), map=own).events[0].message_id == "5"


@pytest.mark.parametrize(("shown", "status"), [("t1", 200), ("t2", 200), ("t3", 401), ("", 401), ("té", 401)])
def test_a_tool_that_cannot_sign_shows_a_token(shown: str, status: int) -> None:
    request = Request("POST", "/hooks/loyalty", {"x-key": shown}, {}, json.dumps(BODY).encode())
    assert received(request, secret=(), header="X-Key", token=("t1", "t2")).response.status == status


def test_without_an_id_the_same_bytes_are_the_same_event() -> None:
    def post(body: bytes) -> str:
        request = Request("POST", "/hooks/loyalty", {"x-key": "t"}, {}, body)
        return received(request, secret=(), header="x-key", token="t", map=Mapping(event="$.type")).events[0].message_id

    assert post(b'{"type": "a"}') == post(b'{"type": "a"}') != post(b'{"type": "b"}')


# What is refused


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not valid JSON"),
        (b"[]", "no JSON object"),
        (b"{" * 70, "64 deep"),
        (b'{"type": "x", "data": ' + b"[" * 70 + b"]" * 70 + b"}", "64 deep"),
        ({**BODY, "type": None}, "`$.type` is missing"),
        ({**BODY, "type": "x" * 1001}, "`$.type` has 1,001 characters"),
        ({**BODY, "timestamp": "soon"}, "`$.timestamp` is 'soon'"),
        ({**BODY, "timestamp": -5}, "before 1970"),
        ({"type": "x", "data": {"member": {"number": True}}}, "`$.data.member.number` is no id"),
        ({"type": "x"}, "finds nobody"),
    ],
    ids=str,
)
def test_what_cannot_be_taken_is_told_with_its_path(body: object, words: str) -> None:
    answer = received(signed(body))
    assert (answer.response.status, answer.events) == (400, ())
    assert words in json.loads(answer.response.body)["error"]
    assert words in answer.rejections[0].reason


def test_a_line_break_in_a_header_of_an_id_changes_nothing_in_the_signed_text() -> None:
    assert received(signed(BODY, headers={"webhook-id": "msg_1."})).response.status == 401


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"secret": ()}, "give `secret`"),
        ({"header": "x-key"}, "not both"),
        ({"secret": ("", SECRET)}, "`secret` is empty"),
        ({"secret": (), "header": "x-key"}, "`token` is empty"),
        ({"secret": "whsec_???"}, "no secret of Standard Webhooks"),
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_is_told(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", "\\(")):
        received(signed(BODY), **settings)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["member", "receipt", "number", "lines", "cents", "article"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(["type", "timestamp", "data"]), JSON))
def test_any_json_is_an_event_or_refused(body: dict[str, Any]) -> None:
    answer = received(signed(body))
    assert answer.response.status in (200, 400)
    assert not answer.events or answer.response.status == 200
