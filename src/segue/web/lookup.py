"""The shop floor: someone with a read key asks who a customer is, by what the customer says or shows.

The identifier stands in the body, never in the address, where it would end up in the logs of everything in between.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Annotated, Final

import msgspec

from segue.api import Request, Response, to_rfc3339
from segue.host.readers import Reader, Readers
from segue.runtime.card import Card
from segue.runtime.floor import Sought
from segue.web.answers import json_answer, problem, unavailable
from segue.web.endpoints import Answering, Endpoint

__all__ = ["LookUp", "look_up_endpoint"]

LookUp = Callable[[Reader, Sought], Awaitable[Card | str | None]]
"""Find a customer for a reader, and record that they looked: the card as the reader may see it, a sentence where the
question itself is wrong (a code that has expired), None where there is no such customer."""

LARGEST: Final = 4096
"""Bytes of a question."""
_HEADERS: Final = {"cache-control": "no-store"}
_MINUTE: Final = 60.0


class Question(msgspec.Struct, forbid_unknown_fields=True):
    """What a till sends: one of these. ``code`` is what a signed QR code holds; ``kind`` and ``id`` name an identifier
    of the shop's own (``loyalty``)."""

    phone: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    email: Annotated[str, msgspec.Meta(min_length=1, max_length=320)] | None = None
    customer: Annotated[str, msgspec.Meta(min_length=1, max_length=500)] | None = None
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)] | None = None
    kind: Annotated[str, msgspec.Meta(min_length=1, max_length=60)] | None = None
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=500)] | None = None


_read: Final = msgspec.json.Decoder(Question).decode


def look_up_endpoint(readers: Readers, look_up: LookUp, clock: Callable[[], float] = time.monotonic) -> Endpoint:
    """``POST /v1/customers/lookup``."""
    return Endpoint(
        ("POST",), "/v1/customers/lookup", _answering(readers, look_up, _Pace(clock)), owner="readers", most=LARGEST
    )


def _answering(readers: Readers, look_up: LookUp, pace: _Pace) -> Answering:
    async def answer(request: Request) -> Response:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        reader = readers.admit(key.strip()) if scheme.lower() == "bearer" else None
        if reader is None:
            return problem(
                401,
                "unauthorized",
                "a read key is needed: send `Authorization: Bearer KEY`, with the key of one of [readers.NAME] in "
                "segue.toml",
                {"www-authenticate": 'Bearer realm="customers"', **_HEADERS},
            )
        wait = pace.wait(reader)
        if wait:
            busy = unavailable(f"{reader.name} may ask {reader.per_minute} times a minute", wait)
            return msgspec.structs.replace(busy, status=429)
        try:
            sought = _sought(_read(request.body))
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            return problem(400, "invalid", f"the question cannot be read: {error}", _HEADERS)
        if isinstance(sought, str):
            return problem(400, "invalid", sought, _HEADERS)
        found = await look_up(reader, sought)
        if isinstance(found, str):
            return problem(400, "invalid", found, _HEADERS)
        if found is None:
            what = "id" if sought.kind == "customer" else sought.kind
            return problem(404, "not_found", f"nobody is known by that {what}", _HEADERS)
        return json_answer(200, card_as_json(found), _HEADERS)

    return answer


def _sought(question: Question) -> Sought | str:
    given = [
        Sought(name, value)
        for name in ("phone", "email", "customer", "code")
        if (value := getattr(question, name)) is not None
    ]
    if question.kind is not None and question.id is not None:
        given.append(Sought(question.kind, question.id))
    elif question.kind is not None or question.id is not None:
        return 'an identifier of the shop needs both: {"kind": "loyalty", "id": "F-1001"}'
    if len(given) != 1:
        return 'ask by one of these: phone, email, customer, code, or kind and id, as in {"phone": "+358 40 1234567"}'
    return given[0]


class _Pace:
    """How often each reader asked in the last minute: nobody reads out a whole customer base through a till's key."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._asked: dict[str, deque[float]] = {}

    def wait(self, reader: Reader) -> float:
        """Seconds until the reader may ask again; 0 where they may now, and that counts."""
        now = self._clock()
        asked = self._asked.setdefault(reader.name, deque())
        while asked and asked[0] <= now - _MINUTE:
            asked.popleft()
        if len(asked) >= reader.per_minute:
            return asked[0] + _MINUTE - now
        asked.append(now)
        return 0.0


def card_as_json(card: Card) -> dict[str, object]:
    """A card as the look-up and ``segue customer show --json`` give it: instants in RFC 3339, money as text."""
    purchases = card.purchases
    return {
        "customer": card.customer,
        "traits": card.traits,
        "zone": card.zone,
        "reach": {name: {"reached": reason is None, "reason": reason} for name, reason in card.reach.items()},
        "segments": card.segments,
        "inside": [
            {
                "rule": one.rule,
                "since": to_rfc3339(one.since),
                "step": one.step,
                "until": to_rfc3339(one.until) if one.until is not None else None,
            }
            for one in card.inside
        ],
        "orders": {
            "count": purchases.orders,
            "first": to_rfc3339(purchases.first) if purchases.first is not None else None,
            "last": to_rfc3339(purchases.last) if purchases.last is not None else None,
            "totals": {currency: str(amount) for currency, amount in purchases.totals.items()},
            "newest": [
                {
                    "at": to_rfc3339(order.at),
                    "order_id": order.order_id,
                    "total": str(order.total.amount) if order.total is not None else None,
                    "currency": order.total.currency if order.total is not None else None,
                    "refunded": str(order.refunded) if order.refunded else None,
                    "items": order.items,
                }
                for order in purchases.newest
            ],
        },
        "messages": [
            {
                "at": to_rfc3339(one.at),
                "rule": one.rule,
                "channel": one.channel,
                "message": one.message,
                "state": one.state,
                "reason": one.reason or None,
            }
            for one in card.messages
        ],
        "events": [{"at": to_rfc3339(one.at), "event": one.event, "fields": one.fields} for one in card.happened],
    }
