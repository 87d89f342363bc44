"""The source: Shopify's signature, and what its topics mean.

Source: https://shopify.dev/docs/apps/build/webhooks/subscribe/https#step-5-verify-the-webhook
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from segue.api import Event, Instant, Received, Request, SourceTools
from segue.api.shop import with_lines
from segue.api.webhooks import answer, secrets_of, signed_topic
from segue_shopify.mapping import TOPICS, Reading, UserId

__all__ = ["LARGEST", "ROUTE", "Config", "ShopifySource"]

ROUTE: Final = "POST /hooks/{source}"
_SIGNATURE: Final = "x-shopify-hmac-sha256"
_TOPIC: Final = "x-shopify-topic"
LARGEST: Final = 5_000_000
"""Bytes of a body: an order of a wholesaler has hundreds of lines, each with all its taxes and discounts."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings under ``[sources.shopify]``.

    ``secret`` is what Shopify signs with: the key shown under *Notifications › Webhooks*, or the client secret of an
    app; or several while it is changed. ``user_id`` says what the shop's own id of a customer is, ``id`` (Shopify's) or
    ``email``; when absent, customers are known by Shopify's id and their addresses.
    """

    secret: str | tuple[str, ...]
    user_id: UserId | None = None


class ShopifySource:
    """The webhooks of one shop."""

    def __init__(self, config: Config, tools: SourceTools) -> None:
        self._secrets = tuple(secret.encode() for secret in secrets_of(config.secret))
        self._source = tools.source
        self._user_id: UserId | None = config.user_id

    def receive(self, request: Request, now: Instant) -> Received:
        """Understand one call that arrived at ``now``. A topic that Segue does not read is taken and means nothing."""
        return answer(request, lambda: with_lines(self._events(request, now)))

    def _events(self, request: Request, now: Instant) -> Iterator[Event]:
        read = TOPICS.get(signed_topic(request, self._secrets, signature=_SIGNATURE, topic=_TOPIC))
        return read(Reading(request.body, now, self._source, self._user_id)) if read is not None else iter(())
