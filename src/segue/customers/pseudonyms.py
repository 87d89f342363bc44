"""Identifiers as keyed hashes: what stands for a customer in the log, and what remains of one who was erased.

The key is the store's own secret. Without it nobody can find out, by trying out addresses, whom a hash stands for;
with it the same identifier always gives the same hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, Final

from segue.api import Event
from segue.customers.identity import kind_of, show
from segue.customers.suppression import comparable

PSEUDONYM: Final = "c:"
"""How a pseudonym begins."""

IDENTIFYING: Final = ("email", "phone", "push_token", "web_push_token")
"""Traits that identify a customer by themselves."""

_SORTS: Final = {"user_id": "user", "anonymous_id": "device"}

Mark = tuple[str, str]
"""An identifier as it is compared: its kind (``user``, ``device``, the name of a trait, or one that sources gave it),
and its value."""


def pseudonym(secret: bytes, customer: str) -> str:
    """What stands for a customer's id where it may not be read: ``c:`` and ten hexadecimal digits."""
    data = customer.encode("utf-8", "surrogatepass")
    return PSEUDONYM + blake2b(data, digest_size=5, key=secret, person=b"pseudonym").hexdigest()


def bury(secret: bytes, mark: Mark) -> bytes:
    """The hash of an identifier, in 16 bytes, by which it is known again after an erasure."""
    data = f"{mark[0]}:{mark[1]}".encode("utf-8", "surrogatepass")
    return blake2b(data, digest_size=16, key=secret, person=b"tombstone").digest()


def mark(kind: str, value: Any) -> Mark:
    """An identifier as it is compared: another spelling of the same mailbox or number is the same."""
    return kind, comparable(kind, value)


def hide_address(secret: bytes, sort: str, address: str) -> str:
    """What stands in the place of an address that stays suppressed after its owner was erased: ``#`` and a hash."""
    return f"#{bury(secret, mark(sort, address)).hex()}"


def marks_of_key(key: str) -> Mark:
    """A customer's key (see `segue.customers.identity`) as an identifier."""
    kind, value = kind_of(key), show(key)
    if key[0] == "x":
        return mark(kind, value.removeprefix(f"{kind}:"))
    return (_SORTS[kind], value) if kind in _SORTS else mark(kind, value)


def marks_of_traits(traits: Mapping[str, Any]) -> Iterator[Mark]:
    """The identifiers among traits."""
    for trait in IDENTIFYING:
        value = traits.get(trait)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            yield mark(trait, value)


def marks_of_event(event: Event) -> list[Mark]:
    """All identifiers of an event, that which says first whose it is at the beginning."""
    found: list[Mark] = []
    if event.user_id is not None:
        found.append(("user", event.user_id))
    if event.anonymous_id is not None:
        found.append(("device", event.anonymous_id))
    if event.previous_id is not None:
        found += [("device", event.previous_id), ("user", event.previous_id)]
    found += [mark(kind, value) for kind, value in event.ids.items()]
    found += marks_of_traits(event.traits)
    return list(dict.fromkeys(found))


def all_texts(values: Iterable[Any]) -> Iterator[str]:
    """Every text in values that may be nested."""
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            yield from all_texts(value.values())
        elif isinstance(value, list | tuple):
            yield from all_texts(value)
