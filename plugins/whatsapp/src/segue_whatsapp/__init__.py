"""Segue's WhatsApp channel, by Meta's Cloud API: https://developers.facebook.com/docs/whatsapp/cloud-api"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from segue.api import ChannelSpec, ContentPart, plugin
from segue_whatsapp.channel import WhatsAppChannel
from segue_whatsapp.config import Config
from segue_whatsapp.content import BODY_PARAMETERS, BUTTONS, LONGEST_TEXT, MEDIA

__all__ = ["Config", "WhatsAppChannel", "segue_channels"]

_LONGEST_PARAMETER: Final = 1_024


@plugin
def segue_channels() -> Sequence[ChannelSpec]:
    """The one channel of this plugin, ``whatsapp``."""
    parameters = ("header", *BODY_PARAMETERS, *BUTTONS)
    return [
        ChannelSpec(
            name="whatsapp",
            doc="WhatsApp by Meta's Cloud API",
            config=Config,
            open=WhatsAppChannel,
            address="phone",
            content=(
                ContentPart("text", required=False, extensions=("txt",), most=LONGEST_TEXT),
                ContentPart("template", required=False, most=512),
                ContentPart("language", required=False, most=20),
                *(ContentPart(name, required=False, most=_LONGEST_PARAMETER) for name in parameters),
                *(ContentPart(name, required=False, most=2_000) for name in MEDIA),
            ),
            batch=20,
            in_flight=4,
            # https://developers.facebook.com/docs/whatsapp/cloud-api/overview#throughput
            rate=80.0,
            # The API knows no idempotency key; but Meta reports with our key, also on a message that was cut off.
            unknown="hold",
            timeout=60.0,
            reactions=("read", "replied"),
        )
    ]
