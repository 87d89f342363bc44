"""The source: WooCommerce's signature, and what its topics mean.

Source: https://developer.woocommerce.com/docs/best-practices/data-management/webhooks
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from segue.api import Event, Instant, Received, Request, Response, SourceTools
from segue.api.shop import with_lines
from segue.api.webhooks import answer, secrets_of, signed_topic
from segue_woocommerce.mapping import TOPICS, Completed, Reading, UserId

__all__ = ["LARGEST", "ROUTE", "Config", "WooCommerceSource"]

ROUTE: Final = "POST /hooks/{source}"
LARGEST: Final = 5_000_000
"""Bytes of a body: an order carries whatever extensions put into its lines."""
_SIGNATURE: Final = "x-wc-webhook-signature"
_TOPIC: Final = "x-wc-webhook-topic"
_PING: Final = re.compile(rb"webhook_id=\d{1,20}")
"""What WooCommerce posts when a webhook is saved, unsigned, to see whether anybody is there."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings under ``[sources.woocommerce]``.

    ``secret`` is the secret of the webhooks, or several where they have different ones. ``user_id`` says what the
    shop's own id of a customer is, ``id`` (WooCommerce's) or ``email``; when absent, customers are known by
    WooCommerce's id and their addresses. ``completed`` is the event that an order becomes as its status turns to
    completed: ``order_delivered``, for WooCommerce's core knows nothing that comes after it, or ``order_shipped`` where
    a carrier's events follow from another source.
    """

    secret: str | tuple[str, ...]
    user_id: UserId | None = None
    completed: Completed = "order_delivered"


class WooCommerceSource:
    """The webhooks of one shop."""

    def __init__(self, config: Config, tools: SourceTools) -> None:
        self._secrets = tuple(secret.encode() for secret in secrets_of(config.secret))
        self._source = tools.source
        self._config = config

    def receive(self, request: Request, now: Instant) -> Received:
        """Understand one call that arrived at ``now``. A topic that Segue does not read is taken and means nothing."""
        if _SIGNATURE not in request.headers and _PING.fullmatch(request.body.strip()):
            return Received((), Response(200))
        return answer(request, lambda: with_lines(self._events(request, now)))

    def _events(self, request: Request, now: Instant) -> Iterator[Event]:
        read = TOPICS.get(signed_topic(request, self._secrets, signature=_SIGNATURE, topic=_TOPIC))
        if read is None:
            return iter(())
        return read(Reading(request.body, now, self._source, self._config.user_id, self._config.completed))
