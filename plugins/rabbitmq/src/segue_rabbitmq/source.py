"""The source: one queue, whose messages are acknowledged once they are committed."""

from __future__ import annotations

import asyncio
import ssl
import time
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import msgspec

from segue.api import Fetched, Instant, SourceTools
from segue.api.mapping import Gathering, Mapping, Reader

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage

WAIT: Final = 1.0
"""Seconds that one fetch waits for news."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[sources.NAME]``. See the README for each."""

    queue: str
    host: str = "127.0.0.1"
    port: int | None = None
    vhost: str = "/"
    batch: int = 500
    tls: bool = False
    ca_file: str | None = None
    username: str = "guest"
    password: str = "guest"
    map: Mapping | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= 10_000:
            raise ValueError(f"`batch` is {self.batch}: write a number from 1 to 10000")


class RabbitSource:
    """One queue of one server."""

    def __init__(self, config: Config, tools: SourceTools) -> None:
        self._config = config
        self._name = tools.source
        self._reader = Reader(config.map, tools.source)
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._arrived: asyncio.Queue[AbstractIncomingMessage | BaseException] = asyncio.Queue()
        self._last: AbstractIncomingMessage | None = None

    async def fetch(self, position: str | None) -> Fetched:
        """What the server has sent: at most as many as it sends before it is acknowledged to."""
        if self._connection is None:
            await self._connect()
        gathering = Gathering(self._reader, Instant(time.time_ns() // 1000))
        try:
            async with asyncio.timeout(WAIT):
                arrived = [await self._arrived.get()]
        except TimeoutError:
            return gathering.fetched()
        while len(arrived) < self._config.batch and not self._arrived.empty():
            arrived.append(self._arrived.get_nowait())
        for message in arrived:
            if isinstance(message, BaseException):
                raise ConnectionError(f"the connection is lost: {str(message) or type(message).__name__}")
            self._take(gathering, message)
        return gathering.fetched()

    def _take(self, gathering: Gathering, message: AbstractIncomingMessage) -> None:
        self._last = message
        where = message.routing_key or ""
        own = message.message_id
        if own is None:
            # A queue has no place by which a message is known when it comes again: what it says must do.
            digest = blake2b(message.body, digest_size=16)
            digest.update(b"\0%s\0%s" % (where.encode(), str(message.timestamp or "").encode()))
            own = f"bytes-{digest.hexdigest()}"
        gathering.take(message.body, place=f"{self._config.queue} ({where}), message {own}", key=f"{self._name}:{own}")

    async def _connect(self) -> None:
        import aio_pika

        config = self._config
        context = ssl.create_default_context(cafile=config.ca_file) if config.tls else None
        # Not the one that mends itself: a connection that is lost is told, so that the source is opened anew.
        self._connection = await aio_pika.connect(
            host=config.host,
            port=config.port or (5671 if config.tls else 5672),
            login=config.username,
            password=config.password,
            virtualhost=config.vhost,
            ssl=config.tls,
            ssl_context=context,
            timeout=10,
            client_properties={"connection_name": f"segue-{self._name}"},
        )
        self._connection.close_callbacks.add(self._on_close)
        self._channel = await self._connection.channel()
        self._channel.close_callbacks.add(self._on_close)
        await self._channel.set_qos(prefetch_count=config.batch)
        queue = await self._channel.declare_queue(config.queue, passive=True)
        await queue.consume(self._arrived.put, no_ack=False)

    def _on_close(self, _: object, error: BaseException | None) -> None:
        self._arrived.put_nowait(error if error is not None else ConnectionError("the server closed it"))

    async def settle(self, fetched: Fetched) -> None:
        """Acknowledge every message up to the last that was fetched: they came in this order."""
        last, self._last = self._last, None
        if last is not None:
            await last.ack(multiple=True)

    async def close(self) -> None:
        """Let go of the connection; what was not settled goes back into the queue."""
        connection, self._connection, self._last = self._connection, None, None
        if connection is not None:
            await connection.close()
