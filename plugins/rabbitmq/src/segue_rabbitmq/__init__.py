"""RabbitMQ queues as a source of events for Segue."""

from __future__ import annotations

from collections.abc import Sequence

from segue.api import SourceSpec, Vocabulary, plugin
from segue.api.shop import SHOP
from segue_rabbitmq.source import Config, RabbitSource

__all__ = ["SPEC", "Config", "RabbitSource", "segue_sources", "segue_vocabulary"]

SPEC = SourceSpec(
    name="rabbitmq",
    doc="RabbitMQ queues, acknowledged once committed",
    config=Config,
    open=RabbitSource,
    fetches=True,
)


@plugin
def segue_sources() -> Sequence[SourceSpec]:
    return [SPEC]


@plugin
def segue_vocabulary() -> Sequence[Vocabulary]:
    return [SHOP]
