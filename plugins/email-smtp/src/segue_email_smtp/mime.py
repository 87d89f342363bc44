"""The body of a mail: text and HTML as alternatives (RFC 2046), in seven bits (RFC 2045), every line ended by CRLF.

Written here and not by `email.message`, which takes as long for it as all the rest of handing over. Lines that begin
with "From " are encoded: mailboxes of the old form put a ">" before them, which would break a signature.
"""

from __future__ import annotations

import base64
import binascii
import re

_LINE_END = re.compile(r"\r\n|\r|\n")
_PLAIN = re.compile(r"(?:[\t -~]{0,998}\r\n)*")
"""What may go as it is: printable ASCII in lines that no server cuts (RFC 5322, section 2.1.1)."""
_FOREIGN = 6
"""Where one character in so many is no ASCII, base64 is shorter than quoted-printable, and as readable."""


def body_of(text: str, markup: str | None, key: str) -> bytes:
    """The header fields of the body, an empty line, and the body. Raises UnicodeEncodeError for half a surrogate pair.
    The boundary is made of the ``key``, so that the same message handed over twice is the same mail."""
    boundary = f"=_{key}"
    if markup is None:
        return b"MIME-Version: 1.0\r\n" + _part("plain", text, boundary)
    mark = f"--{boundary}".encode()
    return b"".join(
        (
            f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n'.encode(),
            *(mark, b"\r\n", _part("plain", text, boundary)),
            *(b"\r\n", mark, b"\r\n", _part("html", markup, boundary)),
            *(b"\r\n", mark, b"--\r\n"),
        )
    )


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
