"""Payloads of one's own, and the events they become, as ``segue.toml`` says it.

One language for every source whose payloads are JSON, or rows of a table: webhooks, brokers, files. Without a mapping a
payload is a Segment-style call (`segue.api.calls`)::

    [sources.orders.map]
    event  = "$.type"
    names  = { "order.created" = "ordered" }
    ignore = ["ping"]
    id     = "$.id"
    time   = "$.order.placed_at"
    user   = "$.order.customer.id"
    ids    = { email = "$.order.customer.email" }
    fields = { order_id = "$.order.number", total = "$.order.total | number", items = "$.order.lines[*].sku" }
    traits = { email = "$.order.customer.email" }

A text that begins with ``$`` is a path into the payload, in the notation of JSONPath (RFC 9535) as far as it names one
place (``$.a.b``, ``$['a b']``, ``$.a[0]``) or all items of a list (``[*]``); any other text stands for itself. Behind a
path ``| number``, ``| text``, ``| boolean``, ``| hundredths`` (5990 is 59.90) and ``| json`` (a text that holds JSON)
say what the value is to be.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as Mapped
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from typing import Any, Final

import msgspec

from segue.api.bodies import LONGEST_ID, Refused, clean, read_id, read_json, read_timestamp
from segue.api.calls import LARGEST_CALL, decode_json, not_after_arrival, read_call
from segue.api.events import Event
from segue.api.shop import item_ids, order_lines
from segue.api.sources import Fetched, Rejection
from segue.api.values import Instant

__all__ = ["Gathering", "Mapping", "Reader"]

_MOST_EVENTS: Final = 1000
"""Events of one payload, by ``each``."""

_STEP: Final = re.compile(r"\.([^.\[\]|\s'\"]+)|\[(\d{1,6})\]|\[(\*)\]|\['([^'\]]*)'\]|\[\"([^\"\]]*)\"\]")
_ALL: Final = object()
_MISSING: Final = object()

_ANY: Final = msgspec.json.Decoder(Any)
_YES: Final = frozenset({"true", "yes", "y", "1", "on"})
_NO: Final = frozenset({"false", "no", "n", "0", "off"})


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What of a payload is what. Each is a text that stands for itself, or a path.

    ``event``   the event's name; without one a payload brings traits only
    ``names``   other names for events, as they come: ``{ "order.created" = "ordered" }``; the rest stay as they are
    ``ignore``  names of events, as they come, that are passed over
    ``each``    a path to a list: every item of it is a payload of its own
    ``id``      the message id, the same when the payload comes again; without one, where the source says it stands
    ``time``    when it happened, in RFC 3339 or Unix time; without one, when it arrived
    ``user``, ``device``, ``ids``  whose it is: the shop's own id, a device's, and further ids by their kind
    ``fields``  the event's fields by name; without any, the whole payload
    ``lines``   its ``products``: ``each`` is the path of the list, the others are the fields of a line, with paths that
                begin there
    ``traits``  the customer's traits by name
    """

    event: str = ""
    names: dict[str, str] = {}
    ignore: tuple[str, ...] = ()
    each: str = ""
    id: str = ""
    time: str = ""
    user: str = ""
    device: str = ""
    ids: dict[str, str] = {}
    fields: dict[str, str] = {}
    lines: dict[str, str] = {}
    traits: dict[str, str] = {}

    def __post_init__(self) -> None:
        _Plan(self)


class Reader:
    """Reads the payloads of one source, by its mapping; with None they are Segment-style calls."""

    def __init__(self, mapping: Mapping | None, source: str, most: int = LARGEST_CALL) -> None:
        self._plan = _Plan(mapping) if mapping is not None else None
        self._source = source
        self._most = most

    def read(
        self, raw: bytes, now: Instant, *, arrived: Instant | None = None, key: str | None = None
    ) -> tuple[Event, ...]:
        """The events of one payload. ``arrived`` is when whoever kept it since got it, ``key`` where it stands
        (``kafka:orders/0/4711``): the message id where the payload names none. Raises Refused."""
        if self._plan is None:
            return read_call(raw, self._source, now, arrived=arrived, key=key, most=self._most)
        raw = clean(raw)
        payload = decode_json(raw, self._most)
        if key is None:
            key = f"bytes-{blake2b(raw, digest_size=16).hexdigest()}"
        return self.read_value(payload, now, arrived=arrived, key=key)

    def read_value(self, payload: Any, now: Instant, *, arrived: Instant | None = None, key: str) -> tuple[Event, ...]:
        """The events of a payload that is read already, such as a row of a table. Raises Refused."""
        plan = self._plan
        if plan is None:
            return self.read(msgspec.json.encode(payload), now, arrived=arrived, key=key)
        got = now if arrived is None else min(arrived, now)
        if plan.each is None:
            return self._events(plan, payload, got, now, key)
        items = plan.each.find(payload)
        if not isinstance(items, list):
            raise Refused(plan.each.text, "is no list: `each` says that every item of it is an event")
        if len(items) > _MOST_EVENTS:
            raise Refused(plan.each.text, f"has {len(items):,} items; it may have {_MOST_EVENTS:,}")
        return tuple(
            event for n, item in enumerate(items) for event in self._events(plan, item, got, now, f"{key}/{n}")
        )

    def _events(self, plan: _Plan, payload: Any, got: Instant, now: Instant, key: str) -> tuple[Event, ...]:
        if not isinstance(payload, dict):
            raise Refused("body", "is no JSON object: a payload that a mapping reads has named values")
        name = plan.name(payload)
        if name is not None and name in plan.ignored:
            return ()
        user, device, ids = plan.identifier("user", payload), plan.identifier("device", payload), plan.ids(payload)
        traits = plan.traits(payload)
        if plan.says_who and user is None and device is None and not ids:
            places = " or ".join(f"`{value.text}`" for value in plan.who)
            raise Refused("map", f"finds nobody: the payload has no {places}, and so does not say whose event it is")
        fields = plan.fields(payload)
        if "products" in fields and "items" not in fields and (items := item_ids(fields["products"])):
            fields["items"] = items
        own = plan.identifier("id", payload)
        event = Event(
            message_id=own if own is not None else key,
            timestamp=not_after_arrival(plan.time(payload, got), got, now),
            source=self._source,
            name=plan.names.get(name, name) if name is not None else None,
            user_id=user,
            anonymous_id=device,
            ids=ids,
            properties=fields if name is not None else {},
            traits=traits,
        )
        return (event, *order_lines(event))


