"""The body of a mail: text and HTML as alternatives, and what is attached (RFC 2046), in seven bits (RFC 2045), every
line ended by CRLF.

Written here and not by `email.message`, which takes as long for it as all the rest of handing over. Lines that begin
with "From " are encoded: mailboxes of the old form put a ">" before them, which would break a signature.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence

from segue.api import Attachment

_LINE_END = re.compile(r"\r\n|\r|\n")
_PLAIN = re.compile(r"(?:[\t -~]{0,998}\r\n)*")
"""What may go as it is: printable ASCII in lines that no server cuts (RFC 5322, section 2.1.1)."""
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MEDIA = re.compile(r"[a-z]+/[a-z0-9.+-]+(; ?charset=[a-z0-9-]+)?")
_FOREIGN = 6
"""Where one character in so many is no ASCII, base64 is shorter than quoted-printable, and as readable."""


class UnfitAttachment(ValueError):
    """A file's name or media type cannot stand in a header."""


def body_of(text: str, markup: str | None, key: str, attachments: Sequence[Attachment] = ()) -> bytes:
    """The header fields of the body, an empty line, and the body. Raises UnicodeEncodeError for half a surrogate pair,
    and UnfitAttachment. The boundaries are made of the ``key``, so that the same message handed over twice is the same
    mail."""
    boundary = f"=_{key}"
    body = _part("plain", text, boundary)
    if markup is not None:
        body = _multipart("alternative", [body, _part("html", markup, boundary)], boundary)
    if attachments:
        # No boundary may be the beginning of another (RFC 2046, section 5.1.2).
        body = _multipart("mixed", [body, *map(_file, attachments)], f"=_m{key}")
    return b"MIME-Version: 1.0\r\n" + body


def _multipart(sort: str, parts: Sequence[bytes], boundary: str) -> bytes:
    mark = f"--{boundary}".encode()
    head = f'Content-Type: multipart/{sort};\r\n boundary="{boundary}"\r\n\r\n'.encode()
    return head + b"\r\n".join(mark + b"\r\n" + part for part in parts) + b"\r\n" + mark + b"--\r\n"


def _file(one: Attachment) -> bytes:
    """A part that is a file, in base64: no boundary can stand in it."""
    if _FILE_NAME.fullmatch(one.name) is None or _MEDIA.fullmatch(one.media) is None:
        raise UnfitAttachment(f"{one.name[:80]!r} as {one.media[:80]!r} cannot be attached to a mail")
    return (
        f"Content-Type: {one.media}\r\nContent-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment;\r\n filename="{one.name}"\r\n\r\n'
    ).encode() + base64.encodebytes(one.data).replace(b"\n", b"\r\n")


def _part(sort: str, text: str, boundary: str) -> bytes:
    text = _LINE_END.sub("\r\n", text)
    if not text.endswith("\r\n"):
        text += "\r\n"
    raw = text.encode()
    if _PLAIN.fullmatch(text) is not None and boundary not in text and not _has_from(text):
        how, data = "7bit", raw
    elif (len(raw) - len(text)) * _FOREIGN > len(text):
        how, data = "base64", base64.encodebytes(raw).replace(b"\n", b"\r\n")
    else:
        quoted = binascii.b2a_qp(raw, quotetabs=False, istext=True, header=False)
        how, data = "quoted-printable", b"\r\n".join(map(_without_from, quoted.split(b"\r\n")))
    return f'Content-Type: text/{sort}; charset="utf-8"\r\nContent-Transfer-Encoding: {how}\r\n\r\n'.encode() + data


def _has_from(text: str) -> bool:
    return text.startswith("From ") or "\r\nFrom " in text


def _without_from(line: bytes) -> bytes:
    return b"=46" + line[1:] if line.startswith(b"From ") else line
