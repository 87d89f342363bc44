"""Segue's own suite for channels, with no gateway in sight: everything that could go must come back as Retry."""

from __future__ import annotations

import socket

import msgspec

from segue.api import ChannelSpec
from segue.testing import ChannelConformance
from segue_sms_gateway import Config, segue_channels


class TestSmsGateway(ChannelConformance):
    address = "+358401234567"

    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        (spec,) = segue_channels()
        url = f"http://127.0.0.1:{closed_port()}/cgi-bin/sendsms"
        return spec, Config(url=url, username="segue", password="p", callback_secret="a-secret-of-this-test", timeout=5)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
