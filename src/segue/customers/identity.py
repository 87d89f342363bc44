"""Who an event is about: pure decisions on keys.

A customer known by the shop's own id has the key ``u:ID``; one known only by a device has ``a:ID``, until the first
event that carries both ids makes that customer known. Two customers known by different user ids are never one.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Resolution(msgspec.Struct, frozen=True):
    """What an event says about identity: the customer (None: a new one) and its key; ``alias`` is a further key that
    from now on means it; ``known`` is True where a customer known by a device becomes known by ``key``."""

    customer: int | None
    key: str
    alias: str | None = None
    known: bool = False


def user_key(user_id: str) -> str:
    """The key of a customer with the shop's own id."""
    return f"u:{user_id}"


def device_key(anonymous_id: str) -> str:
    """The key of a customer of whom only a device is known."""
    return f"a:{anonymous_id}"


def show(key: str) -> str:
    """The id as the shop knows it, without its prefix."""
    return key[2:]


def resolve(
    user_id: str | None, device: str | None, customers: Mapping[str, int], keys: Mapping[int, str]
) -> Resolution | None:
    """Whose event it is. ``customers`` maps the keys that are known to customers, ``keys`` customers to their own key.
    None: it names nobody."""
    if user_id is None:
        if device is None:
            return None
        key = device_key(device)
        return Resolution(customers.get(key), key)
    key = user_key(user_id)
    found = customers.get(key)
    if device is None:
        return Resolution(found, key)
    alias = device_key(device)
    before = customers.get(alias)
    if found is not None:
        return Resolution(found, key, None if before == found else alias)
    if before is not None and keys.get(before, "").startswith("a:"):
        return Resolution(before, key, alias, known=True)
    return Resolution(None, key, alias)


def find_same(
    user_id: str | None, device: str | None, customers: Mapping[str, int], keys: Mapping[int, str]
) -> tuple[int, int] | None:
    """Two customers that an event shows to be one: the known one, and the one of whom only the device was known.
    Arguments as for `resolve`. A device of somebody who is known by another user id is shared,
    and makes nobody the same."""
    if user_id is None or device is None:
        return None
    known, unknown = customers.get(user_key(user_id)), customers.get(device_key(device))
    if known is None or unknown is None or known == unknown or not keys.get(unknown, "").startswith("a:"):
        return None
    return known, unknown
