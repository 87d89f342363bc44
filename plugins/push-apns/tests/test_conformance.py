"""Segue's own suite for channels, with no APNs in sight: everything that could go must come back as Retry."""

from __future__ import annotations

import socket
from functools import cache

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from segue.api import ChannelSpec
from segue.testing import ChannelConformance
from segue_push_apns import Config, segue_channels


class TestPushApns(ChannelConformance):
    address = "0123456789abcdef" * 4

    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        (spec,) = segue_channels()
        config = Config(
            private_key=private_key(),
            key_id="ABC123DEFG",
            team_id="DEF123GHIJ",
            bundle_id="test.shop",
            url=f"https://127.0.0.1:{closed_port()}",
        )
        return spec, config


@cache
def private_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
