"""What a source hands to Segue."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.api.values import Instant


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened, or became known, about one customer.

    ``name`` is the event as the source sends it (``Order Completed``); None where only traits came (identify).
    ``user_id`` is the shop's own id, ``anonymous_id`` a device's; an event with neither reaches journeys only
    through the field of a rule's ``per``. ``timestamp`` is when it happened, as the source says: where that lies in the
    future, Segue takes the event as of its arrival, and notices the clock. ``properties`` and ``traits`` are plain
    JSON objects; trait names are those of the vocabulary (``first_name``). ``message_id`` is unique to
    the source: the same id again is a duplicate, and changes nothing; one that somebody could guess, such as an
    order's number, begins with the source's name and a slash, as those of no other source that is called may.
    ``previous_id`` is set by alias: the id, a user's or a device's, that from now on is ``user_id``.
    ``ids`` are further identifiers by their kind, as in
    ``{"email": "ann@example.com", "loyalty": "F-1001", "shopify": "6501"}``: an event with none of the ids above finds
    its customer by them. Address traits (``email``, ``phone``, ``push_token`` …) identify too and need not be repeated.
    ``follows`` are for an event that has none of all these ids: the message ids of earlier events of the same customer,
    the order of a refund. The first of them that is known tells whose it is.
    """

    message_id: str
    timestamp: Instant
    source: str
    name: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    previous_id: str | None = None
    ids: dict[str, str] = {}
    follows: tuple[str, ...] = ()
    properties: dict[str, Any] = {}
    traits: dict[str, Any] = {}
