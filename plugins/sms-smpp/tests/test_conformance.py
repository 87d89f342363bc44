"""Segue's own suite for channels, with no message centre in sight: everything that could go must come back as Retry."""

from __future__ import annotations

import socket

import msgspec

from segue.api import ChannelSpec
from segue.testing import ChannelConformance
from segue_sms_smpp import Config, segue_channels


class TestSmsSmpp(ChannelConformance):
    address = "+358401234567"

    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        (spec,) = segue_channels()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        return spec, Config(host="127.0.0.1", port=port, system_id="shop", password="secret", sender="Shop")
