"""Calls from Twilio, true and forged. Twilio's own library signs them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from segue.api import Callback, Request
from segue_twilio.callbacks import address_of, read_callback, sign

TOKEN = "the-token"
BASE = "https://segue.test"
KEY = "0123456789abcdef0123456789abcdef"
SID = "SM" + "c" * 32


def call(
    fields: dict[str, str],
    key: str | None = KEY,
    *,
    address: str | None = None,
    token: str = TOKEN,
    base: str | None = BASE,
    reads: bool = False,
    **changes: Any,
) -> Callback:
    signed = RequestValidator(token).compute_signature(address or address_of(BASE, "sms", key), fields)
    request: dict[str, Any] = {
        "method": "POST",
        "path": "/callbacks/sms",
        "headers": {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signed},
        "query": {} if key is None else {"key": key},
        "body": urlencode(fields).encode(),
    }
    return read_callback(Request(**(request | changes)), base, "sms", TOKEN, reads=reads)


def status(status: str, **more: str) -> dict[str, str]:
    return {"MessageSid": SID, "MessageStatus": status, "To": "+358401234567", "From": "Shop", "ApiVersion": ""} | more


@pytest.mark.parametrize(
    ("said", "what"),
    [("delivered", "delivered"), ("read", "delivered"), ("failed", "undelivered"), ("undelivered", "undelivered")],
)
def test_a_final_status_becomes_a_report(said: str, what: str) -> None:
    answer = call(status(said))
    (report,) = answer.reports
    assert (report.key, report.what, report.receipt, report.id) == (KEY, what, SID, f"{KEY}:{what}")
    assert answer.response.status == 200


def test_rcs_tells_that_a_message_was_read() -> None:
    assert call(status("read"), reads=True).reports[0].what == "read"


@pytest.mark.parametrize("said", ["queued", "accepted", "sending", "sent"])
def test_a_message_on_its_way_is_no_report(said: str) -> None:
    assert call(status(said)) == Callback()


@pytest.mark.parametrize(("code", "gone"), [("30005", True), ("30003", False), ("", False), ("9" * 99, False)])
def test_an_error_says_whether_the_number_is_gone(code: str, gone: bool) -> None:
    (report,) = call(status("undelivered", ErrorCode=code, ErrorMessage="Unknown\r\nhandset")).reports
    assert report.address_gone is gone
    assert report.reason.isprintable()


def test_a_stop_that_twilio_heard_comes_in_as_one() -> None:
    answer = call(status("failed", ErrorCode="21610"))
    assert answer.reports[0].what == "undelivered"
    (inbound,) = answer.inbound
    assert (inbound.address, inbound.keyword) == ("+358401234567", "stop")
    assert call(status("failed", ErrorCode="21610")).inbound[0].id == inbound.id


@pytest.mark.parametrize(
    ("kind", "keyword"), [("STOP", "stop"), ("START", "start"), ("HELP", "help"), ("", None), ("X", None)]
)
def test_a_reply_comes_in_with_what_twilio_took_it_for(kind: str, keyword: str | None) -> None:
    fields = {"MessageSid": SID, "From": "+358401234567", "To": "+1", "Body": "Ei enää ж", "OptOutType": kind}
    answer = call(fields, None)
    (inbound,) = answer.inbound
    assert (inbound.id, inbound.address, inbound.text) == (SID, "+358401234567", "Ei enää ж")
    assert inbound.keyword == keyword
    assert answer.response.body == b"<Response/>"


def test_a_reply_by_rcs_has_the_customer_s_number() -> None:
    fields = {"MessageSid": SID, "From": "rcs:+358401234567", "To": "rcs:shop_agent", "Body": "Hi"}
    assert call(fields, None).inbound[0].address == "+358401234567"


@pytest.mark.parametrize(
    "changes",
    [
        {"token": "another-token"},
        {"address": "https://segue.test/callbacks/sms"},
        {"address": f"https://other.test/callbacks/sms?key={KEY}"},
        {"address": f"http://segue.test/callbacks/sms?key={KEY}"},
        {"headers": {}},
        {"headers": {"x-twilio-signature": ""}},
        {"headers": {"x-twilio-signature": "\udcff"}},
        {"query": {"key": "f" * 32}},
        {"query": {}},
        {"query": {"key": KEY, "status": "delivered"}},
        {"query": {"key": "\ud800"}},
        {"body": urlencode(status("failed")).encode()},
        {"body": urlencode(status("delivered")).encode() + b"&X=1"},
        {"base": None},
    ],
    ids=repr,
)
def test_a_forged_call_is_answered_403_and_reports_nothing(changes: dict[str, Any]) -> None:
    answer = call(status("delivered"), **changes)
    assert answer.response.status == 403
    assert not answer.reports
    assert not answer.inbound


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"method": "GET"}, 405),
        ({"body": b"x=" + b"1" * 200_000}, 413),
        ({"body": b"\xff"}, 400),
        ({"body": b"a&" * 300}, 400),
    ],
    ids=["method", "size", "bytes", "fields"],
)
def test_what_is_no_form_is_refused(changes: dict[str, Any], code: int) -> None:
    assert call(status("delivered"), **changes).response.status == code


def test_a_signed_call_that_says_nothing_is_refused() -> None:
    assert call({"To": "x"}).response.status == 400
    assert call({"Body": "x"}, None).response.status == 400


@pytest.mark.parametrize(
    "base", ["https://segue.test", "https://segue.test:443", "http://segue.test:8080", "https://s.test/a/"]
)
def test_the_port_may_be_signed_or_not(base: str) -> None:
    address = address_of(base, "sms", KEY)
    fields = list(status("delivered").items())
    validator = RequestValidator(TOKEN)
    assert sign(address, fields, TOKEN) == validator.compute_signature(address, dict(fields))
    for one in (address, address.replace("https://segue.test/", "https://segue.test:443/").replace(":8080", "")):
        signed = {"x-twilio-signature": validator.compute_signature(one, dict(fields))}
        request = Request("POST", "/callbacks/sms", signed, {"key": KEY}, urlencode(fields).encode())
        assert read_callback(request, base, "sms", TOKEN, reads=False).reports


def test_a_field_that_comes_twice_is_signed_as_twilio_does() -> None:
    class Fields(dict[str, list[str]]):
        def getall(self, name: str) -> list[str]:
            return self[name]

    fields = Fields({"b": ["2", "1"], "a": ["x"]})
    given = [("b", "2"), ("b", "1"), ("a", "x")]
    assert sign(BASE, given, TOKEN) == RequestValidator(TOKEN).compute_signature(BASE, fields)
