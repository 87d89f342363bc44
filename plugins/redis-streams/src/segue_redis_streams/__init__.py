"""Redis streams as a source of events for Segue."""

from __future__ import annotations

from collections.abc import Sequence

from segue.api import SourceSpec, Vocabulary, plugin
from segue.api.shop import SHOP
from segue_redis_streams.source import Config, RedisSource

__all__ = ["SPEC", "Config", "RedisSource", "segue_sources", "segue_vocabulary"]

SPEC = SourceSpec(
    name="redis-streams",
    doc="Redis streams, by a consumer group",
    config=Config,
    open=RedisSource,
    fetches=True,
)


@plugin
def segue_sources() -> Sequence[SourceSpec]:
    return [SPEC]


@plugin
def segue_vocabulary() -> Sequence[Vocabulary]:
    return [SHOP]
