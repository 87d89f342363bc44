"""Traits as a customer has them: read as what they are declared to be, and the newest of each.

Newest is by when it happened, never by when it arrived; of two at one instant the one with the greater message id, and
what a rule sets goes before what an event of the same instant says. So the order of arrival makes no difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping
from datetime import UTC
from typing import Any, Final

import msgspec

from segue.api import FieldType, Instant
from segue.customers import normal
from segue.program.calendar import read_clock, read_date

MOST_TRAITS: Final = 500
"""Traits of one customer: further names that nobody declared are kept out."""
LARGEST: Final = 8_192
"""Bytes of JSON of one trait's value: they are read with each event of the customer."""
_LONGEST_NAME: Final = 200
_A_NAME: Final = re.compile(r"[A-Za-z][A-Za-z_]{0,40}[0-9]{0,3}")
"""An undeclared name that is noted where its trait is kept out. Any other may be somebody's address, which no erasure
finds among names."""

_RULE: Final = "rule "


class Origin(msgspec.Struct, frozen=True):
    """Where the value of a trait is from: when it happened, in which event (empty for a rule), and from which source,
    ``rule NAME`` where a rule set it."""

    at: Instant
    message_id: str
    source: str

    @property
    def place(self) -> tuple[Instant, bool, str]:
        """What is compared: the greater is the newer."""
        return self.at, self.source.startswith(_RULE), self.message_id


Origins = dict[str, Origin]
"""The origin of each trait; also of those that were taken away, which have no value."""


def set_by_rule(rule: str, at: Instant) -> Origin:
    """The origin of what a rule sets."""
    return Origin(at, "", _RULE + rule)


def put(traits: dict[str, Any], origins: Origins, given: Mapping[str, Any], origin: Origin) -> dict[str, Any]:
    """Give a customer traits, in place, as far as they are news; None takes one away. What changed, with the values of
    before."""
    old: dict[str, Any] = {}
    place = origin.place
    for name, value in given.items():
        before = origins.get(name)
        if before is not None and before.place > place:
            continue
        origins[name] = origin
        had = traits.get(name)
        if had == value and type(had) is type(value):
            continue
        old[name] = had
        if value is None:
            del traits[name]
        else:
            traits[name] = value
    return old


def join(traits: dict[str, Any], origins: Origins, more: Mapping[str, Any], their: Mapping[str, Origin]) -> None:
    """Give a customer the traits of another one too, in place: of each the newest."""
    for name in more.keys() | their.keys():
        origin = their.get(name)
        if origin is not None:
            put(traits, origins, {name: more.get(name)}, origin)
        elif name not in origins:  # from before origins were kept
            traits.setdefault(name, more[name])


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[tuple[Instant, str, str, list[str]]]).decode


def encode_origins(origins: Mapping[str, Origin]) -> bytes | None:
    """Origins as they are stored, in one order whichever way they came about: mostly one event brought all of them."""
    if not origins:
        return None
    groups: dict[Origin, list[str]] = {}
    for name in sorted(origins):
        groups.setdefault(origins[name], []).append(name)
    return _encode([(origin.at, origin.message_id, origin.source, names) for origin, names in groups.items()])


def decode_origins(data: bytes | None) -> Origins:
    """Origins as they were stored."""
    if not data:
        return {}
    found: Origins = {}
    for at, message_id, source, names in _decode(data):
        found.update(dict.fromkeys(names, Origin(at, message_id, source)))
    return found


# Reading what was sent


class Refused(msgspec.Struct, frozen=True):
    """A trait that is kept out, and why."""

    trait: str
    reason: str


