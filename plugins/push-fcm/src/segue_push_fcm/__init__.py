"""Segue's app push channel for Firebase Cloud Messaging: Android, and iOS where the app uses Firebase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segue.api import ChannelSpec, ContentPart, Tools, plugin
from segue_push_fcm.config import Config

if TYPE_CHECKING:
    from segue_push_fcm.channel import FcmChannel

__all__ = ["Config", "open_channel", "segue_channels"]


def open_channel(config: Config, tools: Tools) -> FcmChannel:
    """The open channel. Raises ValueError where ``service_account`` is none."""
    from segue_push_fcm.channel import FcmChannel  # the cryptography is loaded where it is used

    return FcmChannel(config, tools)


@plugin
def segue_channels() -> Sequence[ChannelSpec]:
    """The one channel of this plugin, ``push-fcm``."""
    return [
        ChannelSpec(
            name="push-fcm",
            doc="App push through Firebase Cloud Messaging",
            config=Config,
            open=open_channel,
            address="push_token",
            content=(
                ContentPart("title", most=200),
                ContentPart("text", required=False, extensions=("txt", "toml"), most=2_000),
                ContentPart("url", required=False, most=1_000),
                ContentPart("image", required=False, most=1_000),
                ContentPart("topic", required=False, most=200),
                ContentPart("data", required=False, most=3_000),
            ),
            # FCM takes one message a request, and 600,000 requests a minute of a project.
            batch=50,
            in_flight=4,
            # FCM knows no idempotency key, but a repeated message has the same tag, by which the telephone replaces it.
            unknown="retry",
            timeout=60.0,
        )
    ]
