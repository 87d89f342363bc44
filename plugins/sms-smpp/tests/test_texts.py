"""Messages as packets, and packets as texts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Instant, Message
from segue.api.sms import TextError, count_parts, decode_gsm
from segue_sms_smpp import Config
from segue_sms_smpp.pdu import ShortMessage, Tag
from segue_sms_smpp.texts import packets_of, piece_of

NOW = 1_700_000_000.0


def config(**settings: Any) -> Config:
    return Config(**({"host": "smpp.test", "system_id": "shop", "password": "secret", "sender": "Shop"} | settings))


def message(text: str, number: str = "+358401234567", seconds: float = 3_600) -> Message:
    return Message(
        key="0a1b456789abcdef0123456789abcdef",
        channel="sms",
        name="n",
        kind="promotional",
        customer="c1",
        address=number,
        content={"text": text},
        rule="r",
        expires=Instant(int((NOW + seconds) * 1e6)),
    )


def packets(text: str, **settings: Any) -> list[ShortMessage]:
    return packets_of(message(text), NOW, config(**settings))[0]


def test_a_short_text_is_one_packet_in_the_default_alphabet() -> None:
    (packet,) = packets("5 € [x]")
    assert decode_gsm(packet.text) == "5 € [x]"
    assert (packet.data_coding, packet.esm_class, packet.registered_delivery) == (0, 0, 1)
    assert (packet.destination, packet.destination_ton, packet.destination_npi) == ("358401234567", 1, 1)
    assert packet.validity == "000000010000000R"


def test_other_letters_go_as_ucs_2() -> None:
    (packet,) = packets("жук 🛒")
    assert (packet.data_coding, packet.text.decode("utf-16-be")) == (8, "жук 🛒")


@pytest.mark.parametrize(("text", "coding"), [("Hyvä!", 0), ("5 €", 8), ("Δ", 8), ("ж", 8)])
def test_a_centre_whose_default_is_latin_1_gets_what_latin_1_has(text: str, coding: int) -> None:
    (packet,) = packets(text, alphabet="latin-1")
    assert packet.data_coding == coding
    assert packet.text == text.encode("latin-1" if coding == 0 else "utf-16-be")


@pytest.mark.parametrize(
    ("sender", "ton", "npi", "address"),
    [
        ("Shop", 5, 0, "Shop"),
        ("+12025550100", 1, 1, "12025550100"),
        ("12025550100", 1, 1, "12025550100"),
        ("17117", 3, 0, "17117"),
    ],
)
def test_a_sender_has_its_type_of_number(sender: str, ton: int, npi: int, address: str) -> None:
    (packet,) = packets("x", sender=sender)
    assert (packet.source_ton, packet.source_npi, packet.source) == (ton, npi, address)


def test_a_country_has_its_sender() -> None:
    (packet,), _ = packets_of(message("x", "+12125550123"), NOW, config(senders={"US": "+12025550100"}))
    assert packet.source == "12025550100"


def test_the_parts_of_a_long_text_bear_a_header_and_the_last_asks_for_a_report() -> None:
    text = "x" * 152 + "€" + "y" * 160
    found = packets(text)
    assert [packet.text[:6] for packet in found] == [bytes((5, 0, 3, 0x1B, 3, place)) for place in (1, 2, 3)]
    assert "".join(decode_gsm(packet.text[6:]) for packet in found) == text
    assert {packet.esm_class for packet in found} == {0x40}
    assert [packet.registered_delivery for packet in found] == [0, 0, 1]
    assert all(len(packet.text) <= 159 for packet in found)


def test_parts_can_be_told_by_parameters_or_left_to_the_centre() -> None:
    text = "x" * 200
    first, last = packets(text, concatenation="sar")
    assert (first.text, first.esm_class) == (b"x" * 153, 0)
    assert last.options == {
        Tag.SAR_MSG_REF_NUM: b"\x0a\x1b",
        Tag.SAR_TOTAL_SEGMENTS: b"\2",
        Tag.SAR_SEGMENT_SEQNUM: b"\2",
    }
    whole, parts = packets_of(message(text), NOW, config(concatenation="payload"))
    assert parts == 2
    assert [(packet.text, dict(packet.options)) for packet in whole] == [(b"", {Tag.MESSAGE_PAYLOAD: b"x" * 200})]


def test_a_text_that_is_too_long_is_refused_rather_than_cut() -> None:
    with pytest.raises(TextError, match="3 parts"):
        packets("x" * 307, most_parts=2)


@pytest.mark.parametrize(
    ("seconds", "validity"), [(-5, "000000000100000R"), (90_061, "000001010101000R"), (1e9, "000007000000000R")]
)
def test_the_centre_tries_no_longer_than_the_message_may_go(seconds: float, validity: str) -> None:
    (packet,), _ = packets_of(message("x", seconds=seconds), NOW, config())
    assert packet.validity == validity


@given(st.text(alphabet="ab€[~ж😀ç ", min_size=1, max_size=500), st.sampled_from(["udh", "sar"]))
def test_what_is_sent_in_parts_is_read_as_it_was(text: str, concatenation: str) -> None:
    made = config(concatenation=concatenation)
    try:
        found, parts = packets_of(message(text), NOW, made)
    except TextError:
        return
    pieces = [piece_of(packet, made) for packet in found]
    assert "".join(piece.text for piece in pieces) == text.strip()
    assert parts == len(found) == count_parts(text.strip())
    if parts > 1:
        assert [(piece.number, piece.total) for piece in pieces] == [(n, parts) for n in range(1, parts + 1)]
        assert len({piece.reference for piece in pieces}) == 1


@pytest.mark.parametrize(
    ("raw", "coding", "text"),
    [
        (b"STOP", 0, "STOP"),
        (b"STOP", 1, "STOP"),
        ("déjà".encode("latin-1"), 3, "déjà"),
        ("Стоп".encode("utf-16-be"), 8, "Стоп"),
        (b"\x00S\x00", 8, "S\ufffd"),
        (b"STOP\xff", 0, "STOP\ufffd"),
    ],
)
def test_a_reply_is_decoded_as_it_says(raw: bytes, coding: int, text: str) -> None:
    packet = ShortMessage(source="1", destination="2", data_coding=coding, text=raw)
    assert piece_of(packet, config()).text == text


@given(
    st.binary(max_size=160),
    st.integers(0, 255),
    st.integers(0, 255),
    st.dictionaries(st.sampled_from(list(Tag)), st.binary(max_size=9)),
)
def test_any_packet_is_read(raw: bytes, coding: int, esm_class: int, options: dict[int, bytes]) -> None:
    packet = ShortMessage(
        source="1", destination="2", data_coding=coding, esm_class=esm_class, text=raw, options=options
    )
    piece = piece_of(packet, config())
    assert 1 <= piece.number <= piece.total
