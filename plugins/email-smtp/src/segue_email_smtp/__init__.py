"""Segue's email channel: hands messages to an SMTP server (RFC 5321) over pooled connections."""

from __future__ import annotations

from collections.abc import Sequence

from segue.api import ChannelSpec, ContentPart, plugin
from segue_email_smtp.channel import SEND_TIMEOUT, EmailChannel
from segue_email_smtp.config import Config

__all__ = ["Config", "EmailChannel", "segue_channels"]


@plugin
def segue_channels() -> Sequence[ChannelSpec]:
    """The one channel of this plugin, ``email-smtp``."""
    return [
        ChannelSpec(
            name="email-smtp",
            doc="Email through an SMTP server, as text and HTML",
            config=Config,
            open=EmailChannel,
            address="email",
            content=(
                ContentPart("subject", most=250),
                ContentPart("preview", required=False, most=250),
                ContentPart("text", required=False, extensions=("txt", "md")),
                ContentPart("html", required=False, extensions=("mjml", "html", "md")),
            ),
            batch=100,
            # A repeated mail carries the same Message-ID, by which mailboxes drop or fold the second one.
            unknown="retry",
            timeout=SEND_TIMEOUT,
            reactions=("complained", "replied"),
            polls=True,
            examines=True,
            attachments=True,
        )
    ]
