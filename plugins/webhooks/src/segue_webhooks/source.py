"""The source: who may call, by Standard Webhooks or by a secret header, and what the call means.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

from typing import Final

from segue.api import Event, Instant, Received, Request, SourceTools
from segue.api.bodies import Refused, read_id
from segue.api.mapping import Reader
from segue.api.webhooks import answer, require_fresh, require_signed, secrets_of, standard_key, standard_signature
from segue_webhooks.settings import Config

__all__ = ["LARGEST", "ROUTE", "WebhookSource"]

ROUTE: Final = "POST /hooks/{source}"
LARGEST: Final = 500_000
"""Bytes of a body."""
_ID: Final = "webhook-id"
_TIMESTAMP: Final = "webhook-timestamp"
_SIGNATURE: Final = "webhook-signature"


class WebhookSource:
    """The webhooks of one tool."""

    def __init__(self, config: Config, tools: SourceTools) -> None:
        self._reader = Reader(config.map, tools.source, LARGEST)
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
            self._secrets = tuple(standard_key(secret) for secret in secrets_of(config.secret))

    def receive(self, request: Request, now: Instant) -> Received:
        """Understand one call that arrived at ``now``."""
        return answer(request, lambda: self._events(request, now))

    def _events(self, request: Request, now: Instant) -> tuple[Event, ...]:
        if self._header:
            shown = request.headers.get(self._header)
            require_signed(self._header, self._tokens, [shown.encode()] if shown is not None else [])
            return self._reader.read(request.body, now)
        message_id, signed = self._verified(request, now)
        return self._reader.read(request.body, now, arrived=signed, key=message_id)

    def _verified(self, request: Request, now: Instant) -> tuple[str, Instant]:
        """The id and the moment that were signed. Raises Refused."""
        sent, moment = request.headers.get(_ID), request.headers.get(_TIMESTAMP)
        if not sent or not moment:
            raise Refused(_TIMESTAMP if sent else _ID, "is missing: the tool has to sign its calls", status=401)
        given = [one.encode() for one in request.headers.get(_SIGNATURE, "").split(" ") if one.startswith("v1,")]
        good = (standard_signature(secret, sent, moment, request.body).encode() for secret in self._secrets)
        require_signed(_SIGNATURE, good, given)
        require_fresh(_TIMESTAMP, moment, now)
        return read_id(sent, _ID) or sent, Instant(min(int(moment) * 1_000_000, now))
