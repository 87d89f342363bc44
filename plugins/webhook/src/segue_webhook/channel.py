"""The open channels: one POST for each message.

The form is that of Standard Webhooks: a body with ``type`` and ``data``, and three headers. The ``webhook-id`` is the
message's key, which stays the same when a message is called again; so a receiver that keeps the ids it saw takes each
message once.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from segue.api import (
    Answer,
    BaseChannel,
    ForbiddenAddress,
    HttpError,
    Message,
    Rejected,
    Retry,
    Tools,
    Unknown,
)
from segue.api.webhooks import standard_signature
from segue_webhook.config import Config, CustomerConfig, is_url
from segue_webhook.replies import Judge

__all__ = ["CustomerWebhookChannel", "WebhookChannel", "body_of"]

LARGEST = 256_000
"""Bytes of a body; Standard Webhooks asks for 20 KB and less."""


class _Posting(BaseChannel, ABC):
    """What both channels do with a message once its address is known."""

    def __init__(self, config: CustomerConfig, tools: Tools) -> None:
        self._config = config
        self._http = tools.guarded(config.allow)
        self._keys = config.keys()
        self._judge = Judge(config.ok, config.error)

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """Hand the messages over at the same time; no call's failure touches another's answer."""
        return await asyncio.gather(*(self._send(message) for message in messages))

    @abstractmethod
    async def _send(self, message: Message) -> Answer:
        """Find the address, and `_post`."""

    async def _post(self, message: Message, url: str, *, ours: bool) -> Answer:
        """``ours``: the address stands in the settings, where the operator can put it right."""
        try:
            body = body_of(message)
        except UnicodeEncodeError:
            return Rejected("the content contains half a character (a lone surrogate)")
        if len(body) > LARGEST:
            return Rejected(f"the message takes {len(body):,} bytes, and a webhook takes {LARGEST:,}: shorten the text")
        now = time.time()
        stamp = str(int(now))
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message.key,
            "webhook-timestamp": stamp,
            "webhook-signature": " ".join(standard_signature(key, message.key, stamp, body) for key in self._keys),
        }
        try:
            response = await self._http.request("POST", url, headers=headers, body=body, timeout=self._config.timeout)
        except ForbiddenAddress as error:
            if ours:
                return Retry(f"{error}: if it is meant, set allow")
            return Rejected(str(error)[:300])
        except HttpError as error:
            return (Unknown if error.sent else Retry)(str(error)[:300])
        except Exception as error:  # whatever a client raises must not decide over the rest of the batch
            return Unknown(type(error).__name__)  # its text may hold the address, and the address a key
        return self._judge(response, now, ours=ours)


class WebhookChannel(_Posting):
    """To the address in the settings, or the one that a message names."""

    def __init__(self, config: Config, tools: Tools) -> None:
        super().__init__(config, tools)
        self._url = config.url

    async def _send(self, message: Message) -> Answer:
        named = message.content.get("url", "").strip()
        if named:
            if not is_url(named, self._config.https_only):
                return Rejected(_no_address("the message's url", self._config.https_only))
            return await self._post(message, named, ours=False)
        if not self._url:
            return Rejected("the message names no url, and there is none in the settings")
        return await self._post(message, self._url, ours=True)


class CustomerWebhookChannel(_Posting):
    """To the address of each customer."""

    async def _send(self, message: Message) -> Answer:
        if not is_url(message.address, self._config.https_only):
            return Rejected(_no_address("webhook_url", self._config.https_only), address_gone=True)
        return await self._post(message, message.address, ours=False)


def body_of(message: Message) -> bytes:
    """The body: always the same bytes for the same message, so that a receiver may compare them. Raises
    UnicodeEncodeError."""
    content = {name: part for name, part in message.content.items() if name not in {"url", "type"} and part.strip()}
    expires = datetime.fromtimestamp(message.expires // 1_000_000, UTC)
    data: dict[str, object] = {
        "customer": message.customer,
        "channel": message.channel,
        "kind": message.kind,
        "rule": message.rule,
        "expires": f"{expires:%Y-%m-%dT%H:%M:%SZ}",
        "content": content,
    }
    if message.unsubscribe is not None:
        data["unsubscribe"] = message.unsubscribe
    return msgspec.json.encode({"type": message.content.get("type", "").strip() or message.name, "data": data})


def _no_address(what: str, https_only: bool) -> str:
    return f"{what} is no address of {'https' if https_only else 'http or https'} without a user and a fragment"
