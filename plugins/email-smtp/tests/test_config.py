"""Settings that are taken, and those that are refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from segue_email_smtp import Config, segue_channels

GOOD = {"host": "smtp.example.test", "sender": "shop@example.test"}


def convert(**settings: Any) -> Config:
    return msgspec.convert(GOOD | settings, Config)


def test_the_port_follows_from_tls() -> None:
    assert [convert(tls=t).server_port for t in ("none", "starttls", "tls")] == [25, 587, 465]
    assert convert(port=2525).server_port == 2525
    assert convert().tls == "starttls"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"sender": "shop"}, "sender"),
        ({"sender": "shop@example.test\nBcc: x@y.z"}, "line break"),
        ({"sender": "myymälä@example.test"}, "ASCII"),
        ({"sender_name": "Shop\r\nBcc: x"}, "sender_name"),
        ({"reply_to": "nobody"}, "reply_to"),
        ({"envelope_sender": "bounces {key}@example.test"}, "envelope_sender"),
        ({"message_id_domain": "bad domain"}, "message_id_domain"),
        ({"unsubscribe": "javascript:alert(1)"}, "unsubscribe"),
        ({"unsubscribe": "https://x/>, <https://y"}, "unsubscribe"),
        ({"unsubscribe": "https://x/\nBcc: a@b.c"}, "unsubscribe"),
        ({"username": "shop"}, "password"),
        ({"password": "secret"}, "username"),
        ({"username": "u", "password": "p", "tls": "none"}, "unencrypted"),
        ({"tls": "maybe"}, "tls"),
        ({"port": 0}, "port"),
        ({"timeout": 0}, "timeout"),
        ({"connections": 0}, "connections"),
        ({"hots": "x"}, "hots"),
    ],
)
def test_a_wrong_setting_is_refused_and_named(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        convert(**settings)


def test_the_password_is_not_shown() -> None:
    assert "hunter2" not in repr(convert(username="u", password="hunter2"))


def test_a_password_may_go_unencrypted_on_the_same_machine() -> None:
    assert convert(host="127.0.0.1", tls="none", username="u", password="p").username == "u"


def test_the_channel_is_declared() -> None:
    (spec,) = segue_channels()
    assert (spec.name, spec.address, spec.config) == ("email-smtp", "email", Config)
    assert [part.name for part in spec.content if part.required] == ["subject"]
