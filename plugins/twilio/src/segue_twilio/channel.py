"""The open channel: one request to create a message for each."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from segue.api import (
    Answer,
    BaseChannel,
    Callback,
    Finding,
    HttpError,
    Message,
    Rejected,
    Request,
    Retry,
    Tools,
    Unknown,
)
from segue.api.sms import NumberError, TextError
from segue_twilio.account import judge_account, judge_callbacks
from segue_twilio.callbacks import address_of, read_callback
from segue_twilio.config import Config, RcsConfig
from segue_twilio.forms import Form
from segue_twilio.replies import judge

__all__ = ["TwilioChannel"]

Compose = Callable[[Message, float], Form]


class TwilioChannel(BaseChannel):
    """Messages by one Twilio account. ``compose`` makes the form of each, at a time in seconds since 1970."""

    def __init__(self, config: Config, tools: Tools, compose: Compose) -> None:
        self._config = config
        self._tools = tools
        self._compose = compose
        self._url = f"{config.url}/2010-04-01/Accounts/{config.account_sid}/Messages.json"
        credentials = base64.b64encode(f"{config.account_sid}:{config.auth_token}".encode()).decode()
        self._headers = {
            "Authorization": f"Basic {credentials}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """Hand the messages over at the same time; no call's failure touches another's answer."""
        return await asyncio.gather(*(self._send(message) for message in messages))

    async def receive(self, request: Request) -> Callback:
        tools, reads = self._tools, isinstance(self._config, RcsConfig)
        return read_callback(request, tools.callback_url, tools.channel, self._config.auth_token, reads=reads)

    async def examine(self) -> Sequence[Finding]:
        """Whether the account is active, and can report."""
        channel, tools = self._tools.channel, self._tools
        callbacks = judge_callbacks(channel, tools.callback_url)
        url = f"{self._config.url}/2010-04-01/Accounts/{self._config.account_sid}.json"
        headers = {name: self._headers[name] for name in ("Authorization", "Accept")}
        try:
            response = await tools.http.request("GET", url, headers=headers, timeout=self._config.timeout)
        except HttpError as error:
            found = f"Twilio cannot be reached: {str(error)[:200]}"
            return [Finding(channel, False, found, "let this machine call Twilio, or mend url"), callbacks]
        return [judge_account(channel, response), callbacks]

    async def _send(self, message: Message) -> Answer:
        now = time.time()
        try:
            form = self._compose(message, now)
        except NumberError as error:
            return Rejected(str(error), address_gone=True)
        except TextError as error:
            return Rejected(str(error))
        fields = dict(form.fields)
        if self._tools.callback_url is not None:
            fields["StatusCallback"] = address_of(self._tools.callback_url, self._tools.channel, message.key)
        try:
            body = urlencode(fields).encode("ascii")
        except UnicodeEncodeError:
            return Rejected("the content contains half a character (a lone surrogate)")
        try:
            response = await self._tools.http.request(
                "POST", self._url, headers=self._headers, body=body, timeout=self._config.timeout
            )
        except HttpError as error:
            return (Unknown if error.sent else Retry)(str(error)[:300])
        except Exception as error:  # whatever a client raises must not decide over the rest of the batch
            return Unknown(type(error).__name__)
        return judge(response, now, form.parts)
