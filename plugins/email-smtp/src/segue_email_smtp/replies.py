"""What a server's reply means for a message (RFC 5321 4.2, RFC 3463)."""

from __future__ import annotations

import re
from typing import Literal

from segue.api import Rejected, Retry

Stage = Literal["mail", "rcpt", "data"]

# RFC 3463 3.2, RFC 7505: bad mailbox, bad system, bad syntax, moved, null MX; 3.3: mailbox disabled.
_DEAD = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_UNKNOWN_MAILBOX = re.compile(
    r"user unknown|unknown user|no such (user|mailbox|recipient|address)|(user|mailbox|recipient|account|address) "
    r"(was |is )?(not found|does ?n[o']t exist|unknown)|does not exist|no mailbox here",
    re.IGNORECASE,
)
_OF_ONE_MAIL = frozenset({450, 451, 452})
_GREYLISTED = re.compile(r"gr[ae]y[- ]?list", re.IGNORECASE)
# How Exchange Online says 5.1.1 to strangers, whose mail goes by the edge: https://learn.microsoft.com/exchange/
# mail-flow-best-practices/use-directory-based-edge-blocking
_NO_SUCH_AT_EXCHANGE = "recipient address rejected: access denied"
# Login needed, wrong or too weak (RFC 4954 6): the fault is in the settings, not in the message.
_LOGIN = frozenset({530, 534, 535, 538})
_QUEUED = re.compile(r"queued as ([A-Za-z0-9._-]+)", re.IGNORECASE)


def judge(code: int, text: str, stage: Stage) -> Retry | Rejected:
    """The answer for a message that the server refused at this stage.

    4xx may succeed later, 5xx never will. A mailbox counts as gone only where the reply to its own RCPT says so by
    enhanced code or in words: 550 alone also stands for policy. A 4xx that is about this mailbox alone, such as
    greylisting, says nothing of other mail.
    """
    reason = f"{code} {readable(text)}"
    if not 500 <= code <= 599 or code in _LOGIN:
        return Retry(reason, address=_is_of_the_mailbox(code, text, stage))
    return Rejected(reason, address_gone=stage == "rcpt" and _says_gone(code, text))


def _is_of_the_mailbox(code: int, text: str, stage: Stage) -> bool:
    """Whether a 4xx is about the recipient: a mailbox that is full or busy, or greylisting (RFC 6647), which comes to
    RCPT or to the whole mail. Its enhanced code says so (RFC 3463: x.1 and x.2 are of the address and the mailbox, x.3
    and x.4 of the server and the network); where there is none, 450 and 451 to RCPT."""
    if code not in _OF_ONE_MAIL:
        return False
    if _GREYLISTED.search(text) is not None:
        return True
    enhanced = enhanced_status(text)
    if stage == "mail":
        return False
    if enhanced is None or enhanced.endswith(".0.0"):
        return stage == "rcpt" and code != 452
    return enhanced.startswith(("4.1.", "4.2.")) or (stage == "rcpt" and enhanced.startswith("4.7."))


def enhanced_status(text: str) -> str | None:
    """The enhanced code at the beginning of a text (RFC 3463)."""
    found = _ENHANCED.match(text)
    return None if found is None else found[1]


def is_gone(status: str | None, diagnostic: str) -> bool:
    """Whether a bounce says that the mailbox is gone, by its status or by what the last server said: a server that was
    told no more than "no" gives 5.0.0."""
    if status is not None and not status.startswith("5"):
        return False
    if status is None or status.endswith(".0.0"):
        code, _, words = diagnostic.strip().partition(" ")
        return code.isdecimal() and len(code) == 3 and _says_gone(int(code), words.strip())
    return status in _DEAD or (status == "5.4.1" and _NO_SUCH_AT_EXCHANGE in diagnostic.lower())


def _says_gone(code: int, text: str) -> bool:
    enhanced = enhanced_status(text)
    if enhanced is not None and not enhanced.endswith(".0.0"):
        return enhanced in _DEAD or (enhanced == "5.4.1" and _NO_SUCH_AT_EXCHANGE in text.lower())
    return code in {550, 551, 553} and _UNKNOWN_MAILBOX.search(text) is not None


def queue_id(text: str) -> str:
    """The server's own id for a mail it took, empty where it names none."""
    found = _QUEUED.search(text)
    return "" if found is None else found[1]


def readable(text: str) -> str:
    """A server's words on one line, for reasons that people read: no control characters, at most 300 characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= 300 else line[:299] + "…"
