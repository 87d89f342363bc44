"""What Meta calls with: https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/payload-examples."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from segue.api import Callback, Inbound, Instant, Report, Request
from segue_whatsapp import Config
from segue_whatsapp.callbacks import read_callback

KEY = "0123456789abcdef0123456789abcdef"
SECRET = "an-app-s-secret"
CONFIG = Config(phone_number_id="106540352242922", access_token="x", app_secret=SECRET, verify_token="a-word")
AT = 1_700_000_000
MOMENT = Instant(AT * 1_000_000)


def call(secret: str = SECRET, *, number: str = "106540352242922", field: str = "messages", **value: Any) -> Request:
    """A call as Meta signs it."""
    metadata = {"display_phone_number": "15550783881", "phone_number_id": number}
    change = {"value": {"messaging_product": "whatsapp", "metadata": metadata} | value, "field": field}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Request("POST", "/callbacks/whatsapp", {"x-hub-signature-256": f"sha256={signature}"}, {}, body)


def status(word: str, **more: Any) -> dict[str, Any]:
    plain = {"id": "wamid.1", "status": word, "timestamp": str(AT), "recipient_id": "358401234567"}
    return plain | more


def incoming(kind: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"from": "358401234567", "id": "wamid.2", "timestamp": str(AT), "type": kind, kind: content} | more


def test_reports_become_what_rules_know() -> None:
    failed = [{"code": 131047, "title": "Re-engagement message", "error_data": {"details": "24 hours\nhave passed"}}]
    found = read_callback(
        call(
            statuses=[
                status("sent"),
                status("delivered", biz_opaque_callback_data=KEY, conversation={"id": "c"}),
                status("read"),
                status("failed", errors=failed),
                status("deleted"),
            ]
        ),
        CONFIG,
    )
    assert found.response.status == 200
    assert found.reports == (
        Report(id="wamid.1:delivered", what="delivered", at=MOMENT, key=KEY, receipt="wamid.1"),
        Report(id="wamid.1:read", what="read", at=MOMENT, receipt="wamid.1"),
        Report(
            id="wamid.1:failed",
            what="undelivered",
            at=MOMENT,
            receipt="wamid.1",
            reason="131047 24 hours have passed: the customer wrote nothing within the last 24 hours: only a template "
            "may go now, name one in the message",
        ),
    )


def test_who_told_whatsapp_to_get_no_marketing_has_told_segue() -> None:
    failed = [{"code": 131050, "title": "User has stopped marketing messages"}]
    found = read_callback(call(statuses=[status("failed", errors=failed)]), CONFIG)
    assert [report.what for report in found.reports] == ["undelivered"]
    assert found.inbound == (
        Inbound(id="wamid.1:stop", address="+358401234567", text="STOP (told to WhatsApp)", at=MOMENT, keyword="stop"),
    )


def test_what_is_chosen_in_whatsapp_itself_comes_in() -> None:
    def chosen(word: str, **more: Any) -> dict[str, Any]:
        plain = {"wa_id": "358401234567", "category": "marketing_messages", "value": word, "timestamp": AT}
        return plain | {"detail": "User requested it"} | more

    found = read_callback(
        call(
            field="user_preferences",
            user_preferences=[
                chosen("stop"),
                chosen("resume", timestamp=str(AT)),
                chosen("pause"),
                chosen("stop", category="another"),
                chosen("stop", wa_id="x"),
                "junk",
            ],
        ),
        CONFIG,
    )
    assert [(one.address, one.keyword, one.at) for one in found.inbound] == [
        ("+358401234567", "stop", MOMENT),
        ("+358401234567", "start", MOMENT),
    ]
    assert len({one.id for one in found.inbound}) == 2


def test_an_error_of_another_form_costs_no_report() -> None:
    odd = [{"code": "131026", "title": 5}, {"code": 131026, "message": None}]
    found = read_callback(call(statuses=[status("failed", errors=odd), status("delivered", errors="x")]), CONFIG)
    assert [report.what for report in found.reports] == ["undelivered", "delivered"]


def test_what_customers_say_and_press_comes_in() -> None:
    found = read_callback(
        call(
            messages=[
                incoming("text", {"body": "STOP"}),
                incoming("button", {"text": "Yes please", "payload": "y"}),
                incoming("interactive", {"type": "button_reply", "button_reply": {"id": "1", "title": "Tomorrow"}}),
                incoming("interactive", {"type": "list_reply", "list_reply": {"id": "1", "title": "Blue"}}),
                incoming("image", {"id": "1", "caption": "This one?\0"}),
                incoming("image", {"id": "1"}),
                incoming("reaction", {"emoji": "👍"}),
                incoming("unsupported", None),
            ]
        ),
        CONFIG,
    )
    assert [one.text for one in found.inbound] == ["STOP", "Yes please", "Tomorrow", "Blue", "This one?"]
    assert found.inbound[0] == Inbound(id="wamid.2", address="+358401234567", text="STOP", at=MOMENT)


def test_the_webhook_is_set_up_by_whoever_knows_the_word() -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "a-word"}
    taken = read_callback(Request("GET", "/callbacks/whatsapp", {}, asked, b""), CONFIG)
    assert (taken.response.status, taken.response.body) == (200, b"1158201444")
    for changes, expected in (
        ({"hub.verify_token": "another"}, 403),
        ({"hub.verify_token": ""}, 403),
        ({"hub.mode": "unsubscribe"}, 400),
        ({"hub.challenge": "<script>"}, 400),
        ({"hub.challenge": ""}, 400),
    ):
        refused = read_callback(Request("GET", "/callbacks/whatsapp", {}, asked | changes, b""), CONFIG)
        assert refused.response.status == expected, changes
        assert b"<script>" not in refused.response.body
    silent = Config(phone_number_id="106540352242922", access_token="x")
    empty = asked | {"hub.verify_token": ""}
    assert read_callback(Request("GET", "/callbacks/whatsapp", {}, empty, b""), silent).response.status == 403


def test_forged_calls_are_refused() -> None:
    good = call(statuses=[status("delivered")])
    others = [
        call("another-secret", statuses=[status("delivered")]),
        Request("POST", good.path, good.headers, {}, good.body.replace(b"wamid.1", b"wamid.9")),
        Request("POST", good.path, {}, {}, good.body),
        Request("POST", good.path, {"x-hub-signature-256": "sha256=\udce9"}, {}, good.body),
        Request("POST", good.path, {"x-hub-signature": good.headers["x-hub-signature-256"]}, {}, good.body),
    ]
    for forged in others:
        found = read_callback(forged, CONFIG)
        assert (found.response.status, found.reports) == (403, ())
    silent = Config(phone_number_id="106540352242922", access_token="x")
    assert read_callback(good, silent).response.status == 403


def test_a_call_that_is_repeated_brings_the_same_ids() -> None:
    good = call(statuses=[status("delivered")], messages=[incoming("text", {"body": "Hi"})])
    assert read_callback(good, CONFIG) == read_callback(good, CONFIG)


@pytest.mark.parametrize(
    "value",
    [
        {"statuses": [7, None, {"id": 7}, status("delivered", id="")]},
        {"messages": [7, incoming("text", "x"), incoming("text", {"body": 7}), {"from": "x"}]},
        {"messages": [incoming("text", {"body": "Hi"}) | {"from": "0\r\nX"}, incoming("interactive", [])]},
        {"statuses": 7},
        {"number": "999999", "statuses": [status("delivered")]},
        {"field": "message_template_status_update", "statuses": [status("delivered")]},
    ],
)
def test_strange_and_foreign_parts_are_passed_by(value: dict[str, Any]) -> None:
    found = read_callback(call(**value), CONFIG)
    assert found == Callback()


def test_one_strange_part_does_not_cost_the_others() -> None:
    found = read_callback(call(statuses=[7, status("read")], messages=[{}, incoming("text", {"body": "Hi"})]), CONFIG)
    assert (len(found.reports), len(found.inbound)) == (1, 1)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"entry": 7}', b"[" * 100_000, b"\xff"])
def test_a_signed_call_that_is_none_is_answered_400(body: bytes) -> None:
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    found = read_callback(
        Request("POST", "/callbacks/whatsapp", {"x-hub-signature-256": f"sha256={signature}"}, {}, body), CONFIG
    )
    assert found.response.status == 400


def test_nothing_is_later_than_now() -> None:
    (report,) = read_callback(call(statuses=[status("read", timestamp="99999999999")]), CONFIG).reports
    assert report.at <= time.time_ns() // 1000
    (other,) = read_callback(call(statuses=[status("read", timestamp="soon")]), CONFIG).reports
    assert other.at > MOMENT
