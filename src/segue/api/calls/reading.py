"""From a decoded call to the event that Segue takes.

Pure: the same bytes, received at the same instant, give the same event.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, Final

from segue.api.bodies import LONGEST_ID, Refused, clean, read_id, read_timestamp
from segue.api.calls.timestamps import Written, corrected, not_after_arrival
from segue.api.calls.traits import customer_traits
from segue.api.calls.wire import LARGEST_CALL, Call, Context, decode_call
from segue.api.events import Event
from segue.api.shop import item_ids, order_lines
from segue.api.values import Instant

__all__ = ["TYPES", "event_of", "happened_at", "message_id_of", "read_call", "unknown_type"]


def happened_at(call: Call, sent: Written, received: Instant) -> Instant:
    """When the call happened, by our clock. ``sent`` is the batch's ``sentAt``, for a call without its own."""
    field = "timestamp" if call.original_timestamp is None else "originalTimestamp"
    written = call.timestamp if call.original_timestamp is None else call.original_timestamp
    sent = call.sent_at if call.sent_at is not None else sent
    sent_at = None if sent is None else read_timestamp(sent, "sentAt")
    if written is None:
        return received
    return corrected(read_timestamp(written, field), sent_at, received)


def message_id_of(call: Call, raw: bytes, place: int, sent: Written, received: Instant) -> str:
    """The call's ``messageId``; without one, a hash of its bytes, so that the same bytes posted again are a duplicate.

    Bytes without any time in them do not tell a repeated post from a second, equal happening. These are
    taken as new at each arrival: an order too many can be seen, one that was swallowed cannot.
    """
    if (own := read_id(call.message_id, "messageId")) is not None:
        return own
    digest = blake2b(raw, digest_size=16)
    if call.timestamp is None and call.original_timestamp is None and call.sent_at is None:
        digest.update(b"\0%d\0%s" % (place, str(received if sent is None else sent).encode()))
    return f"bytes-{digest.hexdigest()}"


def read_call(
    raw: bytes,
    source: str,
    now: Instant,
    *,
    arrived: Instant | None = None,
    key: str | None = None,
    most: int = LARGEST_CALL,
) -> tuple[Event, ...]:
    """The event of one call as a message of a queue or a line of a file holds it and, of an order, each of its lines.

    ``arrived`` is when whoever kept it since got it; only by that moment can the client's clock be put right. ``key``
    is the message id of a call without its own: where it stands. Raises Refused.
    """
    raw = clean(raw)
    call = decode_call(raw, most)
    if call.type not in TYPES:
        raise unknown_type(call.type)
    got = now if arrived is None else min(arrived, now)
    if arrived is None and call.sent_at is not None:
        call.sent_at = None
    timestamp = not_after_arrival(happened_at(call, None, got), got, now)
    own = read_id(call.message_id, "messageId")
    message_id = own if own is not None else key if key is not None else message_id_of(call, raw, 0, None, got)
    event = event_of(call, call.type, message_id, timestamp, source)
    return (event, *order_lines(event))


def unknown_type(sent: str | None) -> Refused:
    """The refusal of a call whose type is none of ours."""
    problem = "is missing" if sent is None else f"is {sent[:40]!r}"
    return Refused("type", f"{problem}: it must be one of {', '.join(TYPES)}")


def event_of(
    call: Call, kind: str, message_id: str, timestamp: Instant, source: str, context: Context | None = None
) -> Event:
    """The event that a call of type ``kind`` means. ``context`` is the batch's, for a call without its own. Raises
    Refused where something is missing."""
    return TYPES[kind](call, message_id, timestamp, source, call.context if call.context is not None else context)


def _track(call: Call, message_id: str, timestamp: Instant, source: str, context: Context | None) -> Event:
    name = (call.event or "").strip()
    if not name:
        raise Refused("event", "is missing: a track call names its event, as text")
    if len(name) > LONGEST_ID:
        raise Refused("event", f"has {len(name):,} characters; it may have {LONGEST_ID:,}")
    user, anonymous = read_id(call.user_id, "userId"), read_id(call.anonymous_id, "anonymousId")
    properties = call.properties if call.properties is not None else {}
    # Without a customer an event can still reach journeys by the field of their rule's `per` (back in stock); without a
    # field it cannot reach anyone, and somebody forgot something.
    ids = _external_ids(context)
    if user is None and anonymous is None and not properties and not ids:
        raise _nobody()
    if "products" in properties and "items" not in properties:
        items = item_ids(properties["products"])
        if items:
            properties["items"] = items
    return Event(
        message_id=message_id,
        timestamp=timestamp,
        source=source,
        name=name,
        user_id=user,
        anonymous_id=anonymous,
        ids=ids,
        properties=properties,
        traits=customer_traits(context, call.traits),
    )


