"""Calls from the gateway: delivery reports, and messages from customers.

Every call carries a token. In the address of a report it is a MAC of the message's key, so that whoever sees one
address can forge nothing else; in the address for customers' messages, which an operator writes into Kannel's
configuration by hand, it is the secret itself.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from urllib.parse import quote

from segue.api import Callback, Inbound, Instant, Report, Request, Response
from segue.api.sms import NumberError, parse_number

DELIVERED, FAILED, BUFFERED, ACKNOWLEDGED, REFUSED = 1, 2, 4, 8, 16
REPORT_MASK = DELIVERED | FAILED | REFUSED
"""The reports that are asked for (``dlr-mask``): the final ones."""

_CHARSET = re.compile(r'charset="?([A-Za-z0-9_-]+)')
# What Kannel names, and no more of what Python could be talked into.
_CODECS = {
    "utf-16be": "utf-16-be",
    "utf-16-be": "utf-16-be",
    "ucs-2be": "utf-16-be",
    "iso-8859-1": "latin-1",
    "latin1": "latin-1",
    "windows-1252": "cp1252",
    "us-ascii": "ascii",
}

_INTERMEDIATE = frozenset({BUFFERED, ACKNOWLEDGED, 32, 64})
_FINAL = {
    DELIVERED: ("delivered", ""),
    FAILED: ("undelivered", "the operator could not deliver it"),
    REFUSED: ("undelivered", "the operator refused it"),
}


_NO_SUCH_NUMBER = "nack/0x0000000b/"
"""What bearerbox says of a text that an operator refused by SMPP's ESME_RINVDSTADR, "invalid destination address"."""


def report_url(base: str, channel: str, key: str, secret: str) -> str:
    """Where the gateway reports on the message with this key. Kannel fills in ``%d`` (status), ``%A`` (the operator's
    words), ``%F`` (the operator's id) and ``%T`` (time); every other percent sign is doubled for it."""
    address = f"{base.rstrip('/')}/callbacks/{quote(channel, safe='')}?key={quote(key, safe='')}"
    return f"{address.replace('%', '%%')}&token={_token(secret, key)}&status=%d&reply=%A&id=%F&at=%T"


def read_callback(request: Request, secret: str | None) -> Callback:
    """Understand one call. Forged ones are answered 403, unreadable ones 400; nothing is reported for either."""
    if secret is None:
        return _refuse(403, "callback_secret is not set for this channel")
    if request.method not in {"GET", "POST"}:
        return _refuse(405, "GET or POST only")
    key = request.query.get("key")
    expected = secret if key is None else _token(secret, key)
    if not hmac.compare_digest(request.query.get("token", "").encode("utf-8", "replace"), expected.encode()):
        return _refuse(403, "wrong token")
    return _read_inbound(request) if key is None else _read_report(request, key)


def _read_report(request: Request, key: str) -> Callback:
    status = request.query.get("status", "")
    if not (status.isascii() and status.isdigit() and len(status) <= 3):
        return _refuse(400, f"status {status[:20]!r} is not a number")
    if int(status) in _INTERMEDIATE:
        return Callback()
    if int(status) not in _FINAL:
        return _refuse(400, f"status {status} is not one of Kannel's")
    what, meaning = _FINAL[int(status)]
    words = _line(request.query.get("reply", ""))
    reason = f"{meaning} ({words})" if meaning and words else meaning
    # The parts of a long text may report one by one; the same outcome counts once.
    gone = what == "undelivered" and words.lower().startswith(_NO_SUCH_NUMBER)
    report = Report(id=f"{key}:{what}", what=what, at=_instant(request), key=key, reason=reason, address_gone=gone)
    return Callback(reports=(report,))


def _read_inbound(request: Request) -> Callback:
    sender = request.query.get("from", "") or request.headers.get("x-kannel-from", "")
    try:
        address = parse_number(sender)
    except NumberError:
        if not sender.strip():
            return _refuse(400, "from is missing")
        address = _line(sender)  # A short code, or a name: nobody's number, and still worth showing.
    text = _text(request).replace("\x00", "")
    at = _instant(request)
    name = request.query.get("id", "")
    if not name:
        given = f"{address}\n{request.query.get('at', '')}\n{text}".encode("utf-8", "replace")
        name = hashlib.sha256(given).hexdigest()[:32]
    return Callback(inbound=(Inbound(id=_line(name), address=address, text=text, at=at),))


def _text(request: Request) -> str:
    """The customer's words: ``text`` in the address, or the body of Kannel's ``post-url`` in the charset it names. What
    does not decode is kept with replacement marks: a STOP must not be lost to a wrong charset."""
    if "text" in request.query:
        return request.query["text"]
    named = _CHARSET.search(request.headers.get("content-type", ""))
    charset = named[1].lower() if named is not None else "utf-8"
    return request.body.decode(_CODECS.get(charset, "utf-8"), "replace")


def _instant(request: Request) -> Instant:
    """When it happened, by the gateway's clock (seconds), and never later than now."""
    now = time.time_ns() // 1000
    given = request.query.get("at", "")
    if given.isascii() and given.isdigit() and len(given) <= 11:
        return Instant(min(int(given) * 1_000_000, now))
    return Instant(now)


def _token(secret: str, key: str) -> str:
    return hmac.new(secret.encode(), b"report:" + key.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:200]


def _refuse(status: int, reason: str) -> Callback:
    return Callback(response=Response(status, reason.encode("utf-8", "replace"), {"content-type": "text/plain"}))
