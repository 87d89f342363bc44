"""Real brokers on free ports of loopback, each with a folder of its own, ended by process id."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tests.counterparts.process import CounterpartFailed, CounterpartMissing, Program, free_port, require

Publish = Callable[[str, Sequence[bytes]], None]


class Broker:
    """One broker. A ``topic`` is whatever it calls the place into which messages are put."""

    use: ClassVar[str]
    """The plugin that reads from it."""
    dies_by_kill: ClassVar[bool] = True
    """Whether what it has acknowledged to a publisher survives a kill -9."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="segue-broker-"))
        self.port = free_port()
        self._program: Program | None = None

    def start(self) -> None:
        """Raises CounterpartMissing or CounterpartFailed."""
        self._program = self.launch()
        self._program.wait_for_port(self.port, within=60)
        self.wait_until_ready()

    def launch(self) -> Program:
        raise NotImplementedError

    def wait_until_ready(self) -> None:
        """Beyond its port being open."""

    def make(self, topic: str) -> None:
        """Make a place for messages."""

    def publish(self, topic: str, payloads: Sequence[bytes]) -> None:
        """Put messages there; returns once the broker says that it has them."""
        raise NotImplementedError

    def settings(self, topic: str) -> dict[str, Any]:
        """Of the plugin, for reading from a topic."""
        raise NotImplementedError

    def crash(self) -> None:
        """End it at once, and leave everything on disk."""
        assert self._program is not None
        if self.dies_by_kill:
            self._program.kill()
        else:
            self._program.stop()

    def stop(self) -> None:
        if self._program is not None:
            self._program.stop(0.5)
        shutil.rmtree(self.folder, ignore_errors=True)


class Kafka(Broker):
    """The mock cluster of librdkafka, in this process: there is no other Kafka to be had here. It cannot be crashed."""

    use = "kafka"

    def start(self) -> None:
        try:
            from confluent_kafka import Producer
        except ImportError:
            raise CounterpartMissing("confluent-kafka is missing: pip install confluent-kafka") from None
        self._producer: Any = Producer({"test.mock.num.brokers": 1, "log_level": 2})
        until = time.monotonic() + 20
        while not (brokers := self._producer.list_topics(timeout=10).brokers):
            if time.monotonic() > until:
                raise CounterpartFailed("the mock cluster has no broker")
        (broker,) = brokers.values()
        self.servers = f"{broker.host}:{broker.port}"

    def make(self, topic: str) -> None:
        self._producer.list_topics(topic, timeout=10)  # looking at a topic makes it, with four partitions

    def publish(self, topic: str, payloads: Sequence[bytes]) -> None:
        for payload in payloads:
            self._producer.produce(topic, payload)
        assert self._producer.flush(20) == 0

    def settings(self, topic: str) -> dict[str, Any]:
        return {"servers": self.servers, "topics": [topic]}

    def stop(self) -> None:
        self._producer = None
        super().stop()


