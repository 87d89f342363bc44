"""What the fields of an event tell of a touch: where a visit came from, or whose contact it was and what it cost.

A shop's pages are seen again and again: what some thousand of them told is remembered by the bytes of the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

import msgspec

from segue.measure.touchpoints.columns import Contact, What
from segue.measure.touchpoints.gathering import Register
from segue.measure.touchpoints.origins import OTHER, Naming, Origin, Origins, tidy
from segue.measure.touchpoints.visits import UNKNOWN
from segue.program.values import read_money

_REMEMBERED: Final = 50_000
_LONGEST: Final = 1_000
"""Bytes of an event that is remembered."""
_MOST: Final = 10**9


class _View(msgspec.Struct):
    url: Any = None
    search: Any = None
    referrer: Any = None
    utm_source: Any = None
    utm_medium: Any = None
    utm_campaign: Any = None
    utm_content: Any = None
    gclid: Any = None
    fbclid: Any = None


class _Contact(_View):
    campaign: Any = None
    campaign_name: Any = None
    cost: Any = None
    currency: Any = None


_decode_view: Final = msgspec.json.Decoder(_View).decode
_decode_contact: Final = msgspec.json.Decoder(_Contact).decode
_CLICKS: Final = ("gclid", "fbclid")
_MARKS: Final = ("utm_source", "utm_medium", "utm_campaign", "utm_content", *_CLICKS)
_marks: Final = attrgetter(*_MARKS)
_NONE: Final = (None,) * len(_MARKS)
_UNMARKED: Final[dict[str, str]] = {}
_BLANK: Final = _Contact()

Marks = tuple[str, str, str, str]
"""``utm_source`` in lower case, ``utm_medium``, ``utm_campaign`` and ``utm_content`` of a link that may be ours."""


class Fields:
    """Reads the fields of events. ``currency`` is that of costs that name none."""

    def __init__(self, naming: Naming, events: Mapping[str, Contact], currency: str, register: Register) -> None:
        self._events = events
        self._currency = currency
        self._register = register
        self._origins = Origins(naming)
        self._seen: dict[bytes | None, int] = {}
        self._ours: dict[tuple[Marks, int], int] = {}
        self._cost = lru_cache(maxsize=10_000, typed=True)(self._priced)

    @property
    def ours(self) -> list[tuple[Marks, int]]:
        """The marks of our own links that were met, the first of them at `view`'s -2, the next at -3; each with the
        label of a visit that no message of ours brought after all."""
        return list(self._ours)

    def view(self, raw: bytes | None) -> int:
        """The label of what brought somebody to a page, `UNKNOWN` where it does not tell; below that, see `ours`."""
        found = self._seen.get(raw)
        if found is None:
            found = self._brought(_read(raw, _decode_view))
            if raw is None or len(raw) <= _LONGEST:
                if len(self._seen) >= _REMEMBERED:
                    self._seen.clear()
                self._seen[raw] = found
        return found

    def _brought(self, fields: _View) -> int:
        origin = self._origin(fields)
        if origin.channel is None:
            return UNKNOWN
        label = self._register.outer(origin.channel, origin.campaign)
        if origin.ours is None:
            return label
        key = (origin.ours, label)
        if len(self._ours) >= _REMEMBERED and key not in self._ours:
            return label
        return -2 - self._ours.setdefault(key, len(self._ours))

    def contact(self, name: str, raw: bytes | None) -> tuple[int, int, int]:
        """The label of a contact, what it cost in millionths, and the place of the currency."""
        fields, contact = _read(raw, _decode_contact), self._events[name]
        origin = self._origin(fields)
        channel = contact.channel or origin.channel or ("paid other" if contact.what == What.AD else OTHER)
        campaign = tidy(fields.campaign_name) or tidy(fields.campaign) or origin.campaign
        try:
            cost = self._cost(fields.cost, fields.currency)
        except TypeError:  # a list or an object
            cost = self._priced(fields.cost, fields.currency)
        return self._register.outer(channel, campaign), *cost

    def _priced(self, cost: Any, currency: Any) -> tuple[int, int]:
        money = read_money(cost, {"currency": currency}, self._currency)
        if money is None or not 0 < money.amount < _MOST:
            return 0, 0
        place = self._register.currency(money.currency)
        return (0, 0) if place is None else (int(money.amount * 1_000_000), place)

    def _origin(self, fields: _View) -> Origin:
        marks, found = _UNMARKED, _marks(fields)
        if found != _NONE:
            given = {name: value for name, value in zip(_MARKS, found, strict=True) if isinstance(value, str) and value}
            # Of an ad platform's mark only that it is there: each is unique, and what was told is remembered.
            marks = {name: "1" if name in _CLICKS else value for name, value in given.items()}
        return self._origins.find(_text(fields.url), _text(fields.search), _text(fields.referrer), marks)


def _read(raw: bytes | None, decode: Any) -> Any:
    try:
        return decode(raw) if raw else _BLANK
    except msgspec.DecodeError:
        return _BLANK


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
