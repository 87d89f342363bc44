"""What a delivery receipt says: by optional parameters, or as text that every message centre words a little differently
(SMPP 3.4, appendix B)."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from segue_sms_smpp.config import MessageIds
from segue_sms_smpp.pdu import ShortMessage, Tag

__all__ = ["Receipt", "is_receipt", "normal_id", "read_receipt"]

_KIND: Final = 0x3C
"""The bits of esm_class that say what a deliver_sm is (5.2.12)."""
_OF_DELIVERY: Final = 0x04
_INTERMEDIATE: Final = 0x20

_STATES: Final = {2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 8: "REJECTD"}
"""Final ones, by message_state (5.2.28)."""
_FINAL: Final = {
    "DELIVRD": ("delivered", ""),
    "EXPIRED": ("undelivered", "the telephone could not be reached in time"),
    "DELETED": ("undelivered", "it was deleted on its way"),
    "UNDELIV": ("undelivered", "the operator could not deliver it"),
    "REJECTD": ("undelivered", "the operator refused it"),
}

_BEGINNINGS: Final = {
    "DELIV": "DELIVRD",
    "EXPIR": "EXPIRED",
    "DELET": "DELETED",
    "UNDEL": "UNDELIV",
    "FAIL": "UNDELIV",
    "REJ": "REJECTD",
}

_FIELD: Final = re.compile(r"\b(id|stat|err)\s*:\s*([A-Za-z0-9._-]+)", re.IGNORECASE)
_GSM, _UNKNOWN_SUBSCRIBER = 3, 1
"""network_error_code (5.3.2.31) of type GSM with MAP's error unknownSubscriber (3GPP TS 29.002): nobody has that
number."""


class Receipt(msgspec.Struct, frozen=True):
    """The outcome of one message. ``what`` is empty while it is on its way."""

    message_id: str
    what: str
    reason: str = ""
    address_gone: bool = False


def is_receipt(message: ShortMessage) -> bool:
    """Whether a deliver_sm reports on a message of ours, instead of bringing one from a customer. Some message centres
    forget the bits of esm_class, and tell by the parameter."""
    kind = message.esm_class & _KIND
    return kind in {_OF_DELIVERY, _INTERMEDIATE} or (kind == 0 and Tag.RECEIPTED_MESSAGE_ID in message.options)


def normal_id(message_id: str) -> str:
    """A message's id as it is compared."""
    return message_id.strip().upper()


def read_receipt(message: ShortMessage, ids: MessageIds) -> Receipt | None:
    """The receipt, None where it names no message. A parameter is believed before the text."""
    raw = message.options.get(Tag.MESSAGE_PAYLOAD, b"") or message.text
    said = {name.lower(): value for name, value in reversed(_FIELD.findall(raw.decode("latin-1")))}
    given = message.options.get(Tag.RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0").decode("latin-1") or said.get("id", "")
    name = _answered_id(given, ids)
    if not name:
        return None
    if message.esm_class & _KIND == _INTERMEDIATE:
        return Receipt(name, "")
    state = message.options.get(Tag.MESSAGE_STATE, b"")
    word = _STATES.get(state[0], "") if state else _state_of(said.get("stat", ""))
    if word not in _FINAL:
        return Receipt(name, "")
    what, meaning = _FINAL[word]
    code = message.options.get(Tag.NETWORK_ERROR_CODE, b"")
    error = f"{code[0]}/{int.from_bytes(code[1:3], 'big')}" if len(code) == 3 else said.get("err", "")
    gone = len(code) == 3 and code[0] == _GSM and int.from_bytes(code[1:3], "big") == _UNKNOWN_SUBSCRIBER
    reason = f"{meaning} ({word}{f', error {error}' if error else ''})" if meaning else ""
    return Receipt(name, what, reason, address_gone=gone and what == "undelivered")


def _state_of(word: str) -> str:
    """A state as appendix B writes it. Some message centres write it out: DELIVERED, UNDELIVERABLE."""
    written = word.upper()
    return next((state for begin, state in _BEGINNINGS.items() if written.startswith(begin)), written)


def _answered_id(given: str, ids: MessageIds) -> str:
    """The id as submit_sm was answered with it."""
    try:
        match ids:
            case "hex-then-decimal":
                return f"{int(given, 10):X}"
            case "decimal-then-hex":
                return str(int(given, 16))
    except ValueError:
        pass  # an id of another sort, which is its own name
    return normal_id(given)
