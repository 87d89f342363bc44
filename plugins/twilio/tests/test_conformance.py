"""Segue's own suite for channels, with no Twilio in sight: everything that could go must come back as Retry."""

from __future__ import annotations

import socket

import msgspec

from segue.api import ChannelSpec
from segue.testing import ChannelConformance
from segue_twilio import RcsConfig, SmsConfig, segue_channels

ACCOUNT = "AC" + "a" * 32


class TestSmsTwilio(ChannelConformance):
    address = "+358401234567"

    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        spec, _ = segue_channels()
        config = SmsConfig(
            account_sid=ACCOUNT, auth_token="a-token", sender="Shop", url=nowhere(), senders={"US": "1234"}
        )
        return spec, config


class TestRcs(ChannelConformance):
    address = "+358401234567"

    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        _, spec = segue_channels()
        return spec, RcsConfig(account_sid=ACCOUNT, auth_token="a-token", sender="rcs:shop_agent", url=nowhere())


def nowhere() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
