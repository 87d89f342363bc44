"""Segue's own suite for channels, with no server in sight: everything that could go must come back as Retry."""

from __future__ import annotations

import socket

import msgspec

from segue.api import ChannelSpec
from segue.testing import ChannelConformance
from segue_email_smtp import Config, segue_channels
from segue_email_smtp.mailboxes import Bounces


class TestEmailSmtp(ChannelConformance):
    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        (spec,) = segue_channels()
        return spec, Config(
            host="127.0.0.1",
            port=closed_port(),
            tls="none",
            sender="shop@example.test",
            timeout=5,
            bounces=Bounces(secret="0123456789 a secret", maildir=str(self.folder)),
        )


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
