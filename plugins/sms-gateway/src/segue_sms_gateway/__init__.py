"""Segue's SMS channel: Kannel's HTTP interface for sending, delivery reports and customers' replies."""

from __future__ import annotations

from collections.abc import Sequence

from segue.api import ChannelSpec, ContentPart, plugin
from segue_sms_gateway.channel import SmsChannel
from segue_sms_gateway.config import Config

__all__ = ["Config", "SmsChannel", "segue_channels"]


@plugin
def segue_channels() -> Sequence[ChannelSpec]:
    """The one channel of this plugin, ``sms-gateway``."""
    return [
        ChannelSpec(
            name="sms-gateway",
            doc="SMS through Kannel's HTTP interface",
            config=Config,
            open=SmsChannel,
            address="phone",
            content=(ContentPart("text", extensions=("txt",), most=1530),),
            reactions=("replied",),
            # Kannel knows no idempotency key: what a crash may repeat is one batch, so batches are small.
            batch=20,
            in_flight=2,
            unknown="retry",
            timeout=90.0,
        )
    ]
