"""Segue's own suite for channels, with no push service in sight: everything that could go must come back as Retry."""

from __future__ import annotations

import json
import socket

import msgspec

from segue.api import ChannelSpec
from segue.testing import ChannelConformance
from segue_web_push import Config, segue_channels

RAW_KEY = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
"""Anybody's by now: it is the browser's private key in RFC 8291, appendix A."""


class TestWebPush(ChannelConformance):
    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        (spec,) = segue_channels()
        port = closed_port()
        keys = {
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        }
        self.address = json.dumps({"endpoint": f"http://127.0.0.1:{port}/x", "keys": keys})
        services = (f"http://127.0.0.1:{port}",)
        return spec, Config(private_key=RAW_KEY, subject="mailto:shop@example.test", other_services=services)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
