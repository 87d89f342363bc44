"""Packets to bytes and back."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue_sms_smpp.pdu import (
    HEADER,
    LARGEST,
    Command,
    Pdu,
    PduError,
    ShortMessage,
    Tag,
    decode_header,
    encode,
    read_short_message,
    write_bind,
    write_short_message,
)

BYTE = st.integers(0, 255)
WORD = st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=20)


@given(
    st.builds(
        ShortMessage,
        source=WORD,
        source_ton=BYTE,
        source_npi=BYTE,
        destination=WORD,
        destination_ton=BYTE,
        destination_npi=BYTE,
        esm_class=BYTE,
        validity=WORD,
        registered_delivery=BYTE,
        data_coding=BYTE,
        text=st.binary(max_size=254),
        options=st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=300), max_size=4),
    )
)
def test_a_short_message_reads_back_as_it_was_written(message: ShortMessage) -> None:
    assert read_short_message(write_short_message(message)) == message


@given(st.binary(max_size=400))
def test_any_bytes_are_a_message_or_no_packet(body: bytes) -> None:
    with contextlib.suppress(PduError):
        read_short_message(body)


@given(st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF), st.binary(max_size=100))
def test_a_packet_reads_back_as_it_was_written(command: int, sequence: int, status: int, body: bytes) -> None:
    raw = encode(Pdu(command, sequence, status, body))
    assert decode_header(raw[:HEADER]) == (len(body), Pdu(command, sequence, status))


@pytest.mark.parametrize("length", [0, 15, LARGEST + 1, 0xFFFFFFFF])
def test_a_length_that_cannot_be_is_no_packet(length: int) -> None:
    with pytest.raises(PduError, match=str(length)):
        decode_header(struct.pack(">IIII", length, Command.DELIVER_SM, 0, 1))


def test_a_bind_has_the_layout_of_the_standard() -> None:
    assert write_bind("shop", "pw", "") == b"shop\0pw\0\0\x34\0\0\0"


def test_a_parameter_that_ends_too_early_is_no_packet() -> None:
    body = write_short_message(ShortMessage(source="1", destination="2", options={Tag.MESSAGE_STATE: b"\2"}))
    assert read_short_message(body).options == {Tag.MESSAGE_STATE: b"\2"}
    with pytest.raises(PduError):
        read_short_message(body[:-1])
