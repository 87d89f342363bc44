"""``[touchpoints]``: what counts as a touch and what as an order, how long before, and what channels are called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from segue.host.tables import TableReader
from segue.language.nearest import nearest
from segue.measure.touchpoints.columns import OF_MESSAGES, TITLES, Contact, What
from segue.measure.touchpoints.joining import Windows
from segue.measure.touchpoints.origins import LONGEST

_PATH: Final = ("touchpoints",)
KEYS: Final = ("lookback", "within", "messages", "visits", "events", "orders", "referrers", "mediums")
_WHATS: Final = {title: what for what, title in TITLES.items()}
EVENTS: Final[dict[str, Contact]] = {
    "ad_clicked": Contact(What.AD),
    "email_clicked": Contact(What.CONTACT, "email"),
    "store_visited": Contact(What.STORE, "store"),
    "call_received": Contact(What.CALL, "phone"),
    "call_made": Contact(What.CALL, "phone"),
    "code_redeemed": Contact(What.REDEEMED, "code"),
}
"""Events that are touches without being named in the settings."""
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")
_DOMAIN: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+")


class Touchpoints(msgspec.Struct, frozen=True, kw_only=True):
    """What is written under ``[touchpoints]``, or usual."""

    windows: Windows = Windows()
    messages: frozenset[What] = frozenset(what for what in What if what <= OF_MESSAGES)
    visits: bool = True
    events: dict[str, Contact] = msgspec.field(default_factory=EVENTS.copy)
    orders: tuple[str, ...] = ("ordered",)
    referrers: tuple[str, ...] = ()
    mediums: dict[str, str] = {}


def read_touchpoints(reader: TableReader, table: Mapping[str, Any]) -> Touchpoints:
    """The settings under ``[touchpoints]``."""
    reader.refuse_others(table, KEYS, _PATH)
    return Touchpoints(
        windows=_windows(reader, table),
        messages=_messages(reader, table),
        visits=_visits(reader, table),
        events=_events(reader, table),
        orders=_orders(reader, table),
        referrers=_referrers(reader, table),
        mediums=_mediums(reader, table),
    )


def _windows(reader: TableReader, table: Mapping[str, Any]) -> Windows:
    usual = reader.span(table, "lookback", "30d", _PATH)
    if not usual:
        reader.say((*_PATH, "lookback"), 'is no time at all; write a span of time such as "30d"')
    path = (*_PATH, "within")
    within = reader.table(table, "within", _PATH)
    shorter = {}
    for name in within:
        what = _what(reader, name, path)
        if what is not None:
            shorter[what] = reader.span(within, name, "30d", path)
    return Windows(usual, shorter)


def _what(reader: TableReader, name: object, path: tuple[str, ...]) -> What | None:
    found = _WHATS.get(name.replace("_", " ")) if isinstance(name, str) else None
    if found is None:
        near = nearest(str(name), _WHATS)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(_WHATS)}"
        reader.say(path, f"names {name!r}; {hint}")
    return found


def _messages(reader: TableReader, table: Mapping[str, Any]) -> frozenset[What]:
    if "messages" not in table:
        return Touchpoints().messages
    path = (*_PATH, "messages")
    written = table["messages"]
    if not isinstance(written, list):
        reader.say(path, 'should be a list such as ["opened", "clicked"]')
        return Touchpoints().messages
    found = {what for name in written if (what := _what(reader, name, path)) is not None}
    for what in sorted(found):
        if what > OF_MESSAGES:
            reader.say(path, f"names {what.title!r}, which is not done with a message")
    return frozenset(found)


def _visits(reader: TableReader, table: Mapping[str, Any]) -> bool:
    value = table.get("visits", True)
    if not isinstance(value, bool):
        reader.say((*_PATH, "visits"), f"should be true or false, and is {value!r}")
    return value is not False


def _events(reader: TableReader, table: Mapping[str, Any]) -> dict[str, Contact]:
    path = (*_PATH, "events")
    written = reader.table(table, "events", _PATH)
    found = dict(EVENTS)
    for name, value in written.items():
        if _NAME.fullmatch(name) is None:
            reader.say((*path, name), "is no name of an event as rules write it, such as ad_clicked")
        elif value is False:
            found.pop(name, None)
        elif isinstance(value, dict):
            reader.refuse_others(value, ("what", "channel"), (*path, name))
            what = _what(reader, value.get("what", What.CONTACT.title), (*path, name, "what"))
            channel = _channel(reader, value["channel"], (*path, name, "channel")) if "channel" in value else ""
            found[name] = Contact(What.CONTACT if what is None else what, channel)
        else:
            usual = EVENTS.get(name, Contact(What.CONTACT))
            found[name] = Contact(usual.what, _channel(reader, value, (*path, name)))
    return found


def _channel(reader: TableReader, value: object, path: tuple[str, ...]) -> str:
    if isinstance(value, str) and 0 < len(value.strip()) <= LONGEST and value.isprintable():
        return value.strip()
    reader.say(path, f'should be the name of a channel such as "podcast", and is {value!r}')
    return ""


def _texts(reader: TableReader, table: Mapping[str, Any], name: str, example: str) -> list[str]:
    value = table.get(name, [])
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    reader.say((*_PATH, name), f'should be a list such as ["{example}"]')
    return []


def _orders(reader: TableReader, table: Mapping[str, Any]) -> tuple[str, ...]:
    if "orders" not in table:
        return Touchpoints().orders
    written = _texts(reader, table, "orders", "ordered")
    for name in written:
        if _NAME.fullmatch(name) is None:
            reader.say((*_PATH, "orders"), f"names {name!r}; write events as rules do, such as ordered")
    return tuple(dict.fromkeys(written))


def _referrers(reader: TableReader, table: Mapping[str, Any]) -> tuple[str, ...]:
    found = tuple(one.lower().rstrip(".") for one in _texts(reader, table, "referrers", "pay.example"))
    for one in found:
        if _DOMAIN.fullmatch(one) is None:
            reader.say(
                (*_PATH, "referrers"), f'{one!r} is no domain; write one such as "pay.example", without https://'
            )
    return found


def _mediums(reader: TableReader, table: Mapping[str, Any]) -> dict[str, str]:
    written = reader.table(table, "mediums", _PATH)
    return {name.lower(): _channel(reader, value, (*_PATH, "mediums", name)) for name, value in written.items()}
