"""Segue's console channel: shows messages instead of sending them. It stands in for every channel that has no other."""

from __future__ import annotations

from collections.abc import Sequence

from segue.api import ChannelSpec, plugin
from segue_console.channel import Config, ConsoleChannel
from segue_console.reactions import REACTIONS

__all__ = ["Config", "ConsoleChannel", "segue_channels"]


@plugin
def segue_channels() -> Sequence[ChannelSpec]:
    """The one channel of this plugin, ``console``. It needs no address and no content."""
    return [
        ChannelSpec(
            name="console",
            doc="Messages in the terminal, for trying rules out",
            config=Config,
            open=ConsoleChannel,
            address=None,
            serves=(
                "email",
                "sms",
                "push",
                "web_push",
                "whatsapp",
                "rcs",
                "letter",
                "ads",
                "onsite",
                "popup",
                "wallet",
                "chat",
            ),
            batch=100,
            retracts=True,
            attachments=True,
            stand_in=True,
            reactions=REACTIONS,
        )
    ]
