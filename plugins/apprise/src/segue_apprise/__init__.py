"""Segue's channel for the services that Apprise knows: https://github.com/caronc/apprise/wiki"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segue.api import ChannelSpec, ContentPart, Tools, plugin
from segue_apprise.config import Config, CustomerConfig

if TYPE_CHECKING:
    from segue_apprise.channel import AppriseChannel

__all__ = ["Config", "CustomerConfig", "open_channel", "segue_channels"]


def open_channel(config: Config, tools: Tools) -> AppriseChannel:
    """The open channel. Raises ValueError where Apprise does not understand the address."""
    from segue_apprise.channel import AppriseChannel  # Apprise takes half a second, and is loaded where it is used

    return AppriseChannel(config)


_CONTENT = (ContentPart("text", extensions=("txt",)), ContentPart("title", required=False))


@plugin
def segue_channels() -> Sequence[ChannelSpec]:
    """``apprise`` sends to one place; ``customer-apprise`` to the account in each customer's trait
    ``apprise_target``."""
    return [
        ChannelSpec(
            name="apprise",
            doc="One place by any service that Apprise knows",
            config=Config,
            open=open_channel,
            address=None,
            content=_CONTENT,
            # Apprise waits between two messages of one service, as long as the service wants.
            batch=1,
            in_flight=1,
            # There is no key by which a service would know a message that comes again.
            unknown="hold",
            timeout=60.0,
        ),
        ChannelSpec(
            name="customer-apprise",
            doc="Each customer's own account by any service that Apprise knows",
            config=CustomerConfig,
            open=open_channel,
            address="apprise_target",
            content=_CONTENT,
            batch=1,
            in_flight=4,
            unknown="hold",
            timeout=60.0,
        ),
    ]
