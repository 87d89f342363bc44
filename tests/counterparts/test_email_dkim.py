"""Signatures of the email channel, as Debian's opendkim sees them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from segue.api import Attachment, Sent
from segue_email_smtp import Config
from segue_email_smtp.dkim import Signer, sign
from segue_email_smtp.letter import compose
from segue_email_smtp.streams import DkimKey
from tests.counterparts.mail import channel, message
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.opendkim import OpenDkim
from tests.counterparts.postfix import PostfixServer

CONTENT = {
    "subject": "Ännu i tankarna? 🛒 " + "很长的主题" * 20,
    "text": "Hi  Ann \t\n\n.\n..dots\nFrom here on\n" + "pitkä rivi " * 100 + "\n\n\n",
    "html": "<p>Hyvä <b>Ann</b>\t 🛒</p>  \n",
}


def pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


KEYS = (
    DkimKey(domain="example.test", selector="s2026", key=pem(rsa.generate_private_key(65537, 2048))),
    DkimKey(domain="news.example.test", selector="ed", key=pem(ed25519.Ed25519PrivateKey.generate())),
)
RSA, ED25519 = (Signer(key.domain or "", key.selector, key.key) for key in KEYS)


@pytest.fixture
def opendkim(tmp_path: Path) -> OpenDkim:
    with reported_when_missing():
        return OpenDkim(tmp_path, [(signer.place, signer.record) for signer in (RSA, ED25519)])


def written(**changes: Any) -> bytes:
    settings = Config(
        host="localhost",
        sender="shop@example.test",
        sender_name='Käsityö, "Oy"',
        unsubscribe="mailto:leave@example.test?subject={key}",
        feedback_id="exampleshop",
    )
    sent = message("ann@example.test", content=CONTENT, unsubscribe="https://segue.example.test/u/abc", **changes)
    return compose(sent, settings).data


@pytest.mark.parametrize("signer", [RSA, ED25519], ids=lambda signer: signer.algorithm)
def test_a_signature_is_accepted(opendkim: OpenDkim, signer: Signer) -> None:
    verdict = opendkim.verdict(sign(written(), [signer], int(time.time())))
    assert verdict.startswith(f"verification (s={signer.selector}, d={signer.domain}"), verdict
    assert verdict.endswith("succeeded")


@pytest.mark.parametrize("signer", [RSA, ED25519], ids=lambda signer: signer.algorithm)
def test_a_signature_covers_what_is_attached(opendkim: OpenDkim, signer: Signer) -> None:
    page = Attachment(name="report-2026-11-23.html", media="text/html; charset=utf-8", data=b"<p>A report</p>\n" * 99)
    signed = sign(written(attachments=(page,)), [signer], int(time.time()))
    assert opendkim.verdict(signed).endswith("succeeded")
    assert b"PHA+QSBy" in signed
    assert "succeeded" not in opendkim.verdict(signed.replace(b"PHA+QSBy", b"PHA+QSBz", 1))


def test_a_mail_to_an_international_address_is_signed_as_it_stands(opendkim: OpenDkim) -> None:
    sent = message("jürgen@example.test", content=CONTENT)
    data = compose(sent, Config(host="localhost", sender="shop@example.test")).data
    assert opendkim.verdict(sign(data, [RSA], int(time.time()))).endswith("succeeded")


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b"Hyv=C3=A4 <b>", b"Hyva <b>"),
        (b"\r\nTo: ann@", b"\r\nTo: eve@"),
        (b"\r\nSubject: ", b"\r\nSubject: Re: "),
        (b"List-Unsubscribe: <https://segue.", b"List-Unsubscribe: <https://eve."),
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", b""),
        (b"Feedback-ID: cart", b"Feedback-ID: tart"),
        (b"Message-ID: <", b"Message-ID: <0"),
        (b"Content-Type: multipart/alternative", b"Content-Type: multipart/mixed"),
        (b"\r\nSubject: ", b"\r\nReply-To: eve@example.org\r\nSubject: "),
        (b"\r\nFrom: ", b"\r\nFrom: eve@example.org\r\nFrom: "),
        (b"\r\nFrom: ", b"\r\nSubject: You have won\r\nFrom: "),
        (b"\r\nFrom: ", b"\r\nTo: eve@example.org\r\nFrom: "),
    ],
)
def test_a_mail_that_was_changed_is_refused(opendkim: OpenDkim, was: bytes, becomes: bytes) -> None:
    signed = sign(written(), [RSA], int(time.time()))
    assert signed.count(was) == 1
    verdict = opendkim.verdict(signed.replace(was, becomes))
    assert "succeeded" not in verdict
    assert verdict


@pytest.mark.asyncio
async def test_what_arrives_through_a_server_still_bears_good_signatures(
    postfix: PostfixServer, opendkim: OpenDkim
) -> None:
    async with channel(postfix, dkim=KEYS) as email:
        (answer,) = await email.send([message("ann@example.test", content=CONTENT)])
    assert isinstance(answer, Sent)
    postfix.wait_for(1)
    (path,) = (postfix.directory / "mail" / "all" / "new").iterdir()
    raw = path.read_bytes().replace(b"\n", b"\r\n")  # a mailbox keeps lines as its machine does
    assert raw.count(b"\r\nDKIM-Signature:") == 2
    assert opendkim.verdict(raw).endswith("succeeded")
