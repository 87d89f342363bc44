"""Settings that are taken, and those that are refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from segue_sms_gateway import Config

GOOD = {"url": "http://127.0.0.1:13013/cgi-bin/sendsms", "username": "segue", "password": "hunter2"}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"url": "gateway.test"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "http://gateway.test/sendsms?smsc=x"}, "url"),
        ({"sender": "a name too long"}, "sender"),
        ({"sender": "x\ny"}, "sender"),
        ({"callback_secret": "short"}, "callback_secret"),
        ({"callback_secret": "with%percent&signs--"}, "callback_secret"),
        ({"most_parts": 0}, "most_parts"),
        ({"timeout": 0}, "timeout"),
        ({"usernam": "x"}, "usernam"),
    ],
)
def test_a_wrong_setting_is_refused_and_named(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        msgspec.convert(GOOD | settings, Config)


def test_secrets_are_not_shown() -> None:
    shown = repr(msgspec.convert(GOOD | {"callback_secret": "a-secret-of-this-test"}, Config))
    assert "hunter2" not in shown
    assert "a-secret" not in shown
