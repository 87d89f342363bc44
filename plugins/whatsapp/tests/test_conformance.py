"""Segue's own suite for channels, with no Meta in sight: everything that could go must come back as Retry."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
from typing import Any

import msgspec

from segue.api import ChannelSpec, Message, Request
from segue.testing import ChannelConformance
from segue_whatsapp import Config, segue_channels


class TestWhatsApp(ChannelConformance):
    address = "+358401234567"

    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        (spec,) = segue_channels()
        return spec, Config(
            phone_number_id="106540352242922",
            access_token="EAAJB-1",
            app_secret="an-app-s-secret",
            verify_token="a-word",
            url=f"http://127.0.0.1:{closed_port()}",
        )

    def message(self, n: int, **changes: Any) -> Message:
        """With a template that could go: the suite's own words are no name for one."""
        content = {"template": "cart_waiting", "language": "en_US", "body_1": f"Ann {n}", "button_1": "cart"}
        return super().message(n, **({"content": content} | changes))

    def genuine(self) -> Request:
        status = {"id": "wamid.1", "status": "delivered", "timestamp": "1700000000"}
        value = {"metadata": {"phone_number_id": "106540352242922"}, "statuses": [status]}
        body = json.dumps({"entry": [{"changes": [{"field": "messages", "value": value}]}]}).encode()
        signature = hmac.new(b"an-app-s-secret", body, hashlib.sha256).hexdigest()
        headers = {"content-type": "application/json", "x-hub-signature-256": f"sha256={signature}"}
        return Request("POST", "/callbacks/whatsapp", headers, {}, body)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
