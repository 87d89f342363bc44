"""Segue's app push channel for Apple's push notification service (APNs), by HTTP/2 and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segue.api import ChannelSpec, ContentPart, Tools, plugin
from segue_push_apns.config import Config

if TYPE_CHECKING:
    from segue_push_apns.channel import ApnsChannel

__all__ = ["Config", "open_channel", "segue_channels"]


def open_channel(config: Config, tools: Tools) -> ApnsChannel:
    """The open channel. Raises ValueError where ``private_key`` is no key."""
    from segue_push_apns.channel import ApnsChannel  # HTTP/2 and the cryptography are loaded where they are used

    return ApnsChannel(config, tools)


@plugin
def segue_channels() -> Sequence[ChannelSpec]:
    """The one channel of this plugin, ``push-apns``."""
    return [
        ChannelSpec(
            name="push-apns",
            doc="App push through Apple's push notification service",
            config=Config,
            open=open_channel,
            address="push_token",
            content=(
                ContentPart("title", most=200),
                ContentPart("subtitle", required=False, most=200),
                ContentPart("text", required=False, extensions=("txt", "toml"), most=2_000),
                ContentPart("url", required=False, most=1_000),
                ContentPart("topic", required=False, most=200),
                ContentPart("sound", required=False, most=100),
                ContentPart("data", required=False, most=3_000),
            ),
            # All go over one connection at the same time, as many of them at once as Apple lets streams be open.
            batch=100,
            in_flight=4,
            # A repeated message has the same apns-id and apns-collapse-id: the telephone shows one of them.
            unknown="retry",
            timeout=60.0,
        )
    ]
