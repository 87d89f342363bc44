"""The open channel: one call of ``messages`` for each message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from segue.api import Answer, BaseChannel, Callback, HttpError, Message, Rejected, Request, Retry, Tools, Unknown
from segue.api.sms import NumberError
from segue_whatsapp.callbacks import read_callback
from segue_whatsapp.config import Config
from segue_whatsapp.content import ContentError, body_of
from segue_whatsapp.replies import judge

__all__ = ["WhatsAppChannel"]

_AGENT: Final = "Segue-WhatsApp/0.1.0"
"""Meta's description asks for a name, a slash, and a version of three numbers."""


class WhatsAppChannel(BaseChannel):
    """WhatsApp from one number."""

    def __init__(self, config: Config, tools: Tools) -> None:
        self._config = config
        self._http = tools.http
        self._url = f"{config.url}/{config.phone_number_id}/messages"

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """Hand the messages over at the same time; no call's failure touches another's answer."""
        return await asyncio.gather(*(self._send(message) for message in messages))

    async def receive(self, request: Request) -> Callback:
        return read_callback(request, self._config)

    async def _send(self, message: Message) -> Answer:
        try:
            body = body_of(message, self._config.language)
        except NumberError as error:
            return Rejected(str(error), address_gone=True)
        except ContentError as error:
            return Rejected(str(error))
        headers = {
            "Authorization": f"Bearer {self._config.access_token}",
            "Content-Type": "application/json",
            "User-Agent": _AGENT,
        }
        try:
            response = await self._http.request(
                "POST", self._url, headers=headers, body=body, timeout=self._config.timeout
            )
        except HttpError as error:
            return (Unknown if error.sent else Retry)(str(error)[:300])
        except Exception as error:  # whatever a client raises must not decide over the rest of the batch
            return Unknown(type(error).__name__)
        return judge(response, time.time())
