"""Settings, right and wrong."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from segue_twilio import RcsConfig, SmsConfig

RIGHT: dict[str, Any] = {"account_sid": "AC" + "a" * 32, "auth_token": "secret-token", "sender": "+12025550100"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"account_sid": "AC12"}, "account_sid must be"),
        ({"auth_token": ""}, "auth_token must be"),
        ({"auth_token": "a\r\nb"}, "auth_token must be"),
        ({"sender": ""}, "either sender or messaging_service"),
        ({"messaging_service": "MG" + "b" * 32}, "either sender or messaging_service"),
        ({"sender": "", "messaging_service": "MG1"}, "SID of a Messaging Service"),
        ({"sender": "a name that is too long"}, "neither a number"),
        ({"senders": {"Finland": "Shop"}}, "two capital letters"),
        ({"senders": {"FI": ""}}, r"senders\.FI"),
        ({"url": "https://api.twilio.com/"}, "without a slash"),
        ({"validity": 36_001}, "validity"),
        ({"transliterate": "all"}, "transliterate"),
    ],
)
def test_a_wrong_setting_is_named(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        msgspec.convert(RIGHT | changes, SmsConfig)


def test_an_rcs_sender_is_an_id_with_or_without_its_scheme() -> None:
    for sender in ("rcs:shop_agent", "shop_agent"):
        assert msgspec.convert(RIGHT | {"sender": sender}, RcsConfig).sender == sender
    with pytest.raises(msgspec.ValidationError, match="no id of an RCS sender"):
        msgspec.convert(RIGHT, RcsConfig)


def test_the_token_is_not_shown() -> None:
    shown = repr(msgspec.convert(RIGHT, SmsConfig))
    assert "secret-token" not in shown
    assert "+12025550100" in shown
