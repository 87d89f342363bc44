"""What the message centre delivers: reports, and customers' messages, those of several parts put together."""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from segue.api import Inbound, Instant, Report
from segue.api.replies import quotable
from segue.api.sms import NumberError, parse_number
from segue_sms_smpp.config import Config
from segue_sms_smpp.pdu import ShortMessage
from segue_sms_smpp.receipts import is_receipt, read_receipt
from segue_sms_smpp.texts import Piece, piece_of

__all__ = ["Inbox"]

_PATIENCE: Final = 300.0
"""Seconds in which all parts of a text must come; then it is taken as it is."""
_MOST_OPEN: Final = 1_000

_Name = tuple[str, str, int, int]


class _Open(msgspec.Struct):
    begun: float
    pieces: dict[int, Piece]


class Inbox:
    """Understands deliver_sm. Parts of a long text are acknowledged one by one, since a message centre may not send the
    second before that: those of a text that is not complete when Segue ends are lost."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._open: dict[_Name, _Open] = {}

    def take(self, message: ShortMessage, name: str, now: float) -> Report | Inbound | None:
        """What one packet means; None where nothing (yet). ``name`` is its own, ``now`` in seconds since 1970."""
        if not is_receipt(message):
            return self._take_piece(message, name, now)
        receipt = read_receipt(message, self._config.message_ids)
        if receipt is None or not receipt.what:
            return None
        return Report(
            id=f"{receipt.message_id}:{receipt.what}",
            what=receipt.what,
            at=Instant(int(now * 1_000_000)),
            receipt=receipt.message_id,
            reason=receipt.reason,
            address_gone=receipt.address_gone,
        )

    def late(self, now: float) -> list[Inbound]:
        """Texts of which parts never came."""
        found = {name: one.begun for name, one in self._open.items() if now - one.begun > _PATIENCE}
        return [self._close(name, f"{begun}", now) for name, begun in found.items()]

    def _take_piece(self, message: ShortMessage, name: str, now: float) -> Inbound | None:
        piece = piece_of(message, self._config)
        if piece.total == 1:
            return _inbound(message.source, piece.text, name, now)
        whole = (message.source, message.destination, piece.reference, piece.total)
        if whole not in self._open and len(self._open) >= _MOST_OPEN:
            return _inbound(message.source, piece.text, name, now)
        one = self._open.setdefault(whole, _Open(now, {}))
        one.pieces[piece.number] = piece
        return self._close(whole, name, now) if len(one.pieces) == piece.total else None

    def _close(self, whole: _Name, name: str, now: float) -> Inbound:
        pieces = self._open.pop(whole).pieces
        return _inbound(whole[0], "".join(pieces[number].text for number in sorted(pieces)), name, now)


def _inbound(source: str, text: str, name: str, now: float) -> Inbound:
    try:
        address = parse_number(source)
    except NumberError:
        address = quotable(source.encode("utf-8", "replace")) or "unknown"  # a short code, or a name
    told = f"{name}\n{source}\n{text}".encode("utf-8", "replace")
    return Inbound(
        id=hashlib.sha256(told).hexdigest()[:32], address=address, text=text, at=Instant(int(now * 1_000_000))
    )
