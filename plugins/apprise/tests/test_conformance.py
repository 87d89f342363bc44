"""Segue's own suite for channels, with no service in sight: everything that could go must come back as Retry."""

from __future__ import annotations

import socket

import msgspec

from segue.api import ChannelSpec
from segue.testing import ChannelConformance
from segue_apprise import Config, CustomerConfig, segue_channels


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class TestApprise(ChannelConformance):
    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        spec, _ = segue_channels()
        return spec, Config(url_secret=f"json://127.0.0.1:{closed_port()}/")


class TestCustomerApprise(ChannelConformance):
    address = "100200300"

    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        _, spec = segue_channels()
        return spec, CustomerConfig(url_secret=f"json://127.0.0.1:{closed_port()}/{{target}}")
