"""The source: Stripe's signature, and what its events mean.

Source: https://docs.stripe.com/webhooks#verify-manually
"""

from __future__ import annotations

from typing import Final

import msgspec

from segue.api import Event, Instant, Received, Request, SourceTools
from segue.api.bodies import Refused, read_json
from segue.api.shop import with_lines
from segue.api.webhooks import answer, require_fresh, require_signed, secrets_of, sign
from segue_stripe.mapping import UserId, events_of
from segue_stripe.objects import Envelope

__all__ = ["ROUTE", "Config", "StripeSource"]

ROUTE: Final = "POST /hooks/{source}"
_SIGNATURE: Final = "stripe-signature"
_ENVELOPE: Final = msgspec.json.Decoder(Envelope)


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings under ``[sources.stripe]``.

    ``secret`` is the signing secret of the endpoint (``whsec_…``), or several while it is changed. ``user_id`` says
    what the shop's own id of a customer is: ``id`` (Stripe's), ``email``, or ``reference`` (the ``client_reference_id``
    of a checkout, elsewhere the metadata's ``user_id``); when absent, customers are known by Stripe's id and their
    addresses.
    """

    secret: str | tuple[str, ...]
    user_id: UserId | None = None


class StripeSource:
    """The webhooks of one endpoint of a Stripe account."""

    def __init__(self, config: Config, tools: SourceTools) -> None:
        self._secrets = tuple(secret.encode() for secret in secrets_of(config.secret))
        self._source = tools.source
        self._user_id: UserId | None = config.user_id

    def receive(self, request: Request, now: Instant) -> Received:
        """Understand one call that arrived at ``now``. An event of a type that Segue does not read is taken and means
        nothing."""
        return answer(request, lambda: with_lines(self._events(request, now)))

    def _events(self, request: Request, now: Instant) -> tuple[Event, ...]:
        header = request.headers.get(_SIGNATURE, "")
        parts = [part.strip().partition("=") for part in header.split(",")]
        moments = [value for name, _, value in parts if name == "t"]
        if len(moments) != 1:
            raise Refused(_SIGNATURE, "is missing, or has no `t=…`: Stripe signs every call", status=401)
        given = [value.encode() for name, _, value in parts if name == "v1"]
        good = (sign(secret, moments[0].encode(), b".", request.body).hex().encode() for secret in self._secrets)
        require_signed(_SIGNATURE, good, given)
        require_fresh(_SIGNATURE, moments[0], now)
        return events_of(read_json(request.body, _ENVELOPE), self._source, self._user_id)
