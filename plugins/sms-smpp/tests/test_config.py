"""Settings, right and wrong."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from segue_sms_smpp import Config

RIGHT: dict[str, Any] = {"host": "smpp.test", "system_id": "shop", "password": "secret", "sender": "Shop"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"host": "a b"}, "no name or address"),
        ({"port": 0}, "port"),
        ({"system_id": ""}, "system_id"),
        ({"system_id": "sho\0p"}, "system_id must be of printable"),
        ({"password": "sécret"}, "password must be of printable"),
        ({"sender": ""}, "neither a number"),
        ({"senders": {"fi": "Shop"}}, "two capital letters"),
        ({"concatenation": "both"}, "concatenation"),
        ({"window": 0}, "window"),
        ({"trusted": "/etc/ssl/operator.pem"}, "tls is not set"),
    ],
)
def test_a_wrong_setting_is_named(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        msgspec.convert(RIGHT | changes, Config)


def test_the_password_is_not_shown() -> None:
    shown = repr(msgspec.convert(RIGHT, Config))
    assert "secret" not in shown
    assert "smpp.test" in shown
