"""From a row to an event, by the names of its columns.

``user_id``, ``anonymous_id``, ``event``, ``timestamp`` and ``message_id`` mean what they say; ``properties.total`` is a
field of the event, ``traits.first_name`` is known of the customer, ``ids.loyalty`` is a further identifier. A column of
another name is a field of the event in a file that has events, and a trait in a file that has none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from typing import Any, Final

import msgspec

from segue.api import Event, Instant
from segue.api.bodies import Refused, read_id
from segue.api.shop import order_lines
from segue_files.rows import Unreadable
from segue_files.times import Times

__all__ = ["Meaning", "content_id"]

_OWN: Final = {
    "userid": "user_id",
    "customerid": "user_id",
    "anonymousid": "anonymous_id",
    "previousid": "previous_id",
    "event": "event",
    "eventname": "event",
    "timestamp": "timestamp",
    "occurredat": "timestamp",
    "messageid": "message_id",
    "receivedat": "",
    "sentat": "",
    "originaltimestamp": "",
    "type": "",
}
"""Columns with a meaning of their own, without dashes and underscores; an empty one is passed over."""
_PREFIXES: Final = ("properties", "traits", "ids")
_LONGEST_NAME: Final = 1_000
_NO_NAME: Final = re.compile(r"\W+")
_PLAIN_NUMBER: Final = re.compile(r"-?\d{1,30}(\.\d{1,30})?")


class _Draft:
    """A row on its way to an event."""

    __slots__ = ("ids", "own", "properties", "traits")

    def __init__(self) -> None:
        self.own: dict[str, Any] = {}
        self.ids: dict[str, str] = {}
        self.properties: dict[str, Any] = {}
        self.traits: dict[str, Any] = {}


class Meaning:
    """What the columns of one file mean."""

    def __init__(
        self,
        columns: tuple[str, ...],
        *,
        source: str,
        event: str,
        times: Times,
        undated: Instant,
    ) -> None:
        """``event`` is the name of events whose rows name none, ``undated`` when rows without a time were true that
        bring traits only. Raises Unreadable where the columns make no events."""
        self._source = source
        self._event = event
        self._times = times
        self._undated = undated
        meant = {column: column.strip() for column in columns if column}
        owned = {_own_of(name) for name in meant.values()}
        self._happens = bool(event) or "event" in owned
        if not owned & {"user_id", "anonymous_id"} and not any(
            name.startswith("ids.") or name in ("ids", "email", "phone") or name in ("traits.email", "traits.phone")
            for name in map(str.lower, meant.values())
        ):
            raise Unreadable(
                "has no column that says whose its rows are: user_id, anonymous_id, ids.KIND, email or phone; "
                f"it has {_listed(columns)}"
            )
        self._places = {column: self._place_of(name) for column, name in meant.items()}

    def _place_of(self, name: str) -> tuple[str, str]:
        """Where a column goes: to the event itself, or under a name into one of its dictionaries."""
        own = _own_of(name)
        if own is not None:
            return ("own", own)
        prefix, dot, rest = name.partition(".")
        if dot and prefix in _PREFIXES and rest:
            return (prefix, rest)
        if name in _PREFIXES:
            return (name, "")
        plain = _NO_NAME.sub("_", name.lower()).strip("_") or name
        return ("properties" if self._happens else "traits", plain)

    def events_of(self, values: Mapping[str, Any]) -> tuple[Event, ...]:
        """The events of a row: one, and behind an order its lines. Raises Refused."""
        draft = _Draft()
        for column, value in values.items():
            kind, name = self._places.get(column, ("own", ""))
            if kind == "own":
                if name:
                    draft.own[name] = value
                continue
            if kind == "ids":
                self._put_ids(draft, name, value)
                continue
            target = draft.properties if kind == "properties" else draft.traits
            if name:
                _put(target, name, _read(value))
            elif isinstance(value := _read(value), dict):
                target.update(value)
            else:
                raise Refused(column, "should be an object")
        event = self._finish(draft)
        return (event, *order_lines(event))

    def _put_ids(self, draft: _Draft, name: str, value: Any) -> None:
        if name:
            draft.ids[name] = _id(value, f"ids.{name}")
        elif isinstance(value := _read(value), dict):
            draft.ids.update({str(kind): _id(one, f"ids.{kind}") for kind, one in value.items() if one is not None})

    def _finish(self, draft: _Draft) -> Event:
        own = draft.own
        name = str(own["event"]).strip() if "event" in own else self._event
        user = _id(own["user_id"], "user_id") if "user_id" in own else None
        anonymous = _id(own["anonymous_id"], "anonymous_id") if "anonymous_id" in own else None
        previous = _id(own["previous_id"], "previous_id") if "previous_id" in own else None
        if user is None and anonymous is None and not draft.ids and not draft.traits.keys() & {"email", "phone"}:
            raise Refused("user_id", "is empty, and so are anonymous_id, ids, email and phone: whose row is it?")
        if self._happens and not name:
            raise Refused("event", "is empty")
        if len(name) > _LONGEST_NAME:
            raise Refused("event", f"has {len(name):,} characters; it may have {_LONGEST_NAME:,}")
        if not name and not draft.traits and not draft.ids and previous is None:
            raise Refused("traits", "are all empty: the row brings nothing")
        written = own.get("timestamp")
        if written is None and name:
            raise Refused("timestamp", "is empty: when did it happen?")
        at = self._times.read(written, "timestamp") if written is not None else None
        message_id = own.get("message_id")
        return Event(
            message_id=_id(message_id, "message_id")
            if message_id is not None
            else content_id([name, user, anonymous, previous, draft.ids, at, draft.properties, draft.traits]),
            timestamp=at if at is not None else self._undated,
            source=self._source,
            name=name or None,
            user_id=user,
            anonymous_id=anonymous,
            previous_id=previous,
            ids=draft.ids,
            properties=draft.properties,
            traits=draft.traits,
        )


def _own_of(name: str) -> str | None:
    return _OWN.get(name.lower().replace("_", "").replace(" ", "").replace("-", ""))


def _listed(columns: tuple[str, ...]) -> str:
    shown = ", ".join(column[:40] for column in columns[:12])
    return shown if len(columns) <= 12 else f"{shown} and {len(columns) - 12:,} more"


def _put(target: dict[str, Any], name: str, value: Any) -> None:
    """Put a value under a name; a name with dots goes into objects within."""
    *outer, last = name.split(".")
    for one in outer[:8]:
        inner = target.setdefault(one, {})
        if not isinstance(inner, dict):
            raise Refused(one, "is both a value and an object")
        target = inner
    target[last] = value


def _read(value: Any) -> Any:
    """A cell as a value: text, unless it says true or false, or is a JSON list or object."""
    if not isinstance(value, str):
        return value
    if value[0] in "[{" and value[-1] in "]}":
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            return value
    lowered = value.lower() if len(value) <= 5 else value
    return lowered == "true" if lowered in ("true", "false") else value


def _id(value: Any, field: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Refused(field, "should be text or a number")
    found = read_id(value.strip() if isinstance(value, str) else value, field)
    if found is None:
        raise Refused(field, "is blank")
    return found


def content_id(parts: Any) -> str:
    """The id of a row that has none of its own: the same for the same content, however the file writes it."""
    digest = blake2b(msgspec.json.encode(_canonical(parts), order="sorted"), digest_size=16)
    return f"row-{digest.hexdigest()}"


def _canonical(value: Any) -> Any:
    match value:
        case bool() | None:
            return value
        case str():
            return _canonical_number(value) if _PLAIN_NUMBER.fullmatch(value) else value
        case int() | float():
            return _canonical_number(str(value))
        case list() | tuple():
            return [_canonical(one) for one in value]
        case dict():
            return {name: _canonical(one) for name, one in value.items() if one is not None}
        case _:
            return str(value)


def _canonical_number(text: str) -> str:
    """``60``, ``60.0`` and ``060`` are one number to the id of a row."""
    try:
        return format(Decimal(text).normalize(), "f")
    except InvalidOperation:
        return text
