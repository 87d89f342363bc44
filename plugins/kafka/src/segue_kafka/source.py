"""The source: offsets are Segue's own position, committed with the events up to them.

No group is joined: every partition is assigned by hand, and read from the committed position. The same offsets are told
to the group too, so that the tools that watch consumers see how far Segue is; nothing depends on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from segue.api import Fetched, Instant, SourceTools
from segue.api.mapping import Gathering, Mapping, Reader

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, TopicPartition

WAIT_MS: Final = 1000
"""How long one fetch waits for news."""
LOOK_AGAIN: Final = 60.0
"""Seconds between two looks for partitions that were added."""
TELL_AGAIN: Final = 5.0
"""Seconds between two commits to the group."""
COORDINATOR_WAIT: Final = 5.0
"""Seconds within which the group's coordinator is to be found; without it the events come all the same."""

Offsets = dict[str, dict[str, int]]
"""The next offset to read, by topic and partition: what a position is, as JSON."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[sources.NAME]``. See the README for each."""

    servers: str
    topics: tuple[str, ...]
    group: str = ""
    start: Literal["earliest", "latest"] = "earliest"
    batch: int = 1000
    tls: bool = False
    ca_file: str | None = None
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    username: str | None = None
    password: str | None = None
    map: Mapping | None = None

    def __post_init__(self) -> None:
        if not self.topics:
            raise ValueError("`topics` is empty: name at least one")
        if not 1 <= self.batch <= 10_000:
            raise ValueError(f"`batch` is {self.batch}: write a number from 1 to 10000")
        if (self.username is None) != (self.password is None):
            raise ValueError("`username` and `password` go together")


class KafkaSource:
    """Some topics of one cluster."""

    def __init__(self, config: Config, tools: SourceTools) -> None:
        self._config = config
        self._name = tools.source
        self._reader = Reader(config.map, tools.source)
        self._consumer: AIOKafkaConsumer | None = None
        self._offsets: Offsets = {}
        self._assigned: list[TopicPartition] = []
        self._begun_at: str | None = None
        self._looked = 0.0
        self._told = 0.0

    async def fetch(self, position: str | None) -> Fetched:
        """Records from the position on, of all partitions."""
        gathering = Gathering(self._reader, _now())
        if self._consumer is None or position != self._begun_at:
            await self._begin(position, gathering)
        elif time.monotonic() - self._looked > LOOK_AGAIN:
            self._looked = time.monotonic()
            if self._partitions() != self._assigned:
                await self._assign(gathering)
        assert self._consumer is not None
        self._begun_at = None  # cut off in what follows, it begins anew from the position
        found = await self._consumer.getmany(timeout_ms=WAIT_MS, max_records=self._config.batch)
        for partition, records in found.items():
            for record in records:
                self._take(gathering, record)
            self._offsets[partition.topic][str(partition.partition)] = records[-1].offset + 1
        self._begun_at = msgspec.json.encode(self._offsets, order="sorted").decode()
        return gathering.fetched(self._begun_at)

    def _take(self, gathering: Gathering, record: Any) -> None:
        if record.value is None:
            return  # a tombstone: only compaction needs it
        gathering.take(
            record.value,
            place=f"{record.topic}[{record.partition}] @ {record.offset}",
            key=f"{self._name}:{record.topic}/{record.partition}/{record.offset}",
            arrived=Instant(record.timestamp * 1000) if record.timestamp > 0 else None,
        )

    async def _begin(self, position: str | None, gathering: Gathering) -> None:
        self._offsets = _read_position(position)
        if self._consumer is None:
            self._consumer = self._connect()
            await self._consumer.start()
        await self._assign(gathering)

    def _connect(self) -> AIOKafkaConsumer:
        from aiokafka import AIOKafkaConsumer

        config = self._config
        protocol = ("SASL_" if config.username is not None else "") + ("SSL" if config.tls else "PLAINTEXT")
        return AIOKafkaConsumer(
            bootstrap_servers=config.servers,
            client_id=f"segue-{self._name}",
            group_id=config.group or f"segue-{self._name}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            metadata_max_age_ms=int(LOOK_AGAIN * 500),
            security_protocol=protocol,
            ssl_context=ssl.create_default_context(cafile=config.ca_file) if config.tls else None,
            sasl_mechanism=config.mechanism,
            sasl_plain_username=config.username,
            sasl_plain_password=config.password,
        )

    def _partitions(self) -> list[TopicPartition]:
        """Every partition of the topics, as far as the client knows by now."""
        from aiokafka import TopicPartition

        consumer = self._consumer
        assert consumer is not None
        return [
            TopicPartition(topic, number)
            for topic in self._config.topics
            for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]

    async def _assign(self, gathering: Gathering) -> None:
        """Read every partition that there is, from where it was left; new ones from their beginning."""
        from aiokafka import TopicPartition
        from aiokafka.errors import KafkaError

        consumer = self._consumer
        assert consumer is not None
        self._looked = time.monotonic()
        missing = sorted(set(self._config.topics) - set(await consumer.topics()))
        if missing:
            raise LookupError(f"there is no topic {', '.join(missing)} at {self._config.servers}")
        some = [TopicPartition(topic, 0) for topic in self._config.topics]
        consumer.assign(some)
        await consumer.end_offsets(some)  # the client looks only at topics that it reads, and knows their others then
        partitions = self._partitions()
        first = not self._offsets
        self._assigned = partitions
        if partitions != some:
            # Assigned anew while the client still looks for its group's coordinator, its background task fails an
            # assertion and with it whatever waits (aiokafka 0.14): an answer of the coordinator ends the look.
            with contextlib.suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(consumer.committed(some[0]), COORDINATOR_WAIT)
            consumer.assign(partitions)
        beginnings = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            offsets = self._offsets.setdefault(partition.topic, {})
            at = offsets.get(str(partition.partition))
            begins, ends_at = beginnings[partition], ends[partition]
            if at is None:
                at = ends_at if first and self._config.start == "latest" else begins
            elif not begins <= at <= ends_at:
                place = f"{partition.topic}[{partition.partition}] @ {at}"
                gathering.reject(
                    f"Records {begins} to {ends_at} are there, and those from {at} on were next: they were deleted, or "
                    "the topic was made anew. It goes on from the first that is there.",
                    place,
                )
                at = begins
            offsets[str(partition.partition)] = at
            consumer.seek(partition, at)

    async def settle(self, fetched: Fetched) -> None:
        """Tell the group how far it is, now and then."""
        from aiokafka import TopicPartition
        from aiokafka.errors import KafkaError

        if self._consumer is None or fetched.position is None or time.monotonic() - self._told < TELL_AGAIN:
            return
        self._told = time.monotonic()
        offsets = {
            TopicPartition(topic, int(number)): offset
            for topic, partitions in _read_position(fetched.position).items()
            for number, offset in partitions.items()
        }
        try:
            await self._consumer.commit(offsets)
        except KafkaError:
            return  # only those who watch consumers look there

    async def close(self) -> None:
        """Let go of the connections."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()


def _read_position(position: str | None) -> Offsets:
    if position is None:
        return {}
    try:
        return msgspec.json.decode(position, type=Offsets)
    except (msgspec.MsgspecError, UnicodeEncodeError) as error:
        raise ValueError(f"the position is not one of this source: {error}") from None


def _now() -> Instant:
    return Instant(time.time_ns() // 1000)
