"""What command_status means for a message (SMPP 3.4, 5.1.3)."""

from __future__ import annotations

from typing import Final

from segue.api import Rejected, Retry

__all__ = ["INVALID", "QUEUE_FULL", "judge", "name_of"]

INVALID: Final = 0x65
"""ESME_RX_P_APPN: we shall never understand this packet."""
QUEUE_FULL: Final = 0x14
"""ESME_RMSGQFUL: offer it again later."""

_NAMES: Final = {
    0x01: "message length is invalid",
    0x02: "command length is invalid",
    0x03: "command is invalid",
    0x04: "not bound",
    0x05: "already bound",
    0x08: "system error",
    0x0A: "invalid sender",
    0x0B: "invalid number",
    0x0D: "bind failed",
    0x0E: "wrong password",
    0x0F: "unknown system_id",
    0x14: "queue full",
    0x15: "invalid service type",
    0x43: "invalid esm_class",
    0x45: "submit failed",
    0x48: "invalid sender's type of number",
    0x49: "invalid sender's numbering plan",
    0x50: "invalid type of number",
    0x51: "invalid numbering plan",
    0x53: "wrong system_type",
    0x58: "throttled",
    0x61: "invalid scheduled time",
    0x62: "invalid validity period",
    0x64: "temporary error of the receiver",
    0x65: "permanent error of the receiver",
    0x66: "refused by the receiver",
    0xC4: "invalid parameter",
    0xFE: "delivery failed",
    0xFF: "unknown error",
    0x101: "prohibited",
    0x104: "invalid data coding",
}

_TOO_FAST: Final = frozenset({QUEUE_FULL, 0x58})
_PAUSE: Final = 1.0
"""Seconds in which nothing goes to a message centre that has too much: SMPP names no time, and rates are a second's."""
_GONE: Final = frozenset({0x0B})
_MESSAGE_AT_FAULT: Final = frozenset(
    {0x01, 0x0B, 0x43, 0x50, 0x51, 0x61, 0x62, 0x65, 0x66, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xFE, 0x101, 0x104}
)


def name_of(status: int) -> str:
    """A status in words, with its number."""
    return f"{_NAMES.get(status, 'error of the operator')} (0x{status:08X})"


def judge(status: int) -> Retry | Rejected:
    """What a refusal means. Throttling, a full queue, system errors, and whatever the operator's own numbers may say,
    is tried again within the message's time; so is what the operator of Segue can put right, such as a sender."""
    reason = f"the message centre refused it: {name_of(status)}"
    if status in _MESSAGE_AT_FAULT:
        return Rejected(reason, address_gone=status in _GONE)
    if status in _TOO_FAST:
        return Retry(reason, after=_PAUSE, account=True)
    return Retry(reason)
