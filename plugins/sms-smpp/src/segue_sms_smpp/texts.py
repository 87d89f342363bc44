"""From a message to the packets that carry it, and from a customer's packet to its text."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

import msgspec

from segue.api import Message
from segue.api.sms import (
    TextError,
    alphabet_of,
    decode_gsm,
    encode_gsm,
    parse_number,
    readable_text,
    sender_for,
    split_text,
    transliterate,
)
from segue_sms_smpp.config import Config
from segue_sms_smpp.pdu import ShortMessage, Tag

__all__ = ["Piece", "packets_of", "piece_of"]

_DEFAULT, _ASCII, _LATIN_1, _UCS_2 = 0, 1, 3, 8
"""Data codings (5.2.19)."""
_UDHI: Final = 0x40
"""The bit of esm_class that says that a header stands before the text (5.2.12)."""
_CONCATENATION: Final = {0x00: ">B", 0x08: ">H"}
"""The headers of parts, with their reference (3GPP TS 23.040 9.2.3.24.1 and 9.2.3.24.8)."""

_INTERNATIONAL, _NETWORK, _ALPHANUMERIC = 1, 3, 5
_ISDN: Final = 1
_LONGEST_CODE: Final = 8  # digits of a short code
_RECEIPT: Final = 1
"""registered_delivery: a report of the outcome, whatever it is (5.2.17)."""

_SHORTEST_VALIDITY: Final = 60
_LONGEST_VALIDITY: Final = 7 * 86_400


class Piece(msgspec.Struct, frozen=True):
    """What one packet of a customer's says. ``reference`` is that of a long text, of which it is part ``number`` of
    ``total``."""

    text: str
    reference: int = 0
    number: int = 1
    total: int = 1


def packets_of(message: Message, now: float, config: Config) -> tuple[list[ShortMessage], int]:
    """The packets, one for each part, and how many parts the operator charges for. A report is asked for of the last
    part alone, whose id is the message's. ``now`` is in seconds since 1970. Raises NumberError and TextError."""
    number = parse_number(message.address)
    text = transliterate(readable_text(message.content.get("text", "")), config.transliterate)
    coding, codec = _coding_of(text, config)
    parts = split_text(text, "ucs-2" if coding == _UCS_2 else None)
    if parts.count > config.most_parts:
        raise TextError(
            f"the text takes {parts.count} parts of an SMS, and most_parts allows {config.most_parts}: shorten it"
        )
    sender = sender_for(number, config.senders, config.sender)
    ton, npi, source = _address_of(sender)
    whole = ShortMessage(
        source=source,
        source_ton=ton,
        source_npi=npi,
        destination=number.removeprefix("+"),
        destination_ton=_INTERNATIONAL,
        destination_npi=_ISDN,
        validity=_validity(message, now),
        data_coding=coding,
    )
    if parts.count == 1:
        return [msgspec.structs.replace(whole, text=codec(text), registered_delivery=_RECEIPT)], 1
    if config.concatenation == "payload":
        options = {Tag.MESSAGE_PAYLOAD: codec(text)}
        return [msgspec.structs.replace(whole, options=options, registered_delivery=_RECEIPT)], parts.count
    # The reference comes from the key: parts that are sent again take the place of those that came.
    reference = int(message.key[:4], 16)
    packets = []
    for place, part in enumerate(parts.texts, 1):
        wanted = _RECEIPT if place == parts.count else 0
        if config.concatenation == "sar":
            options = {
                Tag.SAR_MSG_REF_NUM: struct.pack(">H", reference),
                Tag.SAR_TOTAL_SEGMENTS: bytes((parts.count,)),
                Tag.SAR_SEGMENT_SEQNUM: bytes((place,)),
            }
            packet = msgspec.structs.replace(whole, text=codec(part), options=options, registered_delivery=wanted)
        else:
            header = bytes((5, 0, 3, reference & 0xFF, parts.count, place))
            packet = msgspec.structs.replace(
                whole, text=header + codec(part), esm_class=_UDHI, registered_delivery=wanted
            )
        packets.append(packet)
    return packets, parts.count


def piece_of(message: ShortMessage, config: Config) -> Piece:
    """What a customer wrote. What does not decode is kept with replacement marks: a STOP must not be lost to a wrong
    data coding."""
    raw = message.options.get(Tag.MESSAGE_PAYLOAD, b"") or message.text
    reference, total, number = _segments(message)
    if message.esm_class & _UDHI and raw:
        header, raw = raw[1 : raw[0] + 1], raw[raw[0] + 1 :]
        reference, total, number = _concatenated(header) or (reference, total, number)
    if not 1 <= number <= total:
        reference, number, total = 0, 1, 1
    return Piece(_decode(raw, message.data_coding, config).replace("\0", ""), reference, number, total)


def _coding_of(text: str, config: Config) -> tuple[int, Callable[[str], bytes]]:
    """The data coding of a text, and how it is written. A message centre whose default alphabet is Latin-1 makes GSM-7
    of it, but gets no ``€`` in it: such a text goes as UCS-2."""
    if alphabet_of(text) == "gsm-7":
        if config.alphabet == "gsm-7":
            return _DEFAULT, encode_gsm
        if all(ord(c) < 0x100 for c in text):
            return _DEFAULT, lambda part: part.encode("latin-1")
    return _UCS_2, lambda part: part.encode("utf-16-be")


def _address_of(sender: str) -> tuple[int, int, str]:
    """Type of number, numbering plan, and the address without its plus sign."""
    if sender.startswith("+"):
        return _INTERNATIONAL, _ISDN, sender[1:]
    if sender.isdigit():
        return (_INTERNATIONAL, _ISDN, sender) if len(sender) > _LONGEST_CODE else (_NETWORK, 0, sender)
    return _ALPHANUMERIC, 0, sender


def _validity(message: Message, now: float) -> str:
    """How long the message centre may try, as a relative time (7.1.1.2): as long as the message may still go."""
    left = int(message.expires / 1_000_000 - now)
    minutes, seconds = divmod(max(_SHORTEST_VALIDITY, min(left, _LONGEST_VALIDITY)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"0000{days:02}{hours:02}{minutes:02}{seconds:02}000R"


def _segments(message: ShortMessage) -> tuple[int, int, int]:
    found = [
        int.from_bytes(message.options.get(tag, b"")[:4], "big")
        for tag in (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
    ]
    return found[0], found[1], found[2]


def _concatenated(header: bytes) -> tuple[int, int, int] | None:
    """Reference, number of parts and place, where a header of parts is among the elements."""
    while len(header) >= 2:
        kind, length = header[0], header[1]
        element, header = header[2 : 2 + length], header[2 + length :]
        if (form := _CONCATENATION.get(kind)) and len(element) == struct.calcsize(form) + 2:
            return struct.unpack(form, element[:-2])[0], element[-2], element[-1]
    return None


def _decode(raw: bytes, coding: int, config: Config) -> str:
    if coding == _UCS_2:
        return raw.decode("utf-16-be", "replace")
    if coding == _ASCII:
        return raw.decode("ascii", "replace")
    if coding == _LATIN_1 or config.alphabet == "latin-1":
        return raw.decode("latin-1")
    return decode_gsm(raw)
