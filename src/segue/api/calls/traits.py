"""Traits: from the names that Segment reserves to those of the vocabulary.

Source: https://segment.com/docs/connections/spec/identify/#traits
"""

from __future__ import annotations

from typing import Any

from segue.api.calls.wire import Context

__all__ = ["customer_traits"]

_RESERVED = {
    "firstName": "first_name",
    "lastName": "last_name",
    "createdAt": "created_at",
    "pushToken": "push_token",
    "webPushToken": "web_push_token",
    "postalAddress": "postal_address",
    "postalCode": "postal_code",
    "firstname": "first_name",
    "lastname": "last_name",
}
_ADDRESS = {
    "street": "street",
    "city": "city",
    "state": "state",
    "postalCode": "postal_code",
    "postal_code": "postal_code",
    "country": "country",
}
_COMPANY = {"name": "company", "id": "company_id"}


def customer_traits(context: Context | None, own: dict[str, Any] | None) -> dict[str, Any]:
    """The traits that a call brings: those of ``context.traits``, over them the call's own, and what the
    context knows of the device (``push_token``, ``locale``, ``timezone``) where neither says it.

    Reserved names become those of the vocabulary (``firstName`` is ``first_name``), other names stay as sent. The parts
    of an ``address`` become traits of their own, and a ``company`` its name.
    """
    if context is None:
        return _renamed(own) if own else {}
    traits = _renamed(context.traits) if context.traits else {}
    if own:
        traits.update(_renamed(own))
    if context.device is not None and context.device.token:
        traits.setdefault("push_token", context.device.token)
    if context.locale:
        traits.setdefault("locale", context.locale)
    if context.timezone:
        traits.setdefault("timezone", context.timezone)
    return traits


def _renamed(sent: dict[str, Any]) -> dict[str, Any]:
    traits = {_RESERVED.get(name, name): value for name, value in sent.items()}
    address = traits.get("address")
    if isinstance(address, dict):
        _spread(address, _ADDRESS, traits)
    company = traits.get("company")
    if isinstance(company, dict):
        del traits["company"]
        _spread(company, _COMPANY, traits)
    return traits


def _spread(parts: dict[str, Any], names: dict[str, str], traits: dict[str, Any]) -> None:
    for sent, name in names.items():
        if sent in parts:
            traits.setdefault(name, parts[sent])
