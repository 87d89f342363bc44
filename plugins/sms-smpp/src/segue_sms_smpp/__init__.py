"""Segue's SMS channel straight to an operator: an SMPP 3.4 client, with reports and replies on the same connection.

The protocol is spoken here rather than by a library. aiosmpplib queues, repeats and correlates by itself, which is the
ledger's part in Segue; smpplib blocks. What remains of SMPP for a channel is four requests and their answers.
"""

from __future__ import annotations

from collections.abc import Sequence

from segue.api import ChannelSpec, ContentPart, plugin
from segue_sms_smpp.channel import SmppChannel
from segue_sms_smpp.config import Config

__all__ = ["Config", "SmppChannel", "segue_channels"]


@plugin
def segue_channels() -> Sequence[ChannelSpec]:
    """The one channel of this plugin, ``sms-smpp``."""
    return [
        ChannelSpec(
            name="sms-smpp",
            doc="SMS to an operator by SMPP 3.4",
            config=Config,
            open=SmppChannel,
            address="phone",
            content=(ContentPart("text", extensions=("txt",), most=1_530),),
            # SMPP knows no idempotency key: what a crash may repeat is one batch.
            batch=50,
            in_flight=4,
            unknown="retry",
            timeout=120.0,  # connecting, a place in the window, and the answer
            polls=True,
            reactions=("replied",),
        )
    ]
