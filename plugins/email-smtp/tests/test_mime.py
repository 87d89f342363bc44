"""Bodies as they are written, read back by Python's own parser."""

from __future__ import annotations

import email
import email.policy
import re
from email.message import EmailMessage, MIMEPart

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Attachment
from segue_email_smtp.connection import _wire
from segue_email_smtp.mime import UnfitAttachment, body_of

KEY = "0123456789abcdef0123456789abcdef"


def read(data: bytes) -> EmailMessage:
    mail = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    assert not mail.defects
    return mail


def told(mail: MIMEPart | None) -> str:
    """A part's text, with the line ends of Python and the one at the end taken away."""
    assert mail is not None
    raw = mail.get_payload(decode=True)
    assert isinstance(raw, bytes)
    return raw.decode().replace("\r\n", "\n").removesuffix("\n")


def known(text: str) -> str:
    return re.sub(r"\r\n|\r", "\n", text).removesuffix("\n")


ANY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300)
LINES = st.lists(
    st.sampled_from(["", ".", "..", "From me", "> From", "x" * 1200, "ä" * 90, " tail ", "\t", f"--=_{KEY}--"])
)


@given(ANY | LINES.map("\n".join), ANY | LINES.map("\r\n".join))
def test_what_was_written_comes_back(text: str, markup: str) -> None:
    data = body_of(text, markup, KEY)
    assert data.isascii()
    assert data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r")
    assert all(len(line) <= 998 and not line.startswith(b"From ") for line in data.split(b"\r\n"))
    mail = read(data)
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert told(mail.get_body(("plain",))) == known(text)
    assert told(mail.get_body(("html",))) == known(markup)
    assert told(read(body_of(text, None, KEY))) == known(text)


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("Hi Ann,\n\nyour cart waits.\n", "7bit"),
        ("Hyvä Ann, ostoskorisi odottaa.\n", "quoted-printable"),
        ("你好,世界\n", "base64"),
        ("From here on\n", "quoted-printable"),
        ("x" * 1000, "quoted-printable"),
    ],
)
def test_the_shortest_readable_encoding_is_chosen(text: str, how: str) -> None:
    assert read(body_of(text, None, KEY))["Content-Transfer-Encoding"] == how


@given(ANY, st.none() | ANY, st.binary(max_size=300))
def test_a_file_comes_back_beside_the_text(text: str, markup: str | None, held: bytes) -> None:
    page = Attachment(name="report-2026-11-23.html", media="text/html; charset=utf-8", data=held)
    data = body_of(text, markup, KEY, (page,))
    assert data.isascii()
    assert data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r")
    assert all(len(line) <= 998 for line in data.split(b"\r\n"))
    mail = read(data)
    assert mail.get_content_type() == "multipart/mixed"
    assert told(mail.get_body(("plain",))) == known(text)
    if markup is not None:
        assert told(mail.get_body(("html",))) == known(markup)
    (found,) = mail.iter_attachments()
    assert found.get_filename() == "report-2026-11-23.html"
    assert (found.get_content_type(), found.get_content_charset()) == ("text/html", "utf-8")
    assert found.get_payload(decode=True) == held


@pytest.mark.parametrize(
    ("name", "media"),
    [('a".html', "text/html"), ("a\r\nBcc: eve", "text/html"), ("", "text/html"), ("a.html", "text/html\r\nX: y")],
)
def test_a_file_whose_name_or_type_could_break_out_is_refused(name: str, media: str) -> None:
    with pytest.raises(UnfitAttachment):
        body_of("Hi\n", None, KEY, (Attachment(name=name, media=media, data=b""),))


@given(st.lists(st.sampled_from([b"a", b".", b"\r", b"\n", b"\r\n", b".\r\n"])).map(b"".join))
def test_nothing_in_a_mail_ends_it_but_its_end(data: bytes) -> None:
    wire = _wire(data)
    assert wire.endswith(b"\r\n.\r\n") or wire == b"\r\n.\r\n"
    assert wire.count(b"\r\n") == wire.count(b"\n") == wire.count(b"\r")
    assert (b"\r\n" + wire).count(b"\r\n.\r\n") == 1
