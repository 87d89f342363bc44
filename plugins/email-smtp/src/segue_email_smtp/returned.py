"""What comes back by mail: bounces (RFC 3464), complaints (RFC 5965) and replies.

A mail counts only by its seal (`segue_email_smtp.seals`). Out-of-office notes and other automatic answers (RFC 3834)
say nothing. Whatever cannot be understood is left for a person to read: anyone may write anything here, and none of it
may end more than itself.
"""

from __future__ import annotations

import email
import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message as Mail
from email.utils import parseaddr, parsedate_to_datetime

import msgspec

from segue.api import Inbound, Instant, Report, from_datetime
from segue.api.plaintext import plain_text
from segue_email_smtp.addresses import AddressError, parse_mailbox
from segue_email_smtp.replies import enhanced_status, is_gone, readable
from segue_email_smtp.seals import Seals

MOST = 262_144
"""Bytes of a mail that are read. What matters stands at the beginning; a picture that comes back with it does not."""
_LONGEST_TEXT = 10_000

_COMPLAINTS = frozenset({"abuse", "fraud", "virus", "other", "opt-out", "opt-out-list"})
"""Feedback-Type (RFC 5965, section 7.3): ``not-spam`` is the contrary, ``auth-failure`` is no person's."""
_RECIPIENTS = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To", "Cc")
_AUTOMATIC = ("X-Auto-Response-Suppress", "X-Autoreply", "X-Autorespond", "List-Id", "X-Loop")
_PRECEDENCE = frozenset({"bulk", "junk", "list", "auto_reply"})
_ROBOTS = re.compile(r"(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)([+=-].*)?", re.IGNORECASE)
_QUOTED = re.compile(r">|-{2,} ?(original message|forwarded message)|_{10,}$|-- ?$|sent from my ", re.IGNORECASE)


class Understood(msgspec.Struct, frozen=True):
    """What a mail says. One that says nothing, and a reply, is kept for whoever wants to read it."""

    reports: tuple[Report, ...] = ()
    inbound: tuple[Inbound, ...] = ()

    @property
    def kept(self) -> bool:
        return bool(self.inbound) or not self.reports


def understand(raw: bytes, seals: Seals, now: Instant) -> Understood:
    """What a mail says, whatever it is; never raises."""
    try:
        return _understand(raw[:MOST], seals, now)
    except Exception:  # `email` takes everything apart that people send, and still not all that people make up
        return Understood()


def _understand(raw: bytes, seals: Seals, now: Instant) -> Understood:
    mail = email.message_from_bytes(raw)
    name = hashlib.sha256(raw).hexdigest()[:32]  # the same mail read again is the same report
    at = _date(mail, now)
    parts = {part.get_content_type(): part for part in reversed(list(mail.walk()))}  # of each sort the first
    status = parts.get("message/delivery-status") or parts.get("message/global-delivery-status")
    if status is not None:
        return _bounce(mail, status, seals, name, at)
    feedback = parts.get("message/feedback-report")
    if feedback is not None:
        return _complaint(mail, feedback, seals, name, at)
    return Understood() if _is_automatic(mail) else _reply(mail, seals, name, at)


# Bounces


def _bounce(mail: Mail, status: Mail, seals: Seals, name: str, at: Instant) -> Understood:
    """A delivery status notification. Only what is final counts: of a delay the server says more later."""
    key = seals.find(_traces(mail))
    told = {_field(block, "Action").lower(): block for block in _blocks(status) if block["Action"]}
    if key is None:
        return Understood()
    if (block := told.get("failed")) is not None:
        diagnostic = _field(block, "Diagnostic-Code").partition(";")[2].strip()
        said = enhanced_status(_field(block, "Status"))
        reason = readable(f"bounced: {diagnostic or said or 'no reason given'}")
        gone = is_gone(said, diagnostic)
        report = Report(id=name, what="undelivered", at=at, key=key, reason=reason, address_gone=gone)
        return Understood(reports=(report,))
    if "delivered" in told:
        return Understood(reports=(Report(id=name, what="delivered", at=at, key=key),))
    return Understood()


def _blocks(status: Mail) -> Iterator[Mail]:
    """The groups of fields in a status: first about the mail, then one for each recipient (RFC 3464, section 2.1)."""
    payload = status.get_payload()
    if isinstance(payload, list) and status.get_content_subtype() == "delivery-status":
        yield from (block for block in payload if isinstance(block, Mail))
    else:  # the international form (RFC 6533) `email` takes for one mail
        text = _text(status)
        yield from (email.message_from_string(block) for block in re.split(r"\r?\n\s*\r?\n", text.strip()))


