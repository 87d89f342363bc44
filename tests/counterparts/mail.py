"""Messages and an email channel for the tests against mail servers."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from segue.api import HttpClient, Message, Tools
from segue.host.http import AiohttpClient
from segue_email_smtp import Config, EmailChannel


class Server(Protocol):
    """A mail server that listens."""

    host: str
    port: int


def message(address: str, text: str = "Your cart is waiting.\n", **changes: Any) -> Message:
    fields: dict[str, Any] = {
        "key": hashlib.blake2b(f"{address}{text}".encode(), digest_size=16).hexdigest(),
        "channel": "email",
        "name": "cart_reminder",
        "kind": "promotional",
        "customer": "c1",
        "address": address,
        "content": {"subject": "Still thinking it over?", "text": text},
        "rule": "cart_abandoned",
        "expires": 0,
    }
    return Message(**(fields | changes))


@asynccontextmanager
async def channel(server: Server, **settings: Any) -> AsyncIterator[EmailChannel]:
    plain: dict[str, Any] = {"host": server.host, "port": server.port, "sender": "shop@example.test", "tls": "none"}
    http: HttpClient = AiohttpClient()
    opened = EmailChannel(Config(**(plain | settings)), Tools(channel="email", http=http))
    try:
        yield opened
    finally:
        await opened.close()
