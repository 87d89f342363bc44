"""Calls from Twilio: what became of a message, and messages from customers.

Each is signed: HMAC-SHA1, by the account's auth token, of the address that Twilio called and the fields of the form
(https://www.twilio.com/docs/usage/security#validating-requests). The address is not taken from the request, where a
proxy may have changed it, but is the one that Segue gave out. A signature says nothing of the time: a call that is
repeated repeats its report, which has the same id and changes nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from segue.api import Callback, Inbound, Instant, Report, Request, Response
from segue.api.replies import quotable
from segue.api.sms import Keyword, NumberError, parse_number
from segue_twilio.replies import FAILURES, address_is_gone, is_opted_out

__all__ = ["address_of", "read_callback", "sign"]

_MOST_FIELDS: Final = 200
_LARGEST: Final = 100_000  # bytes of a form: a message has 1,600 characters
_KEYWORDS: Final[dict[str, Keyword]] = {"STOP": "stop", "START": "start", "HELP": "help"}
_OUTCOMES: Final = {"delivered": "delivered", "read": "read", **dict.fromkeys(FAILURES, "undelivered")}
_NO_REPLY: Final = Response(200, b"<Response/>", {"content-type": "text/xml"})
"""TwiML that says nothing to the customer: what is answered is for rules to say."""


def address_of(base: str, channel: str, key: str | None = None) -> str:
    """Where Twilio calls: about the message with this key, or with customers' messages."""
    address = f"{base.rstrip('/')}/callbacks/{quote(channel, safe='')}"
    return address if key is None else f"{address}?key={quote(key, safe='', errors='replace')}"


def read_callback(request: Request, base: str | None, channel: str, token: str, *, reads: bool) -> Callback:
    """Understand one call. Forged ones are answered 403, unreadable ones 400; nothing is reported for either.
    ``reads``: whether the channel reports that a message was read."""
    if base is None:
        return _refuse(403, "the address under which Segue is reached from outside is not set")
    if request.method != "POST":
        return _refuse(405, "POST only")
    if len(request.body) > _LARGEST:
        return _refuse(413, "too large")
    fields = _form(request.body)
    if fields is None:
        return _refuse(400, "not a form")
    key = request.query.get("key")
    if set(request.query) - {"key"}:
        return _refuse(403, "an address that was not given out")
    if not _is_signed(request, address_of(base, channel, key), fields, token):
        return _refuse(403, "wrong signature")
    values = dict(fields)
    return _read_inbound(values) if key is None else _read_report(values, key, reads)


def sign(address: str, fields: list[tuple[str, str]], token: str) -> str:
    """The signature of a call."""
    text = address + "".join(name + value for name, value in sorted(set(fields)))
    mac = hmac.new(token.encode(), text.encode("utf-8", "surrogateescape"), hashlib.sha1)
    return base64.b64encode(mac.digest()).decode()


def _is_signed(request: Request, address: str, fields: list[tuple[str, str]], token: str) -> bool:
    given = request.headers.get("x-twilio-signature", "").encode("utf-8", "replace")
    # Twilio signs addresses with and without the port that stands for their scheme.
    expected = [sign(one, fields, token).encode() for one in _spellings(address)]
    return any(hmac.compare_digest(given, one) for one in expected)


def _spellings(address: str) -> tuple[str, ...]:
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    if parts.port is not None:
        bare = host.rpartition(":")[0]
        return address, urlunsplit(parts._replace(netloc=bare))
    port = 443 if parts.scheme == "https" else 80
    return address, urlunsplit(parts._replace(netloc=f"{host}:{port}"))


def _form(body: bytes) -> list[tuple[str, str]] | None:
    try:
        return parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="surrogateescape"
        )
    except ValueError:  # not ASCII, or too many fields
        return None


def _read_report(fields: dict[str, str], key: str, reads: bool) -> Callback:
    status = fields.get("MessageStatus", "")
    what = _OUTCOMES.get(status)
    if what == "read" and not reads:
        what = "delivered"
    if what is None:
        # accepted, queued, sending, sent …: on its way
        return Callback() if status.isascii() and status.isalpha() else _refuse(400, "MessageStatus is missing")
    code = _code(fields.get("ErrorCode", ""))
    now = Instant(time.time_ns() // 1000)
    reason = ""
    if what == "undelivered":
        said = quotable(fields.get("ErrorMessage", "").encode("utf-8", "replace"))
        reason = f"Twilio could not deliver it: {status}{f', error {code}' if code else ''} {said}".rstrip()
    report = Report(
        id=f"{key}:{what}",
        what=what,
        at=now,
        key=key,
        receipt=_line(fields.get("MessageSid", "")),
        reason=reason,
        address_gone=what == "undelivered" and address_is_gone(code),
    )
    if what == "undelivered" and is_opted_out(code):
        # A Messaging Service finds out only now that Twilio was told STOP.
        return Callback(reports=(report,), inbound=_told_stop(fields, key, now))
    return Callback(reports=(report,))


def _told_stop(fields: dict[str, str], key: str, now: Instant) -> tuple[Inbound, ...]:
    try:
        address = parse_number(fields.get("To", "").removeprefix("rcs:"))
    except NumberError:
        return ()
    return (Inbound(id=f"{key}:stop", address=address, text="STOP (told to Twilio)", at=now, keyword="stop"),)


def _read_inbound(fields: dict[str, str]) -> Callback:
    name = _line(fields.get("MessageSid", "") or fields.get("SmsMessageSid", ""))
    sender = fields.get("From", "").removeprefix("rcs:")
    if not name or not sender.strip():
        return _refuse(400, "MessageSid or From is missing")
    try:
        address = parse_number(sender)
    except NumberError:
        address = _line(sender)  # A short code, or a name: nobody's number, and still worth showing.
    inbound = Inbound(
        id=name,
        address=address,
        text=fields.get("Body", "").encode("utf-8", "replace").decode().replace("\x00", ""),
        at=Instant(time.time_ns() // 1000),
        # https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out: the words of the account's own list.
        keyword=_KEYWORDS.get(fields.get("OptOutType", "").upper()),
    )
    return Callback(inbound=(inbound,), response=_NO_REPLY)


def _code(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else 0


def _line(text: str) -> str:
    return quotable(text.encode("utf-8", "replace"))


def _refuse(status: int, reason: str) -> Callback:
    return Callback(response=Response(status, reason.encode(), {"content-type": "text/plain"}))
