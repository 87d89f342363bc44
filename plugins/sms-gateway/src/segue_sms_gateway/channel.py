"""The open channel: one call of ``sendsms`` for each message."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import quote, quote_plus

from segue.api import Answer, BaseChannel, Callback, HttpError, Message, Rejected, Request, Retry, Tools, Unknown
from segue.api.sms import NumberError, TextError, alphabet_of, count_parts, parse_number, readable_text
from segue_sms_gateway.callbacks import REPORT_MASK, read_callback, report_url
from segue_sms_gateway.config import Config
from segue_sms_gateway.replies import judge


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
            query = self._query(message)
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
        return judge(response)

    def _query(self, message: Message) -> dict[str, str]:
        config = self._config
        text = readable_text(message.content.get("text", ""))
        parts = count_parts(text)
        if parts > config.most_parts:
            raise TextError(
                f"the text takes {parts} parts of an SMS, and most_parts allows {config.most_parts}: shorten it"
            )
        query = {
            "username": config.username,
            "password": config.password,
            "to": parse_number(message.address),
            "text": text,
            "charset": "UTF-8",
            "coding": "0" if alphabet_of(text) == "gsm-7" else "2",
        }
        if config.sender:
            query["from"] = config.sender
        if config.smsc:
            query["smsc"] = config.smsc
        if config.validity is not None:
            query["validity"] = str(config.validity)
        if self._tools.callback_url is not None and config.callback_secret is not None:
            query["dlr-mask"] = str(REPORT_MASK)
            query["dlr-url"] = report_url(
                self._tools.callback_url, self._tools.channel, message.key, config.callback_secret
            )
        return query

    def _without_secrets(self, reason: str) -> str:
        """A client's error may quote the address it called, which holds the password."""
        for secret in {self._config.password, quote(self._config.password, safe=""), quote_plus(self._config.password)}:
            if secret:
                reason = reason.replace(secret, "•••")
        return reason[:300]
