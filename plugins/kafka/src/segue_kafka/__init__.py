"""Kafka topics as a source of events for Segue."""

from __future__ import annotations

from collections.abc import Sequence

from segue.api import SourceSpec, Vocabulary, plugin
from segue.api.shop import SHOP
from segue_kafka.source import Config, KafkaSource

__all__ = ["SPEC", "Config", "KafkaSource", "segue_sources", "segue_vocabulary"]

SPEC = SourceSpec(
    name="kafka",
    doc="Kafka topics, from the offsets that Segue keeps",
    config=Config,
    open=KafkaSource,
    fetches=True,
)


@plugin
def segue_sources() -> Sequence[SourceSpec]:
    return [SPEC]


@plugin
def segue_vocabulary() -> Sequence[Vocabulary]:
    return [SHOP]