def read_traits(
    sent: Mapping[str, Any], types: Mapping[str, FieldType], country: str | None
) -> tuple[dict[str, Any], list[Refused]]:
    """The traits that an event brings, each as the book declares it, and what is kept out. ``country`` is the
    project's, for phone numbers; a country in the same event goes before it."""
    kept: dict[str, Any] = {}
    refused: list[Refused] = []
    for name, value in sent.items():
        if value is None:
            kept[name] = None
            continue
        if not name or len(name) > _LONGEST_NAME:
            refused.append(Refused("", f"a name has 1 to {_LONGEST_NAME} letters"))
            continue
        if isinstance(value, str | list | dict) and _is_large(value):
            told = name if name in types or _A_NAME.fullmatch(name) is not None else ""
            refused.append(Refused(told, f"its value is larger than {LARGEST:,} bytes"))
            continue
        try:
            if name == "phone":
                kept[name] = _phone(value, normal.country(sent.get("country")) or country)
            elif (reader := _BY_NAME.get(name)) is not None:
                kept[name] = reader(value)
            elif (kind := types.get(name)) is not None:
                kept[name] = _READERS[kind](value)
            else:
                kept[name] = value
        except ValueError as error:
            refused.append(Refused(name, str(error)))
    return kept, refused


def _is_large(value: str | list[Any] | dict[str, Any]) -> bool:
    if isinstance(value, str) and len(value) * 6 <= LARGEST:  # no character is more in JSON
        return False
    return len(msgspec.json.encode(value)) > LARGEST


def limit_traits(
    given: Mapping[str, Any], known: Mapping[str, Any], declared: Container[str]
) -> tuple[Mapping[str, Any], list[Refused]]:
    """What of the traits a customer still has room for; those that are ``declared`` always pass."""
    if len(known) + len(given) <= MOST_TRAITS:
        return given, []
    room = MOST_TRAITS - len(known)
    kept: dict[str, Any] = {}
    refused: list[Refused] = []
    for name, value in given.items():
        if name in known or name in declared or value is None:
            kept[name] = value
        elif room > 0:
            kept[name] = value
            room -= 1
        else:
            refused.append(Refused("", f"a customer has at most {MOST_TRAITS} traits"))
    return kept, refused


def _phone(value: Any, country: str | None) -> str:
    found = normal.phone(str(value) if isinstance(value, int) and not isinstance(value, bool) else value, country)
    if found is None:
        raise ValueError("no phone number" if country else "no phone number with its country, as in +358401234567")
    return found


def _one_of(read: Callable[[object], str | None], what: str) -> Callable[[Any], str]:
    def reader(value: Any) -> str:
        found = read(value)
        if found is None:
            raise ValueError(f"no {what}")
        return found

    return reader


def _email(value: Any) -> str:
    if normal.email(value) is None:
        raise ValueError("no mail address")
    return str(value).strip()


_BY_NAME: Final[Mapping[str, Callable[[Any], Any]]] = {
    "email": _email,
    "country": _one_of(normal.country, "country"),
    "language": _one_of(normal.language, "language"),
    "locale": _one_of(normal.language, "locale"),
    "timezone": _one_of(normal.zone, "time zone"),
}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ValueError("no text")


def _number(value: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = value.strip()
        try:
            whole = int(text) if len(text) < 30 else None
        except ValueError:
            whole = None
        if whole is not None and str(whole) == text.removeprefix("+"):
            return whole
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if number - number == 0 and _same_number(number, text):
            return number
    raise ValueError("no number")


def _same_number(number: float, text: str) -> bool:
    """Whether a float says exactly what was written."""
    from decimal import Decimal, InvalidOperation

    try:
        return Decimal(repr(number)) == Decimal(text)
    except InvalidOperation:
        return False


def _money(value: Any) -> Any:
    if isinstance(value, dict) and "amount" in value:
        _number(value["amount"])
        return value
    try:
        return _number(value)
    except ValueError:
        raise ValueError("no amount of money") from None


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise ValueError("neither true nor false")


def _date(value: Any) -> Any:
    if read_date(value, UTC) is None:
        raise ValueError("no date")
    return value


def _time(value: Any) -> Any:
    if read_clock(value) is None:
        raise ValueError("no time of day")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("no list")
    return value


_READERS: Final[Mapping[FieldType, Callable[[Any], Any]]] = {
    "text": _text,
    "number": _number,
    "money": _money,
    "boolean": _boolean,
    "date": _date,
    "time": _time,
    "list": _list,
}


def newest(entries: Iterable[tuple[Mapping[str, Any], Origin]]) -> tuple[dict[str, Any], Origins]:
    """The traits that are left of all that was ever said, in any order."""
    traits: dict[str, Any] = {}
    origins: Origins = {}
    for given, origin in entries:
        put(traits, origins, given, origin)
    return traits, origins
