"""The source: a durable pull consumer, whose messages are acknowledged once they are committed."""

from __future__ import annotations

import contextlib
import ssl
import time
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from segue.api import Fetched, Instant, SourceTools, from_datetime
from segue.api.mapping import Gathering, Mapping, Reader

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js.client import JetStreamContext

WAIT: Final = 1.0
"""Seconds that one fetch waits for news."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[sources.NAME]``. See the README for each."""

    servers: str | tuple[str, ...]
    stream: str
    subject: str = ">"
    durable: str = ""
    start: Literal["all", "new"] = "all"
    batch: int = 1000
    ack_wait: int = 30
    ca_file: str | None = None
    username: str | None = None
    password: str | None = None
    token: str | None = None
    map: Mapping | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= 10_000:
            raise ValueError(f"`batch` is {self.batch}: write a number from 1 to 10000")
        if self.ack_wait < 1:
            raise ValueError(f"`ack_wait` is {self.ack_wait}: write a number of seconds")
        if (self.username is None) != (self.password is None):
            raise ValueError("`username` and `password` go together")


class NatsSource:
    """One stream of a JetStream server."""

    def __init__(self, config: Config, tools: SourceTools) -> None:
        self._config = config
        self._name = tools.source
        self._reader = Reader(config.map, tools.source)
        self._client: Client | None = None
        self._subscription: JetStreamContext.PullSubscription | None = None
        self._unsettled: list[Any] = []

    async def fetch(self, position: str | None) -> Fetched:
        """What the server has for the consumer; it keeps by itself how far that is."""
        if self._subscription is None:
            self._subscription = await self._connect()
        gathering = Gathering(self._reader, Instant(time.time_ns() // 1000))
        try:
            messages = await self._subscription.fetch(self._config.batch, timeout=WAIT)
        except TimeoutError:  # its own, or asyncio's where the time is over between two of its requests: nothing is new
            return gathering.fetched()
        for message in messages:
            at = message.metadata
            number = at.sequence.stream
            gathering.take(
                message.data,
                place=f"{self._config.stream} @ {number} ({message.subject})",
                key=f"{self._name}:{self._config.stream}/{number}",
                arrived=from_datetime(at.timestamp),
            )
        self._unsettled = list(messages)
        return gathering.fetched()

    async def _connect(self) -> JetStreamContext.PullSubscription:
        import nats
        from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

        config = self._config
        servers = [config.servers] if isinstance(config.servers, str) else list(config.servers)
        context = ssl.create_default_context(cafile=config.ca_file) if config.ca_file is not None else None
        self._client = await nats.connect(
            servers=servers,
            name=f"segue-{self._name}",
            user=config.username,
            password=config.password,
            token=config.token,
            tls=context,
            # One that is lost is told, so that the source is opened anew; the client's own attempts would hide it.
            allow_reconnect=False,
            connect_timeout=5,
            error_cb=_keep_quiet,
        )
        consumer = ConsumerConfig(
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=config.ack_wait,
            max_ack_pending=config.batch * 2,
            deliver_policy=DeliverPolicy.ALL if config.start == "all" else DeliverPolicy.NEW,
        )
        durable = config.durable or f"segue-{self._name}"
        return await self._client.jetstream().pull_subscribe(
            config.subject, durable=durable, stream=config.stream, config=consumer
        )

    async def settle(self, fetched: Fetched) -> None:
        """Acknowledge every message, and wait until the server has heard it."""
        messages, self._unsettled = self._unsettled, []
        for message in messages:
            await message.ack()
        if messages and self._client is not None:
            await self._client.flush(timeout=10)

    async def close(self) -> None:
        """Give back what was not settled, so that it comes again at once, and let go of the connection."""
        client, self._client, self._subscription = self._client, None, None
        messages, self._unsettled = self._unsettled, []
        if client is None:
            return
        with contextlib.suppress(Exception):  # it comes again all the same, once `ack_wait` is over
            for message in messages:
                await message.nak()
            await client.flush(timeout=2)
        await client.close()


async def _keep_quiet(error: Exception) -> None:
    """What matters is raised where it is asked for."""