def _identify(call: Call, message_id: str, timestamp: Instant, source: str, context: Context | None) -> Event:
    traits = customer_traits(context, call.traits)
    user, anonymous, ids = _someone(call, context, traits)
    return Event(
        message_id=message_id,
        timestamp=timestamp,
        source=source,
        user_id=user,
        anonymous_id=anonymous,
        ids=ids,
        traits=traits,
    )


def _page(call: Call, message_id: str, timestamp: Instant, source: str, context: Context | None) -> Event:
    return _view(call, "page_viewed", message_id, timestamp, source, context)


def _screen(call: Call, message_id: str, timestamp: Instant, source: str, context: Context | None) -> Event:
    return _view(call, "screen_viewed", message_id, timestamp, source, context)


def _view(call: Call, name: str, message_id: str, timestamp: Instant, source: str, context: Context | None) -> Event:
    user, anonymous, ids = _someone(call, context)
    properties = call.properties if call.properties is not None else {}
    if call.name:
        properties["name"] = call.name
    if call.category:
        properties["category"] = call.category
    page = None if context is None else context.page
    if page is not None:
        for field in page.__struct_fields__:
            value = getattr(page, field)
            if value is not None:
                properties.setdefault(field, value)
    return Event(
        message_id=message_id,
        timestamp=timestamp,
        source=source,
        name=name,
        user_id=user,
        anonymous_id=anonymous,
        ids=ids,
        properties=properties,
        traits=customer_traits(context, None),
    )


def _group(call: Call, message_id: str, timestamp: Instant, source: str, context: Context | None) -> Event:
    user, anonymous, ids = _someone(call, context)
    group = read_id(call.group_id, "groupId")
    if group is None:
        raise Refused("groupId", "is missing: a group call names the group")
    # The traits of a group call are the group's, not the customer's: they are fields of the event.
    return Event(
        message_id=message_id,
        timestamp=timestamp,
        source=source,
        name="group_joined",
        user_id=user,
        anonymous_id=anonymous,
        ids=ids,
        properties={**(call.traits or {}), "group_id": group},
        traits={**customer_traits(context, None), "group_id": group},
    )


def _alias(call: Call, message_id: str, timestamp: Instant, source: str, context: Context | None) -> Event:
    user, previous = read_id(call.user_id, "userId"), read_id(call.previous_id, "previousId")
    if previous is None:
        raise Refused("previousId", "is missing: an alias call names the id that was used so far")
    if user is None:
        raise Refused("userId", "is missing: an alias call names the id that counts from now on")
    return Event(
        message_id=message_id,
        timestamp=timestamp,
        source=source,
        user_id=user,
        previous_id=previous,
        ids=_external_ids(context),
        traits=customer_traits(context, None),
    )


TYPES: dict[str, Callable[[Call, str, Instant, str, Context | None], Event]] = {
    "track": _track,
    "identify": _identify,
    "page": _page,
    "screen": _screen,
    "group": _group,
    "alias": _alias,
}
"""What each type of call becomes."""


def _someone(
    call: Call, context: Context | None, traits: Mapping[str, Any] | None = None
) -> tuple[str | None, str | None, dict[str, str]]:
    """The ids of a call, of which it must have one; an address among its ``traits`` is one too."""
    user, anonymous = read_id(call.user_id, "userId"), read_id(call.anonymous_id, "anonymousId")
    ids = _external_ids(context)
    if user is None and anonymous is None and not ids and not (traits and any(traits.get(one) for one in _ADDRESSES)):
        raise _nobody()
    return user, anonymous, ids


_ADDRESSES: Final = ("email", "phone", "push_token", "web_push_token")
_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,99}")


def _external_ids(context: Context | None) -> dict[str, str]:
    """Further ids by kind: ``ios.push_token`` is a push token, and ``customer-no`` is written ``customer_no``. The last
    of a kind stands.

    Source: https://segment.com/docs/unify/identity-resolution/externalids/
    """
    sent = context.external_ids if context is not None else None
    found: dict[str, str] = {}
    for one in sent if isinstance(sent, list) else ():
        if not isinstance(one, dict) or one.get("collection") not in (None, "users"):
            continue
        kind, value = one.get("type"), one.get("id")
        if isinstance(value, bool) or not isinstance(kind, str) or not isinstance(value, str | int | float):
            continue
        name = re.sub(r"[^a-z0-9_]+", "_", kind.strip().lower())
        if name.endswith("_push_token") and name != "web_push_token":
            name = "push_token"
        known = read_id(value, "context.externalIds")
        if known is not None and _KIND.fullmatch(name):
            found[name] = known
    return found


def _nobody() -> Refused:
    return Refused("userId", "is missing, and so is `anonymousId`: one of them says whose call it is")
