"""SMPP 3.4 on the wire: packets (PDUs) to bytes and back. Pure; no socket is known here.

https://smpp.org/SMPP_v3_4_Issue1_2.pdf: sections 3.2 (format), 4 (the packets), 5.3 (optional parameters).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import Final

import msgspec

__all__ = [
    "HEADER",
    "LARGEST",
    "Command",
    "Pdu",
    "PduError",
    "ShortMessage",
    "Tag",
    "decode_header",
    "encode",
    "read_bound",
    "read_message_id",
    "read_short_message",
    "write_bind",
    "write_short_message",
]

HEADER: Final = 16
LARGEST: Final = 70_000
"""Bytes of a packet: a message_payload has up to 64 KB. Whatever claims to be longer is no SMPP."""

_HEADER: Final = struct.Struct(">IIII")
_RESPONSE: Final = 0x80000000
_VERSION: Final = 0x34


class PduError(ValueError):
    """These bytes are no packet of SMPP; the text says why."""


class Command(IntEnum):
    """What a packet asks for, or answers (5.1.2.1)."""

    GENERIC_NACK = 0x80000000
    SUBMIT_SM = 0x00000004
    SUBMIT_SM_RESP = 0x80000004
    DELIVER_SM = 0x00000005
    DELIVER_SM_RESP = 0x80000005
    UNBIND = 0x00000006
    UNBIND_RESP = 0x80000006
    BIND_TRANSCEIVER = 0x00000009
    BIND_TRANSCEIVER_RESP = 0x80000009
    ENQUIRE_LINK = 0x00000015
    ENQUIRE_LINK_RESP = 0x80000015
    ALERT_NOTIFICATION = 0x00000102


class Tag(IntEnum):
    """Optional parameters (5.3.2)."""

    RECEIPTED_MESSAGE_ID = 0x001E
    SAR_MSG_REF_NUM = 0x020C
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


class Pdu(msgspec.Struct, frozen=True):
    """One packet. ``command`` is a number, since the other side may send one that we don't know."""

    command: int
    sequence: int
    status: int = 0
    body: bytes = b""

    @property
    def is_response(self) -> bool:
        return bool(self.command & _RESPONSE)


class ShortMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The body of ``submit_sm`` and ``deliver_sm``, which is the same (4.4.1, 4.6.1). Types of number and numbering
    plans are those of 5.2.5 and 5.2.6. ``text`` is the short message as bytes, its header included."""

    source: str
    source_ton: int = 0
    source_npi: int = 0
    destination: str
    destination_ton: int = 0
    destination_npi: int = 0
    esm_class: int = 0
    validity: str = ""
    registered_delivery: int = 0
    data_coding: int = 0
    text: bytes = b""
    options: Mapping[int, bytes] = {}


def encode(pdu: Pdu) -> bytes:
    """A packet as it goes over the wire."""
    return _HEADER.pack(HEADER + len(pdu.body), pdu.command, pdu.status, pdu.sequence) + pdu.body


def decode_header(header: bytes) -> tuple[int, Pdu]:
    """How many bytes of body follow, and the packet without it. Raises PduError."""
    length, command, status, sequence = _HEADER.unpack(header)
    if not HEADER <= length <= LARGEST:
        raise PduError(f"a packet of {length} bytes")
    return length - HEADER, Pdu(command, sequence, status)


def write_bind(system_id: str, password: str, system_type: str) -> bytes:
    """The body of ``bind_transceiver``: no range of addresses, whatever is ours comes."""
    return _text(system_id) + _text(password) + _text(system_type) + bytes((_VERSION, 0, 0)) + _text("")


def read_bound(body: bytes) -> str:
    """The name of the message centre in ``bind_transceiver_resp``."""
    return _Reader(body).text()


def read_message_id(body: bytes) -> str:
    """The id in ``submit_sm_resp``; empty where there is none."""
    return _Reader(body).text()


def write_short_message(message: ShortMessage) -> bytes:
    """The body of ``submit_sm``."""
    body = b"".join(
        (
            _text(""),  # service_type: the default one
            bytes((message.source_ton, message.source_npi)),
            _text(message.source),
            bytes((message.destination_ton, message.destination_npi)),
            _text(message.destination),
            bytes((message.esm_class, 0, 0)),  # protocol_id and priority_flag
            _text(""),  # schedule_delivery_time: at once
            _text(message.validity),
            bytes((message.registered_delivery, 0, message.data_coding, 0, len(message.text))),
            message.text,
        )
    )
    return body + b"".join(struct.pack(">HH", tag, len(value)) + value for tag, value in message.options.items())


def read_short_message(body: bytes) -> ShortMessage:
    """The body of ``deliver_sm``. Raises PduError."""
    reader = _Reader(body)
    reader.text()  # service_type
    source_ton, source_npi, source = reader.byte(), reader.byte(), reader.text()
    destination_ton, destination_npi, destination = reader.byte(), reader.byte(), reader.text()
    esm_class = reader.byte()
    reader.take(2)  # protocol_id, priority_flag
    reader.text()  # schedule_delivery_time
    validity = reader.text()
    registered_delivery = reader.byte()
    reader.byte()  # replace_if_present_flag
    data_coding = reader.byte()
    reader.byte()  # sm_default_msg_id
    text = reader.take(reader.byte())
    return ShortMessage(
        source=source,
        source_ton=source_ton,
        source_npi=source_npi,
        destination=destination,
        destination_ton=destination_ton,
        destination_npi=destination_npi,
        esm_class=esm_class,
        validity=validity,
        registered_delivery=registered_delivery,
        data_coding=data_coding,
        text=text,
        options=reader.options(),
    )


def _text(text: str) -> bytes:
    return text.encode("ascii") + b"\0"


class _Reader:
    """Reads a body from its beginning; every way past its end is a PduError."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._place = 0

    def take(self, count: int) -> bytes:
        taken = self._body[self._place : self._place + count]
        if len(taken) != count:
            raise PduError("a packet that ends too early")
        self._place += count
        return taken

    def byte(self) -> int:
        return self.take(1)[0]

    def text(self) -> str:
        end = self._body.find(b"\0", self._place)
        if end < 0:  # some leave the zero out where nothing follows
            end = len(self._body)
        text = self._body[self._place : end]
        self._place = min(end + 1, len(self._body))
        return text.decode("latin-1")

    def options(self) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        while self._place < len(self._body):
            tag, length = struct.unpack(">HH", self.take(4))
            found[tag] = self.take(length)
        return found
