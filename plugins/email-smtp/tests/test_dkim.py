"""What a signature is made of; whether it is a good one, opendkim says (tests/counterparts)."""

from __future__ import annotations

import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from segue_email_smtp.dkim import Signer, UnusableKey, canonical, canonical_body, sign

MAIL = b"From: shop@example.test\r\nTo: ann@example.test\r\nSubject: Hi\r\n\r\nHi Ann\r\n"
NONE = NoEncryption()


def pem(key: object, protection: KeySerializationEncryption = NONE) -> str:
    assert isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection).decode()


SIGNER = Signer("example.test", "s1", pem(ed25519.Ed25519PrivateKey.generate()))


def test_the_example_of_the_rfc_becomes_canonical() -> None:
    assert canonical(b"A", b" X") == (b"a", b"a:X\r\n")
    assert canonical(b"B", b" Y\t\r\n\tZ  ") == (b"b", b"b:Y Z\r\n")
    assert canonical_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"
    assert canonical_body(b"\r\n\r\n") == b""


@given(st.lists(st.text("a \t", max_size=8), max_size=8))
def test_a_canonical_body_stays_as_it_is(lines: list[str]) -> None:
    once = canonical_body("\r\n".join(lines).encode())
    assert canonical_body(once) == once
    assert b"  " not in once
    assert b" \r\n" not in once
    assert not once.endswith(b"\r\n\r\n")


def test_every_field_that_counts_is_named_and_those_that_stand_once_are_named_once_more() -> None:
    mail = (
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-Unsubscribe: <https://x>\r\nX-Else: x\r\n"
        b"Message-ID: <1@x>\r\n" + MAIL
    )
    head = sign(mail, [SIGNER], 1).partition(b"From:")[0].replace(b"\r\n\t", b" ").decode()
    named = re.search(r" h=([^;]*);", head)
    assert named is not None
    assert named[1].replace(" ", "") == (
        "from:from:reply-to:to:to:subject:subject:date:message-id:list-unsubscribe:list-unsubscribe-post"
    )
    assert " d=example.test; s=s1; t=1;" in head


def test_no_line_of_a_signature_is_long() -> None:
    signer = Signer("example.test", "s1", pem(rsa.generate_private_key(65537, 2048)))
    head = sign(MAIL, [signer, SIGNER], 1).removesuffix(MAIL)
    assert head.count(b"DKIM-Signature: ") == 2
    assert all(len(line) <= 78 for line in head.split(b"\r\n"))


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("", "no private key"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n", "no private key"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "RSA and Ed25519"),
        (pem(ed25519.Ed25519PrivateKey.generate(), BestAvailableEncryption(b"x")), "passphrase"),
    ],
)
def test_a_key_that_cannot_sign_is_refused_with_the_reason(key: str, says: str) -> None:
    with pytest.raises(UnusableKey, match=says) as refused:
        Signer("example.test", "s1", key)
    assert "MII" not in str(refused.value)


def test_the_record_to_publish_holds_the_public_key() -> None:
    assert SIGNER.place == "s1._domainkey.example.test"
    assert re.fullmatch(r"v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}=", SIGNER.record)