class Gathering:
    """What one fetch brings together: each payload becomes events, or a rejection beside them."""

    def __init__(self, reader: Reader, now: Instant) -> None:
        self._reader = reader
        self._now = now
        self._events: list[Event] = []
        self._rejections: list[Rejection] = []

    def take(self, raw: bytes, *, place: str, key: str | None, arrived: Instant | None = None) -> None:
        """One payload. ``place`` finds it again, for whoever reads of its rejection; ``key`` and ``arrived`` are as in
        `Reader.read`."""
        try:
            self._events += self._reader.read(raw, self._now, arrived=arrived, key=key)
        except Refused as refused:
            self.reject(refused.describe(), place, raw)

    def reject(self, reason: str, place: str, raw: bytes = b"") -> None:
        """One that is no payload at all."""
        self._rejections.append(Rejection(reason=reason, place=place, raw=raw))

    def fetched(self, position: str | None = None, again: float = 0.0) -> Fetched:
        """Everything, to hand over."""
        return Fetched(events=tuple(self._events), rejections=tuple(self._rejections), position=position, again=again)


class _Value:
    """A text of a mapping, understood: something fixed, or a path with what its value is to be."""

    def __init__(self, where: str, text: str) -> None:
        self.where = where
        self.text = text
        self.steps: tuple[object, ...] | None = None
        self._turn: Callable[[Any], Any] | None = None
        if not text.startswith("$"):
            return
        path, *turns = (part.strip() for part in text.split("|"))
        self.text = path
        self.steps = _steps(where, path)
        if len(turns) > 1:
            raise ValueError(f"`{where}` has more than one `|`: a path is followed by one of {', '.join(_TURNS)}")
        if turns:
            if turns[0] not in _TURNS:
                raise ValueError(f"`{where}` ends with `| {turns[0]}`: there are {', '.join(_TURNS)}")
            self._turn = _TURNS[turns[0]]

    def find(self, payload: Any) -> Any:
        """The value, or _MISSING. Raises Refused for one that cannot be what it is to be."""
        if self.steps is None:
            return self.text
        found = _walk(payload, self.steps)
        if self._turn is None or found is None or found is _MISSING:
            return found
        try:
            return [self._turn(one) for one in found] if isinstance(found, list) else self._turn(found)
        except ValueError as error:
            raise Refused(self.text, str(error)) from None


def _steps(where: str, path: str) -> tuple[object, ...]:
    steps: list[object] = []
    at = 1
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            raise ValueError(
                f"`{where}` is {path!r}, which is no path: write one such as $.order.id, $.lines[0].sku or $['a b']"
            )
        name, number, every, single, double = step.groups()
        named = next((one for one in (name, single, double) if one is not None), None)
        steps.append(int(number) if number else _ALL if every else named)
        at = step.end()
    return tuple(steps)


def _walk(value: Any, steps: tuple[object, ...]) -> Any:
    for at, step in enumerate(steps):
        if step is _ALL:
            if not isinstance(value, list):
                return _MISSING
            found = [_walk(one, steps[at + 1 :]) for one in value]
            return [one for one in found if one is not _MISSING]
        if isinstance(step, int):
            if not isinstance(value, list) or step >= len(value):
                return _MISSING
            value = value[step]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            return _MISSING
    return value


