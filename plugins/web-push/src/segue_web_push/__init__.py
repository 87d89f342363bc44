"""Segue's web push channel: notifications in browsers by RFC 8030, encrypted (RFC 8291) and signed (RFC 8292)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segue.api import ChannelSpec, ContentPart, Tools, plugin
from segue_web_push.config import Config

if TYPE_CHECKING:
    from segue_web_push.channel import WebPushChannel

__all__ = ["Config", "open_channel", "segue_channels"]


def open_channel(config: Config, tools: Tools) -> WebPushChannel:
    """The open channel. Raises ValueError where ``private_key`` is no key."""
    from segue_web_push.channel import WebPushChannel  # the cryptography is loaded where it is used

    return WebPushChannel(config, tools)


@plugin
def segue_channels() -> Sequence[ChannelSpec]:
    """The one channel of this plugin, ``web-push``."""
    return [
        ChannelSpec(
            name="web-push",
            doc="Notifications in browsers by web push, as the browsers' makers deliver them",
            config=Config,
            open=open_channel,
            address="web_push_token",
            content=(
                ContentPart("title", most=200),
                ContentPart("text", required=False, extensions=("txt", "toml"), most=2_000),
                ContentPart("url", required=False, most=1_000),
                ContentPart("icon", required=False, most=1_000),
                ContentPart("image", required=False, most=1_000),
                ContentPart("topic", required=False, most=200),
                ContentPart("urgency", required=False, most=20),
            ),
            # Each message is a request of its own, and push services are quick: small batches, several at once.
            batch=50,
            in_flight=4,
            # A repeated message has the same Topic, by which the push service replaces the first one while it stores
            # it, and the same tag, by which the browser replaces it where it is already shown.
            unknown="retry",
            timeout=60.0,
        )
    ]
