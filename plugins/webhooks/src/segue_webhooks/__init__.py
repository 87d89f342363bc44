"""Webhooks of any tool as a source: signed by Standard Webhooks, or with a secret header, and mapped in segue.toml."""

from __future__ import annotations

from collections.abc import Sequence

from segue.api import SourceSpec, Vocabulary, plugin
from segue.api.shop import SHOP
from segue_webhooks.settings import Config
from segue_webhooks.source import LARGEST, ROUTE, WebhookSource

__all__ = ["WEBHOOKS", "Config", "WebhookSource", "segue_sources", "segue_vocabulary"]

WEBHOOKS = SourceSpec(
    name="webhooks",
    doc="Webhooks of any tool, signed by Standard Webhooks or with a secret header, mapped in segue.toml",
    config=Config,
    open=WebhookSource,
    routes=(ROUTE,),
    body=LARGEST,
)


@plugin
def segue_sources() -> Sequence[SourceSpec]:
    return [WEBHOOKS]


@plugin
def segue_vocabulary() -> Sequence[Vocabulary]:
    return [SHOP]
