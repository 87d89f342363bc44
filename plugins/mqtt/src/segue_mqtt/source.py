"""The source: a session that stays at the server, whose messages (QoS 1) are acknowledged once they are committed.

The client is paho's own, with its thread: it is the one that lets a message be acknowledged by hand. The server sends
at most as many as `Config.batch` before that (MQTT 5, Receive Maximum), so that memory is bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

import msgspec

from segue.api import Fetched, Instant, SourceTools
from segue.api.mapping import Gathering, Mapping, Reader

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage

WAIT: Final = 1.0
"""Seconds that one fetch waits for news."""
CONNECT_WITHIN: Final = 10.0
HEARD_WITHIN: Final = 5.0
"""Seconds that the end of a connection waits for the server to have read what it was told."""
_KEEPALIVE: Final = 30


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[sources.NAME]``. See the README for each."""

    topics: tuple[str, ...]
    host: str = "127.0.0.1"
    port: int | None = None
    client_id: str = ""
    session: int = 604_800
    batch: int = 500
    tls: bool = False
    ca_file: str | None = None
    username: str | None = None
    password: str | None = None
    map: Mapping | None = None

    def __post_init__(self) -> None:
        if not self.topics:
            raise ValueError("`topics` is empty: name at least one")
        if not 1 <= self.batch <= 10_000:
            raise ValueError(f"`batch` is {self.batch}: write a number from 1 to 10000")
        if self.session < 1:
            raise ValueError(f"`session` is {self.session}: write for how many seconds the server keeps what comes")


class MqttSource:
    """Some topics of one server."""

    def __init__(self, config: Config, tools: SourceTools) -> None:
        self._config = config
        self._name = tools.source
        self._reader = Reader(config.map, tools.source)
        self._client: Client | None = None
        self._loop = asyncio.get_running_loop()
        self._arrived: asyncio.Queue[MQTTMessage | str] = asyncio.Queue()
        """Messages, and sentences that say why there will be no more."""
        self._connected: asyncio.Future[None] | None = None
        self._unsettled: list[MQTTMessage] = []

    async def fetch(self, position: str | None) -> Fetched:
        """What the server has sent; it keeps by itself how far that is."""
        if self._client is None:
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
            if isinstance(message, str):
                raise ConnectionError(message)
            self._take(gathering, message)
        return gathering.fetched()

    def _take(self, gathering: Gathering, message: MQTTMessage) -> None:
        self._unsettled.append(message)
        # A topic has no place by which a message is known when it comes again: what it says must do.
        payload = bytes(message.payload)
        digest = blake2b(payload, digest_size=16)
        digest.update(b"\0" + message.topic.encode())
        gathering.take(payload, place=message.topic, key=f"{self._name}:bytes-{digest.hexdigest()}")

    async def _connect(self) -> None:
        from paho.mqtt.client import Client, MQTTv5
        from paho.mqtt.enums import CallbackAPIVersion
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        config = self._config
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=config.client_id or f"segue-{self._name}",
            protocol=MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        if config.username is not None:
            client.username_pw_set(config.username, config.password)
        if config.tls:
            client.tls_set_context(ssl.create_default_context(cafile=config.ca_file))
        properties: Any = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = config.session
        properties.ReceiveMaximum = config.batch
        self._connected = self._loop.create_future()
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        self._client = client
        port = config.port or (8883 if config.tls else 1883)

        def connect() -> None:
            client.connect(config.host, port, keepalive=_KEEPALIVE, clean_start=False, properties=properties)
            client.loop_start()

        await asyncio.to_thread(connect)
        async with asyncio.timeout(CONNECT_WITHIN):
            await self._connected

    # On paho's thread

    def _on_connect(self, client: Client, _: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._tell(f"the server refuses the connection: {reason}")
            return
        self._subscribe(client)

    def _subscribe(self, client: Client) -> None:
        from paho.mqtt.subscribeoptions import SubscribeOptions

        # Retained messages come with the first subscription only: they are old news at every later one.
        options = SubscribeOptions(qos=1, retainHandling=1)
        client.subscribe([(topic, options) for topic in self._config.topics])

    def _on_subscribe(self, client: Client, _: Any, mid: int, reasons: Any, properties: Any) -> None:
        refused = [topic for topic, reason in zip(self._config.topics, reasons, strict=False) if reason.is_failure]
        if refused:
            self._tell(f"the server refuses the subscription to {', '.join(refused)}")
        else:
            self._tell(None)

    def _on_disconnect(self, client: Client, _: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._tell(f"the connection is lost: {reason}")

    def _on_message(self, client: Client, _: Any, message: MQTTMessage) -> None:
        self._soon(self._arrived.put_nowait, message)

    def _tell(self, trouble: str | None) -> None:
        self._soon(self._hear, trouble)

    def _soon(self, call: Any, *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            return  # Segue has gone on without us

    # On our own loop

    def _hear(self, trouble: str | None) -> None:
        if self._connected is not None and not self._connected.done():
            if trouble is None:
                self._connected.set_result(None)
            else:
                self._connected.set_exception(ConnectionError(trouble))
        elif trouble is not None:
            self._arrived.put_nowait(trouble)

    async def settle(self, fetched: Fetched) -> None:
        """Acknowledge every message, in the order in which they came (MQTT 5, section 4.6)."""
        unsettled, self._unsettled = self._unsettled, []
        if self._client is None or not self._client.is_connected():
            raise ConnectionError("the connection is lost")
        for message in unsettled:
            self._client.ack(message.mid, message.qos)

    async def close(self) -> None:
        """Let go of the connection; the session stays at the server, and with it what was not settled."""
        client, self._client, self._unsettled = self._client, None, []
        if client is not None:
            await self._be_heard(client)
            await asyncio.to_thread(_disconnect, client)

    async def _be_heard(self, client: Client) -> None:
        """Wait until the server has read our acknowledgements: of a connection that ends it may leave the last ones
        unread, and would send those messages again. A subscription that it answers comes after them."""
        if not client.is_connected():
            return
        self._connected = self._loop.create_future()
        self._subscribe(client)
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(HEARD_WITHIN):
                await self._connected


def _disconnect(client: Client) -> None:
    client.disconnect()
    with contextlib.suppress(AttributeError):  # paho's thread, once it has ended, is None between a look and a join
        client.loop_stop()
