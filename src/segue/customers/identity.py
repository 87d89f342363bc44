"""Who is who: pure decisions on identifiers.

An identifier is a text whose first letter says its kind: ``u:ID`` the shop's own id of a customer, ``a:ID`` a device
(Segment's anonymousId), ``e:`` a mail address, ``p:`` a phone number, ``t:`` and ``w:`` push tokens of apps and
browsers, ``x:KIND:ID`` any further one. Two that came with one event are linked; customers are what the links make of
them. That is a function of the set of links alone, so that it never matters in which order events arrive:

- Links are gone through by their moments, the earliest first. Each makes one customer of two, unless that is refused.
- Refused: two who each have a user id, but for an alias, which says that they are one, and for kinds of identifiers
  that the project trusts (`Rules.join_known_by`).
- Refused: to make one of two by what people share (a device, a token, a phone number) where each has an address, a
  number or a further id of a kind, and not the same.
- Refused: what was parted by hand.
- An identifier with more than `Rules.most_links` links is a kiosk's or a call centre's: it links nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.customers import normal

ADDRESSES: Final = {"email": "e", "phone": "p", "push_token": "t", "web_push_token": "w"}
"""Traits that identify, and kinds of identifiers that are such traits, by the letter of theirs."""

_STRENGTH: Final = "uxeptwa"
"""Whose event it is: that of its strongest identifier. Its others are linked to that one."""
_SHOWN: Final = "uxaeptw"
"""By which identifier a customer goes, where no user id is known: ids before addresses."""
_SHARED: Final = frozenset("ptwa")
"""What several people may use together."""
_ADDRESSED: Final = frozenset("xep")
"""What tells two people apart who share something."""
_LONGEST: Final = 1000
"""Characters of an identifier: all of them are keys of indexes. A longer one does not identify."""


class Link(msgspec.Struct, frozen=True, order=True):
    """Two identifiers that came together: when for the first time, and in which event. ``other`` is the stronger one.
    Of two user ids, ``key`` is the one that an alias calls the previous."""

    at: Instant
    message_id: str
    key: str
    other: str


class Rules(msgspec.Struct, frozen=True):
    """What the project says of who is who. ``join_known_by`` are kinds of identifiers (``email``, ``loyalty``) by which
    even two customers with user ids of their own are found to be one. ``country`` is the one whose phone numbers are
    meant where none is written."""

    join_known_by: frozenset[str] = frozenset()
    most_links: int = 1000
    country: str | None = None


NO_RULES: Final = Rules()
"""What holds where the project says nothing."""


class Group(msgspec.Struct, frozen=True):
    """Identifiers that are one customer, and the one by which the customer goes."""

    key: str
    members: frozenset[str]


def user_key(user_id: str) -> str:
    """The identifier of a customer with the shop's own id."""
    return f"u:{user_id}"


def device_key(anonymous_id: str) -> str:
    """The identifier of a device."""
    return f"a:{anonymous_id}"


def address_key(trait: str, value: object, country: str | None = None) -> str | None:
    """The identifier that an address trait is, None where the value is no such address."""
    match ADDRESSES.get(trait):
        case "e":
            found = normal.email(value)
        case "p":
            found = normal.phone(value, country)
        case _:
            found = value if isinstance(value, str) and value else None
    return f"{ADDRESSES[trait]}:{found}" if found is not None and len(found) <= _LONGEST else None


def show(key: str) -> str:
    """The id as the shop knows it, without its prefix."""
    return key[2:]


def kind_of(key: str) -> str:
    """The kind of an identifier, as settings and pages name it."""
    if key[0] == "x":
        return key[2:].partition(":")[0]
    return _NAMES[key[0]]


class Naming(msgspec.Struct, frozen=True):
    """An identifier as an event says it."""

    user_id: str | None = None
    anonymous_id: str | None = None
    ids: dict[str, str] = {}


def naming(key: str) -> Naming:
    """How an event names the customer who has this identifier, and no other."""
    kind, value = kind_of(key), show(key)
    match key[0]:
        case "u":
            return Naming(user_id=value)
        case "a":
            return Naming(anonymous_id=value)
        case "x":
            return Naming(ids={kind: value.removeprefix(f"{kind}:")})
        case _:
            return Naming(ids={kind: value})


_NAMES: Final = {"u": "user_id", "a": "anonymous_id", **{letter: trait for trait, letter in ADDRESSES.items()}}


def describe(key: str) -> str:
    """An identifier in words: ``device d1``, ``email ann@example.com``, ``loyalty F-1``."""
    kind, value = kind_of(key), show(key)
    return f"{_WORDS.get(kind, kind)} {value.removeprefix(f'{kind}:') if key[0] == 'x' else value}"


_WORDS: Final = {
    "user_id": "user id",
    "anonymous_id": "device",
    "phone": "phone number",
    "push_token": "push token",
    "web_push_token": "web push token",
}


