"""The open channel: one ``messages:send`` for each message."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence

from segue.api import Answer, BaseChannel, HttpError, Message, Rejected, Retry, Tools, Unknown
from segue_push_fcm.account import TokenError, Tokens, read_account
from segue_push_fcm.config import Config
from segue_push_fcm.notification import ContentError, body_of
from segue_push_fcm.replies import judge

__all__ = ["FcmChannel"]

_TOKEN = re.compile(r"[A-Za-z0-9_:.%~=-]{1,4096}")


class FcmChannel(BaseChannel):
    """App push for one Firebase project."""

    def __init__(self, config: Config, tools: Tools) -> None:
        account, key = read_account(config.service_account)
        self._config = config
        self._http = tools.http
        self._tokens = Tokens(account, key, tools.http)
        self._url = f"{config.url}/v1/projects/{account.project_id}/messages:send"

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """Hand the messages over at the same time; no call's failure touches another's answer."""
        return await asyncio.gather(*(self._send(message) for message in messages))

    async def _send(self, message: Message) -> Answer:
        now = time.time()
        if _TOKEN.fullmatch(message.address) is None:
            return Rejected("push_token is no registration token of FCM", address_gone=True)
        try:
            body = body_of(message, now, self._config.longest, self._config.android_channel)
        except ContentError as error:
            return Rejected(str(error))
        try:
            token = await self._tokens.current(now)
        except (TokenError, HttpError) as error:  # nothing of the message has left yet
            return Retry(str(error)[:300])
        except Exception as error:
            return Retry(f"no access token: {type(error).__name__}")
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json; charset=utf-8"}
        try:
            response = await self._http.request(
                "POST", self._url, headers=headers, body=body, timeout=self._config.timeout
            )
        except HttpError as error:
            return (Unknown if error.sent else Retry)(str(error)[:300])
        except Exception as error:  # whatever a client raises must not decide over the rest of the batch
            return Unknown(type(error).__name__)
        if response.status == 401:
            self._tokens.forget(token)
        return judge(response, now)
