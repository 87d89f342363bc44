"""The open channel: one call of ``sendsms`` for each message."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from urllib.parse import quote, quote_plus

from segue.api import Answer, BaseChannel, Callback, HttpError, Message, Rejected, Request, Retry, Sent, Tools, Unknown
from segue.api.sms import (
    NumberError,
    TextError,
    parse_number,
    readable_text,
    sender_for,
    split_text,
    transliterate,
)
from segue_sms_gateway.callbacks import REPORT_MASK, read_callback, report_url
from segue_sms_gateway.config import Config
from segue_sms_gateway.replies import judge

_LONGEST_VALIDITY = 44_640
"""Minutes: a month."""


class SmsChannel(BaseChannel):
    """SMS through one gateway."""

    def __init__(self, config: Config, tools: Tools) -> None:
        self._config = config
        self._tools = tools

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """Hand the messages over at the same time; no call's failure touches another's answer."""
        return await asyncio.gather(*(self._send(message) for message in messages))

    async def receive(self, request: Request) -> Callback:
        return read_callback(request, self._config.callback_secret)

    async def _send(self, message: Message) -> Answer:
        try:
            query, parts = self._query(message)
        except NumberError as error:
            return Rejected(str(error), address_gone=True)
        except TextError as error:
            return Rejected(str(error))
        try:
            # The gateway's answer comes after it has stored the text: a call cut off in between may have been taken.
            response = await self._tools.http.request(
                "GET", self._config.url, query=query, timeout=self._config.timeout
            )
        except HttpError as error:
            return (Unknown if error.sent else Retry)(self._without_secrets(str(error)))
        except Exception as error:  # whatever a client raises must not decide over the rest of the batch
            return Unknown(self._without_secrets(f"{type(error).__name__}: {error}"))
        answer = judge(response)
        return Sent(answer.receipt, parts) if isinstance(answer, Sent) else answer

    def _query(self, message: Message) -> tuple[dict[str, str], int]:
        """The parameters of ``sendsms``, and in how many parts the text goes."""
        config = self._config
        text = transliterate(readable_text(message.content.get("text", "")), config.transliterate)
        parts = split_text(text)
        if parts.count > config.most_parts:
            raise TextError(
                f"the text takes {parts.count} parts of an SMS, and most_parts allows {config.most_parts}: shorten it"
            )
        number = parse_number(message.address)
        query = {
            "username": config.username,
            "password": config.password,
            "to": number,
            "text": text,
            "charset": "UTF-8",
            "coding": "0" if parts.alphabet == "gsm-7" else "2",
            "validity": str(self._validity(message)),
        }
        if sender := sender_for(number, config.senders, config.sender):
            query["from"] = sender
        if config.smsc:
            query["smsc"] = config.smsc
        if self._tools.callback_url is not None and config.callback_secret is not None:
            query["dlr-mask"] = str(REPORT_MASK)
            query["dlr-url"] = report_url(
                self._tools.callback_url, self._tools.channel, message.key, config.callback_secret
            )
        return query, parts.count

    def _validity(self, message: Message) -> int:
        """Minutes for which the message may still go, so that a stale one does not wait at the operator."""
        left = max(1, math.ceil((message.expires / 1_000_000 - time.time()) / 60))
        return min(left, self._config.validity if self._config.validity is not None else _LONGEST_VALIDITY)

    def _without_secrets(self, reason: str) -> str:
        """A client's error may quote the address it called, which holds the password."""
        for secret in {self._config.password, quote(self._config.password, safe=""), quote_plus(self._config.password)}:
            if secret:
                reason = reason.replace(secret, "•••")
        return reason[:300]