def identifiers(
    user_id: str | None,
    anonymous_id: str | None,
    previous_id: str | None,
    ids: Mapping[str, str],
    traits: Mapping[str, Any],
    country: str | None,
) -> tuple[str, ...]:
    """The identifiers of an event, the strongest first. ``country`` is the project's; the event's own goes before it.
    Nothing that is known of the customer plays a part: it may come later."""
    keys: list[str] = []
    if user_id is not None:
        keys.append(user_key(user_id))
    if ids:
        keys += sorted(
            f"x:{kind}:{value}"
            for kind, value in ids.items()
            if kind not in ADDRESSES and value and len(kind) + len(value) < _LONGEST
        )
    if ids or traits:
        for trait in ADDRESSES:
            sent = ids.get(trait, traits.get(trait))
            if sent is not None:
                spoken = traits.get("country") if trait == "phone" else None
                found = address_key(trait, sent, (normal.country(spoken) if spoken is not None else None) or country)
                if found is not None:
                    keys.append(found)
    if anonymous_id is not None:
        keys.append(device_key(anonymous_id))
    if previous_id is not None and anonymous_id != previous_id:
        keys.append(device_key(previous_id))
    return tuple(keys)


def links_of(
    keys: Collection[str], user_id: str | None, previous_id: str | None, at: Instant, message_id: str
) -> list[Link]:
    """What an event says of its identifiers, which are given the strongest first. A previous id may be that of a device
    or of a user: it is linked as both, and what never was a user's id has no part in anything."""
    first, *others = keys
    links = [Link(at, message_id, key, first) for key in others]
    if previous_id is not None and user_id is not None and previous_id != user_id:
        links.append(Link(at, message_id, user_key(previous_id), user_key(user_id)))
    return links


# From links to customers


def find_groups(
    links: Collection[Link], partings: Collection[tuple[str, str]], rules: Rules, alone: Iterable[str] = ()
) -> tuple[list[Group], set[Link]]:
    """The customers that links make: a partition of all identifiers that they name, and of those ``alone``; and those
    of the links that made one customer of two. ``partings`` are pairs that may never be one."""
    void = overfull(links, rules.most_links)
    group: dict[str, set[str]] = {key: {key} for key in alone}
    apart: dict[str, set[str]] = {}
    for one, other in partings:
        apart.setdefault(one, set()).add(other)
        apart.setdefault(other, set()).add(one)
    joined: set[Link] = set()
    for link in sorted(links):
        mine, theirs = (group.setdefault(end, {end}) for end in (link.key, link.other))
        if (
            mine is theirs
            or not void.isdisjoint((link.key, link.other))
            or not _joins(link, mine, theirs, apart, rules)
        ):
            continue
        joined.add(link)
        small, large = sorted((mine, theirs), key=len)
        large |= small
        for key in small:
            group[key] = large
    first = _first_of(links, group)
    found = {id(members): members for members in group.values()}
    groups = [Group(min(members, key=lambda key: _rank(key, first)), frozenset(members)) for members in found.values()]
    return groups, joined


def _first_of(links: Iterable[Link], group: Mapping[str, set[str]]) -> dict[str, tuple[Instant, str, int]]:
    """When each identifier was first seen with another one of its customer; of two user ids the previous is first."""
    first: dict[str, tuple[Instant, str, int]] = {}
    for link in sorted(links):
        if group[link.key] is group[link.other]:
            for place, end in enumerate((link.key, link.other)):
                first.setdefault(end, (link.at, link.message_id, place if link.key[0] == "u" else 0))
    return first


def overfull(links: Iterable[Link], most: int) -> frozenset[str]:
    """Identifiers with more links than one person ever has."""
    count = Counter(end for link in links for end in (link.key, link.other))
    return frozenset(key for key, number in count.items() if number > most)


def _rank(key: str, first: Mapping[str, tuple[Instant, str, int]]) -> tuple[Any, ...]:
    return _SHOWN.index(key[0]), first.get(key, (0, "", 0)), key


def _joins(link: Link, mine: set[str], theirs: set[str], apart: Mapping[str, set[str]], rules: Rules) -> bool:
    if apart and any(not apart[key].isdisjoint(theirs) for key in mine & apart.keys()):
        return False
    if link.key[0] == "u" or not rules.join_known_by.isdisjoint((kind_of(link.key), kind_of(link.other))):
        return True
    if _has_user(mine) and _has_user(theirs):
        return False
    weak = link.key[0]
    return weak not in _SHARED or _told_apart(mine, weak).isdisjoint(_told_apart(theirs, weak))


def _has_user(members: set[str]) -> bool:
    return any(key[0] == "u" for key in members)


def _told_apart(members: set[str], weak: str) -> set[str]:
    """The kinds of identifiers in a group that tell it from another, but for the kind that the link itself is of."""
    return {kind_of(key) for key in members if key[0] in _ADDRESSED and key[0] != weak}


def owner_of(key: str, at: Instant, links: Iterable[Link]) -> str:
    """By which identifier an event counts that came under ``key`` alone, which several customers use: that of whoever
    was first seen with it last by then; before all of them, its own. ``links`` are those that count."""
    before = max((link for link in links if link.key == key and link.at <= at), default=None)
    return before.other if before is not None else key


def shown_key(keys: Sequence[str]) -> str:
    """The identifier by which a customer goes of whom all came with one event, the strongest first."""
    return keys[0] if keys[0][0] == "u" else min(keys, key=lambda key: _rank(key, {}))