class Nats(Broker):
    use = "nats"

    def launch(self) -> Program:
        program = require("nats-server", "nats-server")
        command = [program, "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self.folder)]
        return Program(command, self.folder / "log")

    def make(self, topic: str) -> None:
        async def add(stream: Any) -> None:
            await stream.add_stream(name=topic, subjects=[f"{topic}.>"])

        self._with_jetstream(add)

    def publish(self, topic: str, payloads: Sequence[bytes]) -> None:
        async def put(stream: Any) -> None:
            for payload in payloads:
                await stream.publish(f"{topic}.orders", payload)

        self._with_jetstream(put)

    def _with_jetstream(self, work: Callable[[Any], Awaitable[None]]) -> None:
        import nats

        async def run() -> None:
            client = await nats.connect(f"nats://127.0.0.1:{self.port}")
            await work(client.jetstream())
            await client.close()

        asyncio.run(run())

    def settings(self, topic: str) -> dict[str, Any]:
        return {"servers": f"nats://127.0.0.1:{self.port}", "stream": topic, "ack_wait": 2}


class Rabbit(Broker):
    """With a port mapper of its own, which would otherwise outlive it."""

    use = "rabbitmq"

    def __init__(self) -> None:
        super().__init__()
        self._mapper: Program | None = None
        self._mapper_port, self._inner_port = free_port(), free_port()

    def start(self) -> None:
        if self._mapper is None:
            epmd = require("epmd", "rabbitmq-server")
            command = [epmd, "-address", "127.0.0.1", "-port", str(self._mapper_port)]
            self._mapper = Program(command, self.folder / "epmd.log")
            self._mapper.wait_for_port(self._mapper_port)
        super().start()

    def launch(self) -> Program:
        script = "/usr/lib/rabbitmq/bin/rabbitmq-server"  # the one in PATH changes to another user
        if not Path(script).exists():
            raise CounterpartMissing(
                "rabbitmq-server is missing: apt-get install --no-install-recommends rabbitmq-server"
            )
        (self.folder / "enabled_plugins").write_text("[].")
        environment = {
            "HOME": str(self.folder),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._mapper_port),
            "RABBITMQ_NODENAME": f"segue{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._inner_port),
            "RABBITMQ_BASE": str(self.folder),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "logs"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(self.folder / "none"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}",
        }
        return Program([script], self.folder / "log", environment)

    def wait_until_ready(self) -> None:
        assert self._program is not None
        until = time.monotonic() + 60
        while True:
            try:
                self._with_channel(lambda channel: asyncio.sleep(0))
                return
            except Exception as error:  # whatever the client makes of a server that is not up yet
                if time.monotonic() > until:
                    raise CounterpartFailed(f"{error!r}: {self._program.tail()}") from None
                time.sleep(0.2)

    def make(self, topic: str) -> None:
        self._with_channel(lambda channel: channel.declare_queue(topic, durable=True))

    def publish(self, topic: str, payloads: Sequence[bytes]) -> None:
        from aio_pika import DeliveryMode, Message

        async def put(channel: Any) -> None:
            messages = [Message(payload, delivery_mode=DeliveryMode.PERSISTENT) for payload in payloads]
            await asyncio.gather(*(channel.default_exchange.publish(one, topic) for one in messages))

        self._with_channel(put)

    def _with_channel(self, work: Callable[[Any], Awaitable[object]]) -> None:
        import aio_pika

        async def run() -> None:
            connection = await aio_pika.connect(host="127.0.0.1", port=self.port, timeout=5)
            async with connection:
                await work(await connection.channel())

        asyncio.run(run())

    def settings(self, topic: str) -> dict[str, Any]:
        return {"port": self.port, "queue": topic}

    def stop(self) -> None:
        if self._program is not None:
            self._program.kill()
        if self._mapper is not None:
            self._mapper.stop()
        super().stop()


class RedisServer(Broker):
    use = "redis-streams"

    def launch(self) -> Program:
        program = require("redis-server", "redis-server")
        command = [program, "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder), "--save", ""]
        return Program([*command, "--appendonly", "yes", "--appendfsync", "always"], self.folder / "log")

    def wait_until_ready(self) -> None:
        self._client().ping()  # it loads what it kept before it answers

    def publish(self, topic: str, payloads: Sequence[bytes]) -> None:
        pipeline = self._client().pipeline(transaction=False)
        for payload in payloads:
            pipeline.xadd(topic, {"data": payload})
        pipeline.execute()

    def _client(self) -> Any:
        from redis import Redis

        return Redis(port=self.port)

    def settings(self, topic: str) -> dict[str, Any]:
        return {"port": self.port, "streams": [topic]}


class Mosquitto(Broker):
    """It writes down its sessions when it ends, so that it is ended rather than crashed."""

    use = "mqtt"
    dies_by_kill = False

    def launch(self) -> Program:
        program = require("mosquitto", "mosquitto")
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true", "persistence true", "user root"]
        lines += [f"persistence_location {self.folder}/", "max_queued_messages 0"]
        (self.folder / "conf").write_text("\n".join(lines))
        return Program([program, "-c", str(self.folder / "conf")], self.folder / "log")

    def make(self, topic: str) -> None:
        """A subscription makes the session; without one nobody keeps anything."""
        from segue.api import SourceTools
        from segue_mqtt import Config, MqttSource

        async def subscribe() -> None:
            source = MqttSource(Config(**self.settings(topic)), SourceTools(source=topic))
            await source.fetch(None)
            await source.close()

        asyncio.run(subscribe())

    def publish(self, topic: str, payloads: Sequence[bytes]) -> None:
        from paho.mqtt import publish

        messages: list[Any] = [(f"{topic}/sales", payload, 1, False) for payload in payloads]
        publish.multiple(messages, hostname="127.0.0.1", port=self.port)

    def settings(self, topic: str) -> dict[str, Any]:
        return {"port": self.port, "topics": (f"{topic}/#",), "client_id": f"segue-{topic}"}


BROKERS = (Kafka, Nats, Rabbit, RedisServer, Mosquitto)
