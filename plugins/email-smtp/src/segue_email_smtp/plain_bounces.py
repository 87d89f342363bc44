"""Bounces without a delivery status: those of qmail, which have a form of their own (QSBMF,
https://cr.yp.to/proto/qsbmf.txt), and those of Exim before 4.82, which name the recipient in X-Failed-Recipients.

Any other text may as well say that a mail is late, and is left for a person to read.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from segue_email_smtp.replies import is_gone, readable

_QMAIL: Final = "Hi. This is the "
_MOST: Final = 10_000
_PARAGRAPHS: Final = re.compile(r"\n[ \t]*\n")
_CODE: Final = re.compile(r"(?<![\d.])[45]\d\d(?=[ -])")
_STATUS: Final = re.compile(r"\(#([245]\.\d{1,3}\.\d{1,3})\)")
"""How qmail writes the enhanced code (RFC 3463)."""


class Failure(msgspec.Struct, frozen=True):
    """A mail did not arrive, for good."""

    reason: str
    address_gone: bool


def read_failure(text: str, failed: str) -> Failure | None:
    """What the text of a server's mail says; None where it is of neither form. ``failed`` is what stands in the field
    X-Failed-Recipients."""
    text = text[:_MOST].replace("\r\n", "\n").lstrip()
    said = ""
    if text.startswith(_QMAIL):
        for paragraph in _PARAGRAPHS.split(text)[1:]:
            if paragraph.startswith("-"):
                break
            if paragraph.startswith("<"):
                said = paragraph.partition(":\n")[2] or paragraph
                break
    elif failed and "@" in failed and (found := re.search(rf"^[ \t]*{re.escape(failed.strip())}:?[ \t]*$", text, re.M)):
        said = re.split(r"\n-{3,}", text[found.end() :])[0]
    else:
        return None
    if not said.strip():
        return None
    words = " ".join(said.split())
    code = _CODE.search(words)
    status = _STATUS.search(words)
    gone = is_gone(status[1] if status is not None else None, words[code.start() :] if code is not None else "")
    return Failure(readable(words), gone)
