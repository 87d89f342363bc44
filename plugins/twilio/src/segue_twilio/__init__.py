"""Segue's channels by Twilio: ``sms-twilio`` and ``rcs``.

One distribution, since both are one call of one interface under one account, with the same signatures and reports: they
differ in what stands in the form.
"""

from __future__ import annotations

from collections.abc import Sequence

from segue.api import ChannelSpec, ContentPart, Tools, plugin
from segue_twilio.channel import TwilioChannel
from segue_twilio.config import RcsConfig, SmsConfig
from segue_twilio.forms import rcs_form, sms_form

__all__ = ["RcsConfig", "SmsConfig", "open_rcs", "open_sms", "segue_channels"]


def open_sms(config: SmsConfig, tools: Tools) -> TwilioChannel:
    """The open channel for SMS."""
    return TwilioChannel(config, tools, lambda message, now: sms_form(message, now, config))


def open_rcs(config: RcsConfig, tools: Tools) -> TwilioChannel:
    """The open channel for RCS."""
    return TwilioChannel(config, tools, lambda message, now: rcs_form(message, now, config))


@plugin
def segue_channels() -> Sequence[ChannelSpec]:
    """The two channels of this plugin, ``sms-twilio`` and ``rcs``."""
    return [
        ChannelSpec(
            name="sms-twilio",
            doc="SMS by Twilio",
            config=SmsConfig,
            open=open_sms,
            address="phone",
            content=(ContentPart("text", extensions=("txt",), most=1_530),),
            # Twilio takes one message a request, queues it, and knows no idempotency key: what a crash may repeat is
            # one batch, so batches are small.
            batch=20,
            in_flight=2,
            unknown="retry",
            timeout=60.0,
            examines=True,
            reactions=("replied",),
        ),
        ChannelSpec(
            name="rcs",
            doc="RCS by Twilio",
            config=RcsConfig,
            open=open_rcs,
            address="phone",
            content=(
                ContentPart("text", required=False, extensions=("txt",), most=1_600),
                ContentPart("template", required=False, most=34),
                ContentPart("variables", required=False, most=4_000),
                ContentPart("media", required=False, most=1_000),
            ),
            batch=20,
            in_flight=2,
            unknown="retry",
            timeout=60.0,
            examines=True,
            reactions=("read", "replied"),
        ),
    ]
