"""Delivery receipts, as message centres word them, and customers' messages beside them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Inbound, Report
from segue_sms_smpp import Config
from segue_sms_smpp.config import MessageIds
from segue_sms_smpp.inbox import Inbox
from segue_sms_smpp.pdu import ShortMessage, Tag
from segue_sms_smpp.receipts import is_receipt, read_receipt

TEXT = "id:{id} sub:001 dlvrd:001 submit date:2611252155 done date:2611252156 stat:{stat} err:{err} text:id:9 stat:X"


def receipt(stat: str = "DELIVRD", id: str = "1a2b", err: str = "000", **more: Any) -> ShortMessage:
    text = TEXT.format(id=id, stat=stat, err=err).encode()
    fields: dict[str, Any] = {"source": "358401234567", "destination": "Shop", "esm_class": 4, "text": text}
    return ShortMessage(**(fields | more))


def inbox(**settings: Any) -> Inbox:
    plain = {"host": "smpp.test", "system_id": "shop", "password": "secret", "sender": "Shop"}
    return Inbox(Config(**(plain | settings)))


@pytest.mark.parametrize(
    ("stat", "what"),
    [
        ("DELIVRD", "delivered"),
        ("UNDELIV", "undelivered"),
        ("EXPIRED", "undelivered"),
        ("DELETED", "undelivered"),
        ("REJECTD", "undelivered"),
        ("DELIVERED", "delivered"),
        ("UNDELIVERABLE", "undelivered"),
        ("UNDELIVERED", "undelivered"),
        ("REJECTED", "undelivered"),
        ("FAILED", "undelivered"),
        ("ACCEPTD", ""),
        ("ACCEPTED", ""),
        ("ENROUTE", ""),
        ("UNKNOWN", ""),
        ("NONSENS", ""),
    ],
)
def test_a_state_in_words_is_understood(stat: str, what: str) -> None:
    found = read_receipt(receipt(stat, err="0x1F"), "same")
    assert found is not None
    assert (found.message_id, found.what) == ("1A2B", what)
    assert ("0x1F" in found.reason) == (what == "undelivered")


@pytest.mark.parametrize(
    ("ids", "given", "name"),
    [
        ("same", "1a2b", "1A2B"),
        ("same", "0000123456", "0000123456"),
        ("hex-then-decimal", "6699", "1A2B"),
        ("decimal-then-hex", "1A2B", "6699"),
        ("hex-then-decimal", "a-name", "A-NAME"),
    ],
)
def test_an_id_may_come_back_in_another_base(ids: MessageIds, given: str, name: str) -> None:
    found = read_receipt(receipt(id=given), ids)
    assert found is not None
    assert found.message_id == name


def test_parameters_are_believed_before_the_text() -> None:
    options = {Tag.RECEIPTED_MESSAGE_ID: b"77\0", Tag.MESSAGE_STATE: b"\5", Tag.NETWORK_ERROR_CODE: b"\3\0\1"}
    found = read_receipt(receipt(options=options), "same")
    assert found is not None
    assert (found.message_id, found.what, found.address_gone) == ("77", "undelivered", True)
    absent = receipt(options=options | {Tag.NETWORK_ERROR_CODE: b"\3\0\x1b"})
    assert (found := read_receipt(absent, "same")) is not None
    assert not found.address_gone


def test_what_is_a_receipt_is_told_by_its_class_or_its_parameter() -> None:
    assert is_receipt(receipt())
    assert is_receipt(receipt(esm_class=0, options={Tag.RECEIPTED_MESSAGE_ID: b"77\0"}))
    assert not is_receipt(receipt(esm_class=0))


def test_a_message_on_its_way_is_no_report() -> None:
    assert inbox().take(receipt(esm_class=0x20), "1", 0.0) is None
    assert inbox().take(receipt("ENROUTE"), "1", 0.0) is None
    assert inbox().take(receipt(text=b"hello"), "1", 0.0) is None


def test_a_receipt_that_comes_twice_has_the_same_id() -> None:
    first, again = inbox().take(receipt(), "1", 5.0), inbox().take(receipt(), "2", 6.0)
    assert isinstance(first, Report)
    assert isinstance(again, Report)
    assert (first.id, first.receipt, first.what) == (again.id, "1A2B", "delivered")


def test_a_reply_has_the_customers_number_and_an_id_of_its_own() -> None:
    reply = receipt(esm_class=0, text=b"STOP")
    first, second = inbox().take(reply, "1:1", 5.0), inbox().take(reply, "1:2", 5.0)
    assert isinstance(first, Inbound)
    assert isinstance(second, Inbound)
    assert (first.address, first.text) == ("+358401234567", "STOP")
    assert first.id != second.id


def part(number: int, text: bytes, total: int = 3) -> ShortMessage:
    return receipt(esm_class=0x40, text=bytes((5, 0, 3, 7, total, number)) + text)


def test_the_parts_of_a_reply_are_put_together_in_their_order() -> None:
    box = inbox()
    assert box.take(part(3, b"c"), "1", 0.0) is None
    assert box.take(part(1, b"a"), "2", 1.0) is None
    assert box.take(part(1, b"a"), "3", 1.0) is None
    found = box.take(part(2, b"b"), "4", 2.0)
    assert isinstance(found, Inbound)
    assert found.text == "abc"


def test_a_reply_whose_parts_do_not_come_is_taken_as_it_is() -> None:
    box = inbox()
    box.take(part(2, b"b"), "1", 0.0)
    assert box.late(299.0) == []
    assert [one.text for one in box.late(301.0)] == ["b"]
    assert box.late(900.0) == []


@given(st.binary(max_size=300), st.sampled_from([0, 4, 0x20, 0x40]), st.text(max_size=20))
def test_anything_that_is_delivered_is_taken(text: bytes, esm_class: int, source: str) -> None:
    message = ShortMessage(source=source, destination="Shop", esm_class=esm_class, text=text)
    found = inbox().take(message, "1", 0.0)
    assert found is None or found.id
