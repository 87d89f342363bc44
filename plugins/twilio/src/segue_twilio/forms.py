"""From a message to the form that creates it at Twilio.

https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource,
https://www.twilio.com/docs/rcs/send-an-rcs-message.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from segue.api import Message
from segue.api.sms import TextError, count_parts, parse_number, readable_text, sender_for, transliterate
from segue_twilio.config import RcsConfig, SmsConfig

__all__ = ["Form", "rcs_form", "sms_form"]

_TEMPLATE: Final = re.compile(r"HX[0-9a-fA-F]{32}")
_SHORTEST_VALIDITY: Final = 5
"""Seconds; Twilio refuses less with 30012."""


class Form(msgspec.Struct, frozen=True):
    """The fields to post, and in how many parts the text goes."""

    fields: dict[str, str]
    parts: int = 1


def sms_form(message: Message, now: float, config: SmsConfig) -> Form:
    """An SMS. ``now`` is in seconds since 1970. Raises NumberError and TextError."""
    number = parse_number(message.address)
    text = transliterate(readable_text(message.content.get("text", "")), config.transliterate)
    parts = count_parts(text)
    if parts > config.most_parts:
        raise TextError(
            f"the text takes {parts} parts of an SMS, and most_parts allows {config.most_parts}: shorten it"
        )
    fields = {"To": number, "Body": text, "ValidityPeriod": _validity(message, now, config.validity)}
    if sender := sender_for(number, config.senders, config.sender):
        fields["From"] = sender
    else:
        fields["MessagingServiceSid"] = config.messaging_service
    return Form(fields, parts)


def rcs_form(message: Message, now: float, config: RcsConfig) -> Form:
    """An RCS message, by its addresses with ``rcs:`` before them: so that Twilio itself does not fall back to SMS,
    which is for the rule to say (https://www.twilio.com/docs/api/errors/21664). Raises NumberError and TextError."""
    fields = {
        "To": f"rcs:{parse_number(message.address)}",
        "From": f"rcs:{config.sender.removeprefix('rcs:')}",
        "ValidityPeriod": _validity(message, now, config.validity),
    }
    content = {name: part.strip() for name, part in message.content.items()}
    if template := content.get("template"):
        if _TEMPLATE.fullmatch(template) is None:
            raise TextError("template is no SID of a content template: HX and 32 digits of 0-9, a-f")
        fields["ContentSid"] = template
        if variables := content.get("variables"):
            fields["ContentVariables"] = _variables(variables)
        return Form(fields)
    if content.get("variables"):
        raise TextError("there are variables and no template that they belong to")
    media = content.get("media", "")
    if media:
        if not media.startswith("https://"):
            raise TextError(f"media is {media[:60]!r}: write an https: address, Twilio fetches it from there")
        fields["MediaUrl"] = media
    if content.get("text") or not media:
        fields["Body"] = readable_text(content.get("text", ""))
    return Form(fields)


def _variables(text: str) -> str:
    try:
        return msgspec.json.encode(msgspec.json.decode(text.encode("utf-8", "replace"), type=dict[str, str])).decode()
    except (msgspec.DecodeError, RecursionError) as error:
        raise TextError(f'variables is not a JSON object of texts, such as {{"1": "Ann"}}: {str(error)[:80]}') from None


def _validity(message: Message, now: float, longest: int) -> str:
    """Seconds that are left for the message, so that a stale one does not wait in Twilio's queue."""
    return str(max(_SHORTEST_VALIDITY, min(longest, int(message.expires / 1_000_000 - now))))
