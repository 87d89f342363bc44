"""The source: a consumer group, whose entries are acknowledged once they are committed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from segue.api import Fetched, Instant, SourceTools
from segue.api.mapping import Gathering, Mapping, Reader

if TYPE_CHECKING:
    from redis.asyncio import Redis

WAIT_MS: Final = 1000
"""How long one fetch waits for news."""
CLAIM_AGAIN: Final = 60.0
"""Seconds between two looks for entries that another consumer was handed and never acknowledged."""
IDLE_MS: Final = 60_000
"""After so long such an entry is taken over."""

Entry = tuple[bytes, dict[bytes, bytes] | None]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[sources.NAME]``. See the README for each."""

    streams: tuple[str, ...]
    host: str = "127.0.0.1"
    port: int = 6379
    database: int = 0
    group: str = "segue"
    field: str = "data"
    start: Literal["all", "new"] = "all"
    batch: int = 1000
    tls: bool = False
    ca_file: str | None = None
    username: str | None = None
    password: str | None = None
    map: Mapping | None = None

    def __post_init__(self) -> None:
        if not self.streams:
            raise ValueError("`streams` is empty: name at least one")
        if not 1 <= self.batch <= 10_000:
            raise ValueError(f"`batch` is {self.batch}: write a number from 1 to 10000")


class RedisSource:
    """Some streams of one server."""

    def __init__(self, config: Config, tools: SourceTools) -> None:
        self._config = config
        self._name = tools.source
        self._reader = Reader(config.map, tools.source)
        self._redis: Redis | None = None
        self._left = dict.fromkeys(config.streams, "0")
        """Of each stream: up to where what was handed to us before, and never acknowledged, has been read again."""
        self._claimed = 0.0
        self._unsettled: dict[str, list[bytes]] = {}

    async def fetch(self, position: str | None) -> Fetched:
        """First what a crash left, then what another consumer left, then what is new."""
        if self._redis is None:
            self._redis = await self._connect()
        self._unsettled = {}
        gathering = Gathering(self._reader, Instant(time.time_ns() // 1000))
        if self._left:
            await self._read(gathering, dict(self._left), None)
        elif time.monotonic() - self._claimed > CLAIM_AGAIN:
            await self._claim(gathering)
        else:
            await self._read(gathering, dict.fromkeys(self._config.streams, ">"), WAIT_MS)
        return gathering.fetched()

    async def _read(self, gathering: Gathering, streams: dict[Any, Any], block: int | None) -> None:
        assert self._redis is not None
        found: Any = await self._redis.xreadgroup(
            self._config.group, f"segue-{self._name}", streams, count=self._config.batch, block=block
        )
        by_stream = {name.decode(): entries for name, entries in found or ()}
        for stream in streams:
            entries: list[Entry] = by_stream.get(stream, [])
            for entry in entries:
                self._take(gathering, stream, *entry)
            if stream in self._left:
                if entries:
                    self._left[stream] = entries[-1][0].decode()
                else:
                    del self._left[stream]

    async def _claim(self, gathering: Gathering) -> None:
        """Take over what another consumer of the group was handed long ago."""
        assert self._redis is not None
        self._claimed = time.monotonic()
        for stream in self._config.streams:
            claimed: Any = await self._redis.xautoclaim(
                stream, self._config.group, f"segue-{self._name}", IDLE_MS, "0-0", count=self._config.batch
            )
            for entry in claimed[1]:
                self._take(gathering, stream, *entry)
            if len(claimed[1]) == self._config.batch:
                self._claimed = 0.0  # there is more

    def _take(self, gathering: Gathering, stream: str, number: bytes, fields: dict[bytes, bytes] | None) -> None:
        self._unsettled.setdefault(stream, []).append(number)
        entry = number.decode()
        place = f"{stream} @ {entry}"
        if not fields:
            gathering.reject("The entry was deleted from the stream before it could be read.", place)
            return
        own = fields.get(self._config.field.encode())
        if own is None:
            own = msgspec.json.encode(
                {name.decode("utf-8", "replace"): value.decode("utf-8", "replace") for name, value in fields.items()}
            )
        milliseconds = int(entry.partition("-")[0])
        arrived = Instant(milliseconds * 1000) if 0 < milliseconds < 10**13 else None
        gathering.take(own, place=place, key=f"{self._name}:{stream}/{entry}", arrived=arrived)

    async def _connect(self) -> Redis:
        from redis.asyncio import Redis
        from redis.exceptions import ResponseError

        config = self._config
        redis = Redis(
            host=config.host,
            port=config.port,
            db=config.database,
            username=config.username,
            password=config.password,
            ssl=config.tls,
            ssl_ca_certs=config.ca_file,
            socket_connect_timeout=5,
            socket_timeout=WAIT_MS / 1000 + 10,
            client_name=f"segue-{self._name}",
        )
        try:
            for stream in config.streams:
                try:
                    await redis.xgroup_create(
                        stream, config.group, id="0" if config.start == "all" else "$", mkstream=True
                    )
                except ResponseError as error:
                    if not str(error).startswith("BUSYGROUP"):  # it is there already
                        raise
        except BaseException:
            await redis.aclose()
            raise
        return redis

    async def settle(self, fetched: Fetched) -> None:
        """Acknowledge every entry."""
        unsettled, self._unsettled = self._unsettled, {}
        if self._redis is not None:
            for stream, numbers in unsettled.items():
                await self._redis.xack(stream, self._config.group, *numbers)

    async def close(self) -> None:
        """Let go of the connections."""
        redis, self._redis = self._redis, None
        if redis is not None:
            await redis.aclose()
