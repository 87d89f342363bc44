"""Mails as they are written, without a server."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Message
from segue_email_smtp import Config
from segue_email_smtp.letter import LetterError, compose

KEY = "0123456789abcdef0123456789abcdef"


def message(content: dict[str, str], **changes: Any) -> Message:
    fields: dict[str, Any] = {
        "key": KEY,
        "channel": "email",
        "name": "cart_reminder",
        "kind": "promotional",
        "customer": "c1",
        "address": "ann@example.test",
        "content": content,
        "rule": "cart_abandoned",
        "expires": 0,
    }
    return Message(**(fields | changes))


def config(**settings: Any) -> Config:
    return Config(**({"host": "localhost", "sender": "shop@example.test"} | settings))


def read(content: dict[str, str], settings: Config | None = None, **changes: Any) -> EmailMessage:
    data = compose(message(content, **changes), settings or config()).data
    mail = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    assert not mail.defects
    return mail


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=250))
def test_any_subject_comes_back_as_it_was_or_is_refused(subject: str) -> None:
    try:
        data = compose(message({"subject": subject, "text": "x"}), config()).data
    except LetterError:
        assert not subject.strip()
        return
    head = data.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    lines = head.split(b"\r\nSubject: ")[1].split(b"\r\nDate: ")
    words = email.header.decode_header(lines[0].decode().replace("\r\n", ""))
    told = "".join(part.decode(charset or "ascii") if isinstance(part, bytes) else part for part, charset in words)
    assert told == subject.strip()


@given(st.text(), st.text(), st.text(), st.text())
def test_no_content_adds_a_header_or_a_recipient(subject: str, text: str, markup: str, preview: str) -> None:
    content = {"subject": subject, "text": text, "html": markup, "preview": preview}
    try:
        data = compose(message(content), config()).data
    except LetterError:
        return
    head = data.partition(b"\r\n\r\n")[0].decode("ascii").replace("\r\n ", " ")
    names = [line.partition(":")[0] for line in head.split("\r\n")]
    assert names[:5] == ["From", "To", "Subject", "Date", "Message-ID"]
    assert set(names[5:]) <= {
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
        " boundary",
    }
    assert data.isascii()
    assert b"\x00" not in data
    assert all(len(line) <= 998 for line in data.split(b"\r\n"))


@pytest.mark.parametrize("mark", ["\n", "\r", "\r\n", "\x00", "\x1b", "\x7f", "\x85", "\u2028", "\ud800"])
def test_a_control_character_in_the_subject_is_refused_with_the_reason(mark: str) -> None:
    with pytest.raises(LetterError, match="control character"):
        compose(message({"subject": f"Hi{mark}Bcc: eve@example.test", "text": "x"}), config())


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ann",
        "@example.test",
        "ann@",
        "ann@@example.test",
        "ann@exa mple.test",
        "ann bob@example.test",
        "ann@example.test, bob@example.test",
        "ann@example.test\nBcc: eve@example.test",
        "ann@example.test\r\nRCPT TO:<eve@example.test>",
        "Ann <ann@example.test>",
        "<ann@example.test>",
        "ann@example.test>",
        '"a b"@example.test',
        "ann@[192.0.2.1]",
        ".ann@example.test",
        "a..b@example.test",
        "ann@-example.test",
        "ann@example..test",
        "ann@" + "x" * 64 + ".test",
        "ann@" + "x." * 130 + "test",
        "x" * 65 + "@example.test",
        "ann\u2028@example.test",
        "ann\u3000b@example.test",
        "ann\ud800@example.test",
        "ann@\ud800.test",
        "ann@xn--\u0080.test",
        "ann\x00@example.test",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(LetterError) as refused:
        compose(message({"subject": "s", "text": "x"}, address=address), config())
    assert refused.value.address
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("ann@example.test", "ann@example.test"),
        (" ann+shop@EXAMPLE.test ", "ann+shop@example.test"),
        ("o'neil!#$%&*/=?^_`{|}~-@example.test", "o'neil!#$%&*/=?^_`{|}~-@example.test"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@straße.example", "ann@xn--strae-oqa.example"),
        ("jürgen@example.test", "jürgen@example.test"),
        ("root@localhost", "root@localhost"),
    ],
)
def test_real_addresses_are_taken(address: str, told: str) -> None:
    letter = compose(message({"subject": "s", "text": "x"}, address=address), config())
    assert letter.recipient == told
    assert letter.international == (not told.isascii())


def test_the_message_id_is_made_of_the_key() -> None:
    assert read({"subject": "s", "text": "x"})["Message-ID"] == f"<{KEY}@example.test>"
    named = config(message_id_domain="mail.example.test")
    assert read({"subject": "s", "text": "x"}, named)["Message-ID"] == f"<{KEY}@mail.example.test>"


def test_unsubscribe_headers_stand_on_all_but_transactional_messages() -> None:
    settings = config(unsubscribe="https://shop.example/u?k={key}")
    mail = read({"subject": "s", "text": "x"}, settings)
    assert mail["List-Unsubscribe"] == f"<https://shop.example/u?k={KEY}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    receipt = read({"subject": "s", "text": "x"}, settings, kind="transactional")
    assert receipt["List-Unsubscribe"] is None
    mailto = read({"subject": "s", "text": "x"}, config(unsubscribe="mailto:leave@example.test?subject={key}"))
    assert mailto["List-Unsubscribe"] == f"<mailto:leave@example.test?subject={KEY}>"
    assert mailto["List-Unsubscribe-Post"] is None


def test_segue_s_own_link_unsubscribes_with_one_click_and_stands_before_a_mail_address() -> None:
    own = "https://segue.example/u/abc.def-_"
    mail = read({"subject": "s", "text": "x"}, unsubscribe=own)
    assert mail["List-Unsubscribe"] == f"<{own}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    both = read({"subject": "s", "text": "x"}, config(unsubscribe="mailto:leave@example.test"), unsubscribe=own)
    assert both["List-Unsubscribe"] == f"<{own}>, <mailto:leave@example.test>"
    assert both["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    theirs = read({"subject": "s", "text": "x"}, config(unsubscribe="https://shop.example/u"), unsubscribe=own)
    assert theirs["List-Unsubscribe"] == "<https://shop.example/u>"
    assert read({"subject": "s", "text": "x"}, unsubscribe=own, kind="transactional")["List-Unsubscribe"] is None


@pytest.mark.parametrize(
    "link", ["http://127.0.0.1:8080/u/x", "https://a.example/\r\nBcc: x", "https://a.example/>, <x"]
)
def test_a_link_that_is_no_https_address_gets_into_no_header(link: str) -> None:
    mail = read({"subject": "s", "text": "x"}, unsubscribe=link)
    assert mail["List-Unsubscribe"] is None
    assert mail["List-Unsubscribe-Post"] is None
    assert mail["Bcc"] is None


def test_without_a_text_one_is_made_from_the_html() -> None:
    markup = """<html><head><title>No</title><style>p { color: red }</style></head><body>
    <h1>Hi&nbsp;Ann</h1><p>Your <a href="https://shop.example/cart">cart</a> is<br>waiting &amp; full.</p>
    <script>alert(1)</script><ul><li>Shoes</li><li>Socks</li></ul><img src="x.png" alt="Our logo"></body></html>"""
    mail = read({"subject": "s", "html": markup})
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().replace("\r\n", "\n") == (
        "Hi Ann\n\nYour cart (https://shop.example/cart) is\nwaiting & full.\n\n- Shoes\n- Socks\n\nOur logo\n"
    )


def test_text_alone_is_a_plain_mail() -> None:
    assert read({"subject": "s", "text": "x"}).get_content_type() == "text/plain"


def test_a_message_without_subject_or_body_is_refused() -> None:
    for content in ({"text": "x"}, {"subject": "  ", "text": "x"}, {"subject": "s"}, {"subject": "s", "text": " \n"}):
        with pytest.raises(LetterError) as refused:
            compose(message(content), config())
        assert not refused.value.address


def test_the_preview_is_hidden_in_the_html_and_cannot_break_out() -> None:
    content = {"subject": "s", "text": "x", "html": "<BODY a='b'><p>y</p></BODY>", "preview": "</div><script>"}
    rich = read(content).get_body(("html",))
    assert rich is not None
    markup = rich.get_content()
    assert markup.startswith("<BODY a='b'><div style=")
    assert "&lt;/div&gt;&lt;script&gt;" in markup
    assert "<script>" not in markup


def test_a_lone_surrogate_in_the_text_is_refused() -> None:
    with pytest.raises(LetterError, match="surrogate"):
        compose(message({"subject": "s", "text": "\ud83d"}), config())


def test_a_key_that_could_close_the_message_id_is_refused() -> None:
    with pytest.raises(LetterError, match="key"):
        compose(message({"subject": "s", "text": "x"}, key="a>\r\nBcc: eve@example.test"), config())


def test_a_deeply_nested_page_does_not_stop_the_channel() -> None:
    read({"subject": "s", "html": "<div><a href='x'>" * 20_000 + "<" * 1000})
