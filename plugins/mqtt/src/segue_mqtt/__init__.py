"""MQTT topics as a source of events for Segue."""

from __future__ import annotations

from collections.abc import Sequence

from segue.api import SourceSpec, Vocabulary, plugin
from segue.api.shop import SHOP
from segue_mqtt.source import Config, MqttSource

__all__ = ["SPEC", "Config", "MqttSource", "segue_sources", "segue_vocabulary"]

SPEC = SourceSpec(
    name="mqtt",
    doc="MQTT 5 topics, QoS 1 and a session that stays",
    config=Config,
    open=MqttSource,
    fetches=True,
)


@plugin
def segue_sources() -> Sequence[SourceSpec]:
    return [SPEC]


@plugin
def segue_vocabulary() -> Sequence[Vocabulary]:
    return [SHOP]
