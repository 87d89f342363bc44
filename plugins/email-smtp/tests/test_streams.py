"""Transactional mail and marketing apart: what a stream inherits, and what it must not."""

from __future__ import annotations

import email
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from segue.api import Kind, Message, Tools
from segue_email_smtp import Config, EmailChannel
from segue_email_smtp.letter import compose

PEM = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
SETTINGS: dict[str, Any] = {
    "host": "smtp.example.test",
    "port": 2525,
    "username": "shop",
    "password": "hunter2",
    "sender": "shop@example.test",
    "sender_name": "The Shop",
    "envelope_sender": "bounces+{key}@example.test",
    "connections": 7,
}


def convert(**settings: Any) -> Config:
    return msgspec.convert(SETTINGS | settings, Config)


def test_without_streams_all_mail_is_one() -> None:
    config = convert()
    assert config.of("transactional") is config.of("promotional") is config.of("informational") is config


def test_a_stream_differs_in_what_it_says_and_inherits_the_rest() -> None:
    config = convert(marketing={"sender": "news@news.example.test", "feedback_id": "exampleshop"})
    news = config.of("promotional")
    assert config.of("informational") is news
    assert config.of("transactional").sender == "shop@example.test"
    assert (news.sender, news.sender_name, news.feedback_id) == ("news@news.example.test", "The Shop", "exampleshop")
    assert news.envelope_sender == "bounces+{key}@example.test"
    assert news.relay[:6] == config.relay[:6]


def test_no_password_goes_to_another_server() -> None:
    other = convert(transactional={"host": "receipts.example.test"}).of("transactional")
    assert (other.username, other.password, other.server_port, other.connections) == (None, None, 587, 7)


def test_a_stream_may_use_another_account_of_the_same_server() -> None:
    other = convert(transactional={"username": "receipts", "password": "other"}).of("transactional")
    assert (other.host, other.server_port, other.username, other.password) == (
        "smtp.example.test",
        2525,
        "receipts",
        "other",
    )


@pytest.mark.parametrize(
    ("stream", "says"),
    [
        ({"sender": "shop"}, "marketing: sender"),
        ({"username": "u"}, "marketing: username and password"),
        ({"host": "x.example.test", "tls": "none", "username": "u", "password": "p"}, "marketing: .* unencrypted"),
        ({"feedback_id": "x"}, "marketing: feedback_id"),
        ({"marketing": {}}, "marketing"),
    ],
)
def test_a_wrong_setting_of_a_stream_is_refused_and_named(stream: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        convert(marketing=stream)


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ({"selector": "a b", "key": PEM}, "selector"),
        ({"selector": "s", "key": "secret"}, "PEM"),
        ({"selector": "s", "key": PEM, "domain": "a b"}, "domain"),
    ],
)
def test_a_wrong_key_is_refused_without_showing_it(key: dict[str, str], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says) as refused:
        convert(dkim=[key])
    assert "secret" not in str(refused.value)


def test_no_secret_is_shown() -> None:
    shown = repr(convert(dkim=[{"selector": "s", "key": PEM}], marketing={"username": "u", "password": "sesame"}))
    assert "hunter2" not in shown
    assert "sesame" not in shown
    assert "PRIVATE" not in shown


def test_a_key_that_cannot_sign_keeps_the_channel_from_opening() -> None:
    broken = {"selector": "s1", "key": "-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----"}
    tools = Tools(channel="email", http=None)  # type: ignore[arg-type]  # it calls nobody by HTTP
    with pytest.raises(ValueError, match="the DKIM key s1 cannot be used"):
        EmailChannel(convert(dkim=[broken]), tools)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("transactional", "cart-reminder:carts:transactional:exampleshop"),
        ("promotional", "cart-reminder:carts:promotional:exampleshop"),
    ],
)
def test_feedback_is_told_apart_by_message_rule_and_kind(kind: Kind, told: str) -> None:
    sent = Message(
        key="0" * 32,
        channel="email",
        name="cart\r\nreminder",
        kind=kind,
        customer="c1",
        address="ann@example.test",
        content={"subject": "s", "text": "x"},
        rule="carts",
        expires=0,  # type: ignore[arg-type]
    )
    mail = email.message_from_bytes(compose(sent, convert(feedback_id="exampleshop")).data)
    assert mail["Feedback-ID"] == told
    assert mail["Auto-Submitted"] == "auto-generated"
