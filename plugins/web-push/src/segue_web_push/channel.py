"""The open channel: one POST to the push service for each message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from segue.api import Answer, BaseChannel, HttpError, Message, Rejected, Retry, Tools, Unknown
from segue_web_push.config import Config
from segue_web_push.encryption import encrypt
from segue_web_push.notification import ContentError, payload_of, topic_of, urgency_of
from segue_web_push.replies import judge
from segue_web_push.subscription import SubscriptionError, parse_subscription
from segue_web_push.vapid import Signer, load_key

__all__ = ["WebPushChannel"]


class WebPushChannel(BaseChannel):
    """Web push under one pair of keys."""

    def __init__(self, config: Config, tools: Tools) -> None:
        self._config = config
        self._tools = tools
        self._signer = Signer(load_key(config.private_key), config.subject)

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """Hand the messages over at the same time; no call's failure touches another's answer."""
        return await asyncio.gather(*(self._send(message) for message in messages))

    async def _send(self, message: Message) -> Answer:
        now = time.time()
        try:
            subscription = parse_subscription(message.address, self._config.other_services)
            body = encrypt(payload_of(message), subscription)
            headers = {
                "Authorization": self._signer.authorization(subscription.origin, now),
                "Content-Encoding": "aes128gcm",
                "Content-Type": "application/octet-stream",
                "TTL": str(self._keep(message, now)),
                "Topic": topic_of(message),
                "Urgency": urgency_of(message),
            }
        except SubscriptionError as error:
            return Rejected(str(error), address_gone=True)
        except ContentError as error:
            return Rejected(str(error))
        try:
            response = await self._tools.http.request(
                "POST", subscription.endpoint, headers=headers, body=body, timeout=self._config.timeout
            )
        except HttpError as error:
            return (Unknown if error.sent else Retry)(str(error)[:300])
        except Exception as error:  # whatever a client raises must not decide over the rest of the batch
            return Unknown(type(error).__name__)  # its text may hold the endpoint, which is the customer's secret
        return judge(response, now)

    def _keep(self, message: Message, now: float) -> int:
        """Seconds for which the push service may keep the message for a browser that is off: until the message is
        stale, whole seconds downwards."""
        return max(0, min(self._config.longest, int(message.expires / 1_000_000 - now)))
