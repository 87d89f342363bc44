"""Segue's own suite for channels, with no gateway in sight: everything that could go must come back as Retry."""

from __future__ import annotations

import socket
from urllib.parse import parse_qsl, urlsplit

import msgspec

from segue.api import ChannelSpec, Request
from segue.testing import ChannelConformance
from segue_sms_gateway import Config, segue_channels
from segue_sms_gateway.callbacks import report_url


class TestSmsGateway(ChannelConformance):
    address = "+358401234567"

    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        (spec,) = segue_channels()
        url = f"http://127.0.0.1:{closed_port()}/cgi-bin/sendsms"
        return spec, Config(
            url=url, username="segue", password="a-password", callback_secret="a-secret-of-this-test", timeout=5
        )

    def genuine(self) -> Request:
        """As Kannel calls the address that it was given, with its placeholders filled in."""
        address = report_url("http://127.0.0.1:8080", "sms", "0" * 32, "a-secret-of-this-test")
        query = dict(
            parse_qsl(urlsplit(address.replace("%d", "1").replace("%F", "7").replace("%T", "1700000000")).query)
        )
        return Request("GET", "/callbacks/sms", {}, query, b"")


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
