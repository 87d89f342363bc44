"""The open channel: one request for each message, all over one connection."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence

from segue.api import Answer, BaseChannel, HttpError, Message, Rejected, Retry, Tools, Unknown
from segue_push_apns.config import Config
from segue_push_apns.connection import Connection
from segue_push_apns.notification import ContentError, headers_of, payload_of
from segue_push_apns.provider import ProviderToken, load_key
from segue_push_apns.replies import judge, refusal_of

__all__ = ["ApnsChannel"]

_TOKEN = re.compile(r"[0-9A-Fa-f]{64,200}")


class ApnsChannel(BaseChannel):
    """App push for one app."""

    def __init__(self, config: Config, tools: Tools) -> None:
        self._config = config
        self._token = ProviderToken(load_key(config.private_key), config.key_id, config.team_id)
        try:
            self._connection = Connection(config.url, config.trusted, config.timeout)
        except OSError as error:
            raise ValueError(f"trusted cannot be read as certificates: {error}") from None

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """Hand the messages over at the same time; no call's failure touches another's answer."""
        return await asyncio.gather(*(self._send(message) for message in messages))

    async def close(self) -> None:
        await self._connection.close()

    async def _send(self, message: Message) -> Answer:
        now = time.time()
        if _TOKEN.fullmatch(message.address) is None:
            return Rejected("push_token is no device token of APNs in hexadecimal", address_gone=True)
        try:
            body = payload_of(message)
        except ContentError as error:
            return Rejected(str(error))
        token = self._token.current(now)
        headers = headers_of(message, self._config.bundle_id, now, self._config.longest)
        headers["authorization"] = f"bearer {token}"
        try:
            response = await self._connection.post(f"/3/device/{message.address.lower()}", headers, body)
        except HttpError as error:
            return (Unknown if error.sent else Retry)(str(error)[:300])
        except Exception as error:  # whatever a client raises must not decide over the rest of the batch
            return Unknown(type(error).__name__)
        if refusal_of(response) == "ExpiredProviderToken":
            self._token.renew(token, now)
        return judge(response, now)
