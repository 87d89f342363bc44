"""Segue's own suite for channels, with no FCM in sight: everything that could go must come back as Retry."""

from __future__ import annotations

import json
import socket
from functools import cache

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from segue.api import ChannelSpec, Response
from segue.testing import ChannelConformance
from segue_push_fcm import Config, segue_channels


class TestPushFcm(ChannelConformance):
    address = "dQw4w9WgXcQ:APA91bH-token_1"

    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        (spec,) = segue_channels()
        url = f"http://127.0.0.1:{closed_port()}"
        account = {
            "project_id": "shop-1",
            "client_email": "segue@shop-1.iam.gserviceaccount.test",
            "private_key": private_key(),
            "token_uri": f"{url}/token",
        }
        return spec, Config(service_account=json.dumps(account), url=url)

    def beforehand(self, method: str, url: str) -> Response | None:
        granted = b'{"access_token": "ya29.first", "expires_in": 3599, "token_type": "Bearer"}'
        return Response(200, granted) if url.endswith("/token") else None


@cache
def private_key() -> str:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
