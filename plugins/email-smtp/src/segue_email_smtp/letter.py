"""From a message to the bytes that follow DATA: headers (RFC 5322), text, HTML and what is attached (RFC 2046)."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, formataddr

import msgspec

from segue.api import Message
from segue.api.plaintext import plain_text
from segue_email_smtp.addresses import AddressError, has_control_characters, parse_mailbox
from segue_email_smtp.config import Config
from segue_email_smtp.mime import UnfitAttachment, body_of

_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_HIDDEN = '<div style="display:none;max-height:0;overflow:hidden;mso-hide:all">{}</div>'
_HTTPS = re.compile(r"https://[!-;=?-~]+")
"""Without spaces and angle brackets, which end an address in the header."""
_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SHORT = 60
"""Characters of a subject that need no folding."""
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")


class LetterError(ValueError):
    """No mail can be made of this message; the text says why. ``address``: the address is what is wrong."""

    def __init__(self, reason: str, *, address: bool = False) -> None:
        super().__init__(reason)
        self.address = address


class Letter(msgspec.Struct, frozen=True):
    """A mail ready to go. ``international``: the recipient needs SMTPUTF8 (RFC 6531)."""

    sender: str
    recipient: str
    message_id: str
    data: bytes
    international: bool = False


def compose(message: Message, config: Config, now: datetime | None = None) -> Letter:
    """The mail of a message: the same bytes for the same message, the Date aside. Raises LetterError.

    Header lines are written here and not by `email.message`, whose folding of odd names and subjects differs between
    releases of Python; all that comes from outside is checked for line breaks first, or encoded.
    """
    try:
        recipient = parse_mailbox(message.address)
    except AddressError as error:
        raise LetterError(str(error), address=True) from None
    if _KEY.fullmatch(message.key) is None:
        raise LetterError(f"the key {message.key[:80]!r} cannot stand in a Message-ID")
    international = not recipient.local.isascii()
    message_id = config.message_id(message.key, recipient.address)
    headers = [
        ("From", _sender(config)),
        ("To", recipient.address),
        ("Subject", _subject(message.content.get("subject", ""))),
        ("Date", format_datetime(now or datetime.now(UTC))),
        ("Message-ID", message_id),
    ]
    if config.reply_mailbox is not None:
        headers.append(("Reply-To", config.reply_mailbox.address))
    # RFC 3834, section 5: no out-of-office note is to answer it. No Precedence, which does the same by no standard and
    # is discouraged (RFC 2076, section 3.9).
    headers.append(("Auto-Submitted", "auto-generated"))
    headers += _unsubscribing(message, config)
    if config.feedback_id is not None:
        headers.append(("Feedback-ID", _feedback_id(message, config.feedback_id)))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return Letter(
        sender=config.bounce_address(message.key),
        recipient=recipient.address,
        message_id=message_id,
        data=head.encode("utf-8" if international else "ascii") + _body(message),
        international=international,
    )


def _unsubscribing(message: Message, config: Config) -> list[tuple[str, str]]:
    """How the recipient's mail program unsubscribes (RFC 2369), with one click where there is an https address for it
    (RFC 8058, section 3.1). An https address in the settings goes before Segue's own; a mailto goes beside it."""
    if message.kind == "transactional":
        return []
    configured = config.unsubscribe_address(message.key)
    own = message.unsubscribe if message.unsubscribe is not None and _HTTPS.fullmatch(message.unsubscribe) else None
    one_click = configured if configured is not None and configured.startswith("https:") else own
    places = [one_click] if one_click is not None else []
    if configured is not None and configured != one_click:
        places.append(configured)
    headers = [("List-Unsubscribe", ", ".join(f"<{place}>" for place in places))] if places else []
    if one_click is not None:
        headers.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    return headers


def _sender(config: Config) -> str:
    name, address = config.sender_name, config.from_mailbox.address
    if name.isascii():
        return formataddr((name, address))
    return f"{Header(name, 'utf-8', header_name='From').encode(linesep=chr(13) + chr(10))} <{address}>"


def _feedback_id(message: Message, sender: str) -> str:
    """What Gmail counts complaints by: message, rule and kind, then the sender, who must come last."""
    parts = (message.name, message.rule, message.kind)
    return ":".join((*(_UNFIT.sub("-", part)[:40] for part in parts), sender))


def _subject(text: str) -> str:
    """The subject as encoded words (RFC 2047) where it needs them. Raises LetterError."""
    text = text.strip()
    if not text:
        raise LetterError("the message has no subject: give it one in the front matter of its content file")
    if has_control_characters(text.replace("\t", " ")):
        raise LetterError(f"the subject {text[:80]!r} contains a line break or another control character")
    if text.isascii() and len(text) <= _SHORT and "=?" not in text:
        return text
    # A subject that itself looks like an encoded word would be decoded by whoever reads it.
    charset = "us-ascii" if text.isascii() and "=?" not in text else "utf-8"
    return Header(text, charset, header_name="Subject").encode(linesep="\r\n")


def _body(message: Message) -> bytes:
    text, markup = message.content.get("text", ""), message.content.get("html", "")
    if not text.strip() and not markup.strip():
        raise LetterError("the message is empty: its content needs a text (txt) or HTML (html) part")
    preview = " ".join(message.content.get("preview", "").split())
    plain = _clean(text if text.strip() else plain_text(markup))
    rich = _with_preview(_clean(markup), _clean(preview)) if markup.strip() else None
    try:
        return body_of(plain, rich, message.key, message.attachments)
    except UnfitAttachment as error:
        raise LetterError(str(error)) from None
    except UnicodeEncodeError:
        raise LetterError("the text contains half of a surrogate pair, which no mail can carry") from None


def _clean(text: str) -> str:
    """Without NUL, which RFC 5322 3.5 forbids and some servers cut a mail at."""
    return text.replace("\x00", "")


def _with_preview(markup: str, preview: str) -> str:
    """The HTML with the line that mailboxes show beside the subject, hidden in the mail itself."""
    if not preview:
        return markup
    hidden = _HIDDEN.format(html.escape(preview))
    body = _BODY.search(markup)
    return hidden + markup if body is None else markup[: body.end()] + hidden + markup[body.end() :]
