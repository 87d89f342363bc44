"""NATS JetStream as a source of events for Segue."""

from __future__ import annotations

from collections.abc import Sequence

from segue.api import SourceSpec, Vocabulary, plugin
from segue.api.shop import SHOP
from segue_nats.source import Config, NatsSource

__all__ = ["SPEC", "Config", "NatsSource", "segue_sources", "segue_vocabulary"]

SPEC = SourceSpec(
    name="nats",
    doc="NATS JetStream, by a durable pull consumer",
    config=Config,
    open=NatsSource,
    fetches=True,
)


@plugin
def segue_sources() -> Sequence[SourceSpec]:
    return [SPEC]


@plugin
def segue_vocabulary() -> Sequence[Vocabulary]:
    return [SHOP]