class _Plan:
    """A mapping whose texts are understood. Raises ValueError with a sentence for one that is none."""

    def __init__(self, mapping: Mapping) -> None:
        self.names: Mapped[str, str] = mapping.names
        self.ignored = frozenset(mapping.ignore)
        self.each = _optional("each", mapping.each)
        self._event = _optional("event", mapping.event)
        self._time = _optional("time", mapping.time)
        self._single = {
            "id": _optional("id", mapping.id),
            "user": _optional("user", mapping.user),
            "device": _optional("device", mapping.device),
        }
        self._ids = _all("ids", mapping.ids)
        self._fields = _all("fields", mapping.fields)
        self._lines = _all("lines", mapping.lines)
        self._each_line = self._lines.pop("each", None)
        if self._lines and self._each_line is None:
            raise ValueError("`lines.each` is missing: it is the path of the list of lines, such as $.order.lines")
        self._traits = _all("traits", mapping.traits)
        self.who = [value for value in (self._single["user"], self._single["device"], *self._ids.values()) if value]
        self.says_who = bool(self.who)
        if self._event is None and not self._traits:
            raise ValueError("`event` is missing, and so are `traits`: say what a payload is to become")
        for name in ("each", "time", "id"):
            written = getattr(mapping, name)
            if written and not written.startswith("$"):
                raise ValueError(f"`{name}` is {written!r}: write a path into the payload, such as $.{name}")

    def name(self, payload: Any) -> str | None:
        if self._event is None:
            return None
        found = self._event.find(payload)
        if not isinstance(found, str) or not found.strip():
            raise Refused(self._event.text, "is missing, or no text: it names the event")
        if len(found) > LONGEST_ID:
            raise Refused(self._event.text, f"has {len(found):,} characters; it may have {LONGEST_ID:,}")
        return found.strip()

    def identifier(self, name: str, payload: Any) -> str | None:
        value = self._single[name]
        return _identifier(value, payload) if value is not None else None

    def ids(self, payload: Any) -> dict[str, str]:
        found = {kind: _identifier(value, payload) for kind, value in self._ids.items()}
        return {kind: one for kind, one in found.items() if one is not None}

    def time(self, payload: Any, got: Instant) -> Instant:
        found = self._time.find(payload) if self._time is not None else None
        if self._time is None or found is None or found is _MISSING or found == "":
            return got
        if isinstance(found, str) and found.lstrip("-").replace(".", "", 1).isdecimal():
            found = float(found)  # Unix time in a file of text
        if isinstance(found, bool) or not isinstance(found, str | int | float):
            raise Refused(self._time.text, "is no time: RFC 3339 text, or Unix seconds or milliseconds")
        return read_timestamp(found, self._time.text)

    def fields(self, payload: dict[str, Any]) -> dict[str, Any]:
        fields = _present(self._fields, payload) if self._fields else dict(payload)
        if self._each_line is not None:
            lines = self._each_line.find(payload)
            if isinstance(lines, list):
                fields["products"] = [_present(self._lines, line) for line in lines] if self._lines else lines
        return fields

    def traits(self, payload: Any) -> dict[str, Any]:
        """Null stays: it takes the trait away."""
        found = {name: value.find(payload) for name, value in self._traits.items()}
        return {name: one for name, one in found.items() if one is not _MISSING}


def _optional(where: str, text: str) -> _Value | None:
    return _Value(where, text) if text else None


def _all(where: str, texts: Mapped[str, str]) -> dict[str, _Value]:
    return {name: _Value(f"{where}.{name}", text) for name, text in texts.items()}


def _present(values: Mapped[str, _Value], payload: Any) -> dict[str, Any]:
    """What is found of them: what is not there, and null, is left out."""
    found = {name: value.find(payload) for name, value in values.items()}
    return {name: one for name, one in found.items() if one is not _MISSING and one is not None}


def _identifier(value: _Value, payload: Any) -> str | None:
    found = value.find(payload)
    return read_id(found, value.text) if found is not _MISSING else None


def _number(value: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = str(value).strip().replace("\u00a0", "").replace(" ", "") if isinstance(value, str) else ""
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"is {_shown(value)}, which is no number such as 59.90") from None
    if not abs(number) < 1e300:
        raise ValueError(f"is {_shown(value)}, which is no number such as 59.90")
    return int(text) if re.fullmatch(r"[+-]?\d{1,18}", text) else number


def _hundredths(value: Any) -> float:
    try:
        return float(Decimal(str(_number(value))) / 100)
    except InvalidOperation:
        raise ValueError(f"is {_shown(value)}, which is no number of hundredths such as 5990") from None


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"is {_shown(value)}, which is neither text nor a number")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise ValueError(f"is {_shown(value)}, which is neither true nor false")


def _json(value: Any) -> Any:
    """What a text is as JSON; what is no text has been read already."""
    if not isinstance(value, str):
        return value
    try:
        return read_json(value.encode("utf-8", "replace"), _ANY)
    except Refused:
        raise ValueError(f"is {_shown(value)}, which is no JSON, or nested too deeply") from None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


_TURNS: Final[dict[str, Callable[[Any], Any]]] = {
    "number": _number,
    "text": _text,
    "boolean": _boolean,
    "hundredths": _hundredths,
    "json": _json,
}