# Complaints


def _complaint(mail: Mail, feedback: Mail, seals: Seals, name: str, at: Instant) -> Understood:
    payload = feedback.get_payload()
    fields = payload[0] if isinstance(payload, list) and isinstance(payload[0], Mail) else email.message_from_string("")
    sort = _field(fields, "Feedback-Type").lower()
    key = seals.find((*_traces(mail), _field(fields, "Original-Mail-From"), _field(fields, "Original-Envelope-Id")))
    if key is None or sort not in _COMPLAINTS:
        return Understood()
    by = _field(fields, "User-Agent") or parseaddr(_field(mail, "From"))[1]
    reason = readable(f"complaint ({sort}) reported by {by}")
    return Understood(reports=(Report(id=name, what="complained", at=at, key=key, reason=reason),))


# Replies


def _reply(mail: Mail, seals: Seals, name: str, at: Instant) -> Understood:
    """What a customer wrote back: theirs where it answers a mail that went to the address it comes from."""
    try:
        sender = parse_mailbox(parseaddr(_field(mail, "From"))[1]).address
    except AddressError:
        return Understood()
    key = seals.find_from((_field(mail, "In-Reply-To"), _field(mail, "References")), sender)
    if key is None:
        return Understood()
    return Understood(
        inbound=(Inbound(id=name, address=sender, text=_written(mail), at=at, key=key),),
    )


def _is_automatic(mail: Mail) -> bool:
    """Whether a machine wrote it (RFC 3834, section 2; RFC 8098 for receipts of reading)."""
    return (
        _field(mail, "Auto-Submitted").lower().partition(";")[0].strip() not in ("", "no")
        or _field(mail, "Precedence").lower() in _PRECEDENCE
        or any(mail[name] is not None for name in _AUTOMATIC)
        or _field(mail, "Return-Path") == "<>"
        or mail.get_content_type() == "multipart/report"
        or _ROBOTS.fullmatch(parseaddr(_field(mail, "From"))[1].partition("@")[0]) is not None
    )


def _written(mail: Mail) -> str:
    """The words that are new in a reply: without the mail that it answers, and without a signature."""
    bodies = {part.get_content_type(): part for part in reversed(list(mail.walk())) if not part.is_multipart()}
    if (plain := bodies.get("text/plain")) is not None:
        text = _text(plain)
    elif (rich := bodies.get("text/html")) is not None:
        text = plain_text(_text(rich))
    else:
        return ""
    lines: list[str] = []
    for line in text[:_LONGEST_TEXT].splitlines():
        if _QUOTED.match(line.strip()):
            break
        lines.append(line.rstrip())
    while lines and (not lines[-1] or lines[-1].endswith(":")):  # "On Monday the shop wrote:"
        lines.pop()
    return "\n".join(lines).strip()


# Reading


def _traces(mail: Mail) -> Iterator[str]:
    """Where a seal may stand in a report: the address that it came to, and the mail that it brings back."""
    for name in _RECIPIENTS:
        yield from (str(value) for value in mail.get_all(name, []))
    for part in mail.walk():
        sort = part.get_content_type()
        payload = part.get_payload()
        if sort in ("message/rfc822", "message/global") and isinstance(payload, list):
            originals = [one for one in payload if isinstance(one, Mail)]
        elif sort in ("text/rfc822-headers", "message/global-headers"):
            originals = [email.message_from_string(_text(part))]
        else:
            continue
        for original in originals:
            yield from (_field(original, name) for name in ("Message-ID", "Return-Path", "X-Envelope-From"))


def _field(mail: Mail, name: str) -> str:
    """A field on one line, empty where there is none."""
    return " ".join(str(mail[name] or "").split())


def _text(part: Mail) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        inner = part.get_payload()
        return inner[0].as_string() if isinstance(inner, list) and inner and isinstance(inner[0], Mail) else ""
    try:
        return payload.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        return payload.decode("utf-8", "replace")


def _date(mail: Mail, now: Instant) -> Instant:
    try:
        sent = parsedate_to_datetime(_field(mail, "Date"))
        at = from_datetime(sent if sent.tzinfo is not None else sent.replace(tzinfo=UTC))
    except (ValueError, OverflowError, TypeError, IndexError):
        return now
    return min(at, now) if sent > datetime(1990, 1, 1, tzinfo=UTC) else now
