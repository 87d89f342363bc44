"""Webhooks of any tool: signatures, paths, and what becomes of a call."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Instant, Received, Request, SourceSpec, SourceTools
from segue.testing import SourceConformance
from segue_webhooks import WEBHOOKS, Config, WebhookSource

NOW = Instant(1_790_000_000_000_000)
KEY = b"0123456789abcdef01234567"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
MAPPED: dict[str, Any] = {
    "user_id": "data.member.number",
    "data": "",
    "names": {"purchase.completed": "ordered"},
    "fields": {"order_id": "data.receipt.number", "total": "data.receipt.cents / 100", "currency": "=EUR"},
    "lines": {"each": "data.receipt.lines", "product_id": "article", "price": "cents / 100", "quantity": "pieces"},
    "traits": {"email": "data.member.mail", "first_name": "data.member.given_name"},
    "ids": {"loyalty": "data.member.card"},
}
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
    config = Config(**{"secret": SECRET, **settings})
    return WebhookSource(config, SourceTools(source="loyalty")).receive(request, NOW)


class TestSigned(SourceConformance):
    def make(self) -> tuple[SourceSpec, Config]:
        return WEBHOOKS, Config(secret=SECRET, **MAPPED)

    def good(self) -> Request:
        return signed(BODY)


class TestWithAToken(SourceConformance):
    def make(self) -> tuple[SourceSpec, Config]:
        return WEBHOOKS, Config(header="x-key", token="t", **MAPPED)

    def good(self) -> Request:
        return Request("POST", "/hooks/loyalty", {"x-key": "t"}, {}, json.dumps(BODY).encode())


def test_a_call_becomes_an_event_by_the_paths_and_each_line_one_of_its_own() -> None:
    order, first, second = received(signed(BODY), **MAPPED).events
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


def test_without_any_mapping_the_form_of_standard_webhooks_is_understood() -> None:
    (event,) = received(signed({"type": "Ticket Sold", "data": {"seat": "A1"}}), user_id="data.seat").events
    assert (event.name, event.properties, event.user_id) == ("Ticket Sold", {"seat": "A1"}, "A1")
    assert event.timestamp == NOW


def test_a_call_without_a_name_brings_traits() -> None:
    (event,) = received(signed({"data": {"mail": "ann@example.com"}}), traits={"email": "data.mail"}).events
    assert (event.name, event.traits, event.properties) == (None, {"email": "ann@example.com"}, {})


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


def test_the_id_that_counts_is_the_one_that_was_signed() -> None:
    assert received(signed(BODY, "msg_9")).events[0].message_id == "msg_9"
    assert received(signed({**BODY, "own": 5}), id="own").events[0].message_id == "5"


@pytest.mark.parametrize(("shown", "status"), [("t1", 200), ("t2", 200), ("t3", 401), ("", 401), ("té", 401)])
def test_a_tool_that_cannot_sign_shows_a_token(shown: str, status: int) -> None:
    request = Request("POST", "/hooks/loyalty", {"x-key": shown}, {}, json.dumps(BODY).encode())
    assert received(request, secret=(), header="X-Key", token=("t1", "t2")).response.status == status


def test_without_an_id_the_same_bytes_are_the_same_event() -> None:
    def post(body: bytes) -> str:
        request = Request("POST", "/hooks/loyalty", {"x-key": "t"}, {}, body)
        return received(request, secret=(), header="x-key", token="t").events[0].message_id

    assert post(b'{"type": "a"}') == post(b'{"type": "a"}') != post(b'{"type": "b"}')


# What is refused


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"[]", "object"),
        (b"{" * 70, "deep"),
        (b'{"type": "x", "data": ' + b"[" * 70 + b"]" * 70 + b"}", "64 deep"),
        ({"data": {}}, "`type` is missing"),
        ({"type": {}}, "`type` is no id"),
        ({"type": "x" * 1001}, "`type` is too long"),
        ({"type": "x", "timestamp": "soon"}, "`timestamp` is 'soon'"),
        ({"type": "x", "timestamp": -5}, "before 1970"),
        ({"type": "x", "data": {"member": {"number": True}}}, "`data.member.number` is no id"),
    ],
    ids=str,
)
def test_what_cannot_be_taken_is_told_with_its_path(body: object, words: str) -> None:
    answer = received(signed(body), user_id="data.member.number")
    assert (answer.response.status, answer.events) == (400, ())
    assert words in json.loads(answer.response.body)["error"]
    assert words in answer.rejections[0].reason


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"secret": ()}, "give `secret`"),
        ({"header": "x-key"}, "not both"),
        ({"secret": ("", SECRET)}, "`secret` is empty"),
        ({"secret": (), "header": "x-key"}, "`token` is empty"),
        ({"secret": "whsec_???"}, "no secret of Standard Webhooks"),
        ({"user_id": "data..id"}, "`user_id` is 'data..id'"),
        ({"fields": {"total": "cents / 0"}}, "`fields.total`"),
        ({"lines": {"sku": "a"}}, "`lines.each` is missing"),
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


@given(st.dictionaries(st.sampled_from(["type", "timestamp", "data"]), JSON))
def test_any_json_is_an_event_or_refused(body: dict[str, Any]) -> None:
    answer = received(signed(body), **MAPPED)
    assert answer.response.status in (200, 400)
    assert bool(answer.events) == (answer.response.status == 200)
