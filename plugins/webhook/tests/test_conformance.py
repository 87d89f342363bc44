"""Segue's own suite for channels, with no receiver in sight: everything that could go must come back as Retry."""

from __future__ import annotations

import socket

import msgspec

from segue.api import ChannelSpec
from segue.testing import ChannelConformance
from segue_webhook import Config, CustomerConfig, segue_channels

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"


def closed_url() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/hook"


class TestWebhook(ChannelConformance):
    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        spec, _ = segue_channels()
        return spec, Config(secret=SECRET, url=closed_url(), allow=("127.0.0.0/8",), https_only=False)


class TestCustomerWebhook(ChannelConformance):
    address = closed_url()

    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        _, spec = segue_channels()
        return spec, CustomerConfig(secret=SECRET, allow=("127.0.0.0/8",), https_only=False)
