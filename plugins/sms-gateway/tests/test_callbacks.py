"""Calls from the gateway, true and forged."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from segue.api import Callback, Request
from segue_sms_gateway.callbacks import read_callback, report_url

SECRET = "a-secret-of-this-test"
KEY = "0123456789abcdef0123456789abcdef"


def report_query(key: str = KEY, **changes: str) -> dict[str, str]:
    url = report_url("https://segue.test", "sms", key, SECRET)
    return dict(parse_qsl(urlsplit(url).query)) | {"status": "1", "reply": "", "id": "x", "at": "1700000000"} | changes


def call(query: dict[str, str], secret: str | None = SECRET, **changes: Any) -> Callback:
    fields: dict[str, Any] = {"method": "GET", "path": "/callbacks/sms", "headers": {}, "query": query, "body": b""}
    return read_callback(Request(**(fields | changes)), secret)


@pytest.mark.parametrize(("status", "what"), [("1", "delivered"), ("2", "undelivered"), ("16", "undelivered")])
def test_a_final_status_becomes_a_report(status: str, what: str) -> None:
    answer = call(report_query(status=status, reply="id:1 stat:UNDELIV\r\nerr:001"))
    (report,) = answer.reports
    assert (report.key, report.what, report.id) == (KEY, what, f"{KEY}:{what}")
    assert report.at == 1_700_000_000_000_000
    assert answer.response.status == 200
    assert ("stat:UNDELIV err:001" in report.reason) == (what == "undelivered")


@pytest.mark.parametrize(
    ("status", "reply", "gone"),
    [
        ("16", "NACK/0x0000000b/Invalid Destination Address", True),
        ("16", "NACK/0x00000058/Throttling error", False),
        ("2", "id:1 stat:UNDELIV err:001", False),
        ("1", "NACK/0x0000000b/x", False),
    ],
)
def test_a_number_that_the_operator_does_not_know_is_gone(status: str, reply: str, gone: bool) -> None:
    assert call(report_query(status=status, reply=reply)).reports[0].address_gone is gone


def test_a_repeated_report_has_the_same_id() -> None:
    assert call(report_query(at="1")).reports[0].id == call(report_query(at="2", id="y")).reports[0].id


@pytest.mark.parametrize("status", ["4", "8", "32"])
def test_an_intermediate_status_reports_nothing(status: str) -> None:
    assert call(report_query(status=status)) == Callback()


@pytest.mark.parametrize("status", ["", "delivered", "0", "3", "-1", "9" * 50, "١"])
def test_a_status_that_kannel_does_not_have_is_answered_400(status: str) -> None:
    answer = call(report_query(status=status))
    assert answer.response.status == 400
    assert answer.reports == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"token": ""},
        {"token": SECRET},
        {"token": "0" * 64},
        {"token": "ключ"},
        {"token": "\ud800"},
        {"key": "f" * 32},
        {"key": ""},
        {"key": "\ud800"},
    ],
)
def test_a_forged_report_is_answered_403_and_reports_nothing(changes: dict[str, str]) -> None:
    answer = call(report_query() | changes)
    assert answer.response.status == 403
    assert answer.reports == ()


def test_a_token_is_good_for_one_message_only() -> None:
    other = report_query("f" * 32)
    assert call(other).reports
    assert call(other | {"key": KEY}).response.status == 403
    assert call({"token": other["token"], "from": "+358401234567", "text": "STOP"}).response.status == 403


@pytest.mark.parametrize("token", ["", "wrong", SECRET[:-1], SECRET + "x", SECRET.upper()])
def test_a_forged_reply_is_answered_403(token: str) -> None:
    answer = call({"token": token, "from": "+358401234567", "text": "STOP"})
    assert answer.response.status == 403
    assert answer.inbound == ()


def test_without_a_secret_every_call_is_refused() -> None:
    assert call(report_query(), secret=None).response.status == 403
    assert call({"token": "", "from": "+358401234567", "text": "x"}, secret=None).response.status == 403


def test_other_methods_are_refused() -> None:
    assert call(report_query(), method="DELETE").response.status == 405


def test_a_reply_in_the_query_comes_in() -> None:
    answer = call({"token": SECRET, "from": "358401234567", "text": "STOP", "id": "m1", "at": "1700000000"})
    (message,) = answer.inbound
    assert (message.id, message.address, message.text) == ("m1", "+358401234567", "STOP")
    assert message.at == 1_700_000_000_000_000
    assert answer.response.body == b""


@pytest.mark.parametrize(
    ("charset", "body", "text"),
    [
        ('text/plain; charset="UTF-16BE"', "Стоп".encode("utf-16-be"), "Стоп"),
        ("text/plain; charset=windows-1252", "déjà".encode("cp1252"), "déjà"),
        ("text/plain", "déjà".encode(), "déjà"),
        ("", b"STOP", "STOP"),
        ("text/plain; charset=no-such-charset", b"STOP", "STOP"),
        ("text/plain; charset=utf-8", b"STOP\xff", "STOP\ufffd"),
        ("text/plain; charset=utf-16-be", b"\x00S\x00", "S\ufffd"),
        ("text/plain\r\nX: y; charset=\x00", b"STOP\x00", "STOP"),
        ("text/plain; charset=zip", b"STOP", "STOP"),
        ("text/plain; charset=idna", b"STOP", "STOP"),
    ],
)
def test_a_reply_in_the_body_is_decoded_as_it_says(charset: str, body: bytes, text: str) -> None:
    query = {"token": SECRET, "from": "+358401234567", "id": "m1"}
    (message,) = call(query, method="POST", body=body, headers={"content-type": charset}).inbound
    assert message.text == text


def test_a_reply_from_a_name_or_a_short_code_is_kept() -> None:
    assert call({"token": SECRET, "from": "17117", "text": "x"}).inbound[0].address == "17117"
    assert call({"token": SECRET, "from": "", "text": "x"}).response.status == 400


def test_a_reply_without_id_has_the_same_one_each_time() -> None:
    query = {"token": SECRET, "from": "+358401234567", "text": "STOP", "at": "1700000000"}
    first, second, other = call(query).inbound[0], call(query).inbound[0], call(query | {"text": "x"}).inbound[0]
    assert first.id == second.id != other.id


@pytest.mark.parametrize("at", ["", "soon", "-1", "9" * 40, "99999999999", "%T"])
def test_a_time_that_cannot_be_is_now(at: str) -> None:
    (report,) = call(report_query(at=at)).reports
    assert abs(report.at / 1e6 - time.time()) < 5
