"""The source: who may call, by Standard Webhooks or by a secret header, and what the call means.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, Final

from segue.api import Event, Instant, Received, Request, SourceTools
from segue.api.bodies import Refused, read_json
from segue.api.webhooks import answer, require_fresh, require_signed, secrets_of, sign, text_id
from segue_webhooks.mapping import Mapping, decoder
from segue_webhooks.settings import Config

__all__ = ["ROUTE", "WebhookSource"]

ROUTE: Final = "POST /hooks/{source}"
_PREFIX: Final = "whsec_"


class WebhookSource:
    """The webhooks of one tool."""

    def __init__(self, config: Config, tools: SourceTools) -> None:
        self._source = tools.source
        self._mapping = Mapping(config)
        self._header = config.header.lower()
        self._secrets: tuple[bytes, ...] = ()
        self._tokens: tuple[bytes, ...] = ()
        if bool(config.secret) == bool(config.header):
            raise ValueError(
                "give `secret` where the tool signs by Standard Webhooks; else `header` and `token`, and not both"
            )
        if config.header:
            self._tokens = tuple(token.encode() for token in secrets_of(config.token, "token"))
        else:
            self._secrets = tuple(_key(secret) for secret in secrets_of(config.secret))

    def receive(self, request: Request, now: Instant) -> Received:
        """Understand one call that arrived at ``now``."""
        return answer(request, now, lambda: self._events(request, now))

    def _events(self, request: Request, now: Instant) -> Iterator[Event]:
        if self._header:
            shown = request.headers.get(self._header)
            require_signed(self._tokens, [shown.encode()] if shown is not None else [])
            message_id, signed = None, now
        else:
            message_id, signed = self._verified(request, now)
        body: dict[str, Any] = read_json(request.body, decoder)
        if message_id is None:
            message_id = f"bytes-{blake2b(request.body, digest_size=16).hexdigest()}"
        yield self._mapping.event(body, self._source, message_id, signed)

    def _verified(self, request: Request, now: Instant) -> tuple[str, Instant]:
        """The id and the moment that were signed. Raises Refused."""
        sent, moment = request.headers.get("webhook-id"), request.headers.get("webhook-timestamp")
        if not sent or not moment:
            raise Refused("`webhook-id` or `webhook-timestamp` is missing: the tool has to sign its calls", 401)
        parts = sent.encode(), b".", moment.encode(), b".", request.body
        given = [
            signature.encode()
            for version, comma, signature in (
                one.partition(",") for one in request.headers.get("webhook-signature", "").split(" ")
            )
            if version == "v1" and comma
        ]
        require_signed((base64.b64encode(sign(secret, *parts)) for secret in self._secrets), given)
        require_fresh(moment, now)
        return text_id(sent, "webhook-id") or sent, Instant(min(int(moment) * 1_000_000, now))


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(
            "`secret` is no secret of Standard Webhooks: it is base64, most often behind `whsec_`"
        ) from None
