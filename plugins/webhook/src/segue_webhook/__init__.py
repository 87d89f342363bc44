"""Segue's channel for everything that takes a signed POST of JSON: an address of the project, or of each customer."""

from __future__ import annotations

from collections.abc import Sequence

from segue.api import ChannelSpec, ContentPart, plugin
from segue_webhook.channel import CustomerWebhookChannel, WebhookChannel
from segue_webhook.config import Config, CustomerConfig

__all__ = ["Config", "CustomerConfig", "CustomerWebhookChannel", "WebhookChannel", "segue_channels"]

_CONTENT = (
    ContentPart("text", required=False, extensions=("txt", "md")),
    ContentPart("title", required=False),
    ContentPart("type", required=False, most=100),
)


@plugin
def segue_channels() -> Sequence[ChannelSpec]:
    """``webhook`` calls one address of the project, or one that the message names; ``customer-webhook`` calls the
    address in the customer's trait ``webhook_url``."""
    return [
        ChannelSpec(
            name="webhook",
            doc="A signed POST of JSON to an address in the settings",
            config=Config,
            open=WebhookChannel,
            address=None,
            content=(*_CONTENT, ContentPart("url", required=False, most=2_000)),
            # One slow receiver holds up a batch for its time-out, and no more than that.
            batch=50,
            in_flight=4,
            # The receiver knows a message by its webhook-id, which stays the same.
            unknown="retry",
            timeout=60.0,
        ),
        ChannelSpec(
            name="customer-webhook",
            doc="A signed POST of JSON to the address in a customer's trait webhook_url",
            config=CustomerConfig,
            open=CustomerWebhookChannel,
            address="webhook_url",
            content=_CONTENT,
            batch=50,
            in_flight=4,
            unknown="retry",
            timeout=60.0,
        ),
    ]
