"""Whether a channel may and can reach a customer, and why not.

The latest state of a customer's consent is a flat map:

- ``email`` → a reason: the channel is suppressed for every kind of message;
- ``email/promotional`` → ``granted`` or ``withdrawn``;
- ``gone/email`` → the value of the trait ``email`` that a provider called dead; another value is reached again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

GRANTED: Final = "granted"
WITHDRAWN: Final = "withdrawn"
KINDS: Final = ("transactional", "promotional", "informational")
MARKETING: Final = ("promotional", "informational")
"""The kinds that a withdrawal without a kind stops: what a customer needs for an order still goes."""


class ChannelReach(msgspec.Struct, frozen=True):
    """How a channel finds a customer. ``address`` is the trait that says where, None where it needs none; ``optional``:
    without any address known at all it reaches the customer by their id (the console,
    where rules are tried before addresses exist)."""

    address: str | None
    consent: Literal["opt-out", "opt-in"] = "opt-out"
    optional: bool = False


class Reach(msgspec.Struct, frozen=True):
    """The channels of a project, and how each finds a customer."""

    channels: Mapping[str, ChannelReach]
    addresses: frozenset[str] = frozenset()
    """The traits that hold addresses, of all channels."""

    def __post_init__(self) -> None:
        found = frozenset(how.address for how in self.channels.values() if how.address is not None)
        msgspec.structs.force_setattr(self, "addresses", found)

    def refusal(self, channel: str, kind: str, traits: Mapping[str, Any], consent: Mapping[str, str]) -> str | None:
        """Why the channel must not or cannot be used for this customer; None where it can."""
        how = self.channels.get(channel)
        if how is None:
            return f"no channel {channel}"
        if how.address is not None:
            address = traits.get(how.address)
            if address is None or address == "":
                if not (how.optional and not self.knows_address(traits)):
                    return f"no {how.address}"
            elif consent and consent.get(f"gone/{how.address}") == str(address):
                return f"{how.address} is gone"
        if consent and channel in consent:
            return consent[channel]
        state = consent.get(f"{channel}/{kind}") if consent else None
        if state == WITHDRAWN:
            return f"consent withdrawn for {kind} {channel}"
        if how.consent == "opt-in" and kind != "transactional" and state != GRANTED:
            return f"no consent for {kind} {channel}"
        return None

    def depends_on(self, traits: Iterable[str]) -> bool:
        """Whether one of the traits says where a channel reaches the customer."""
        return not self.addresses.isdisjoint(traits)

    def knows_address(self, traits: Mapping[str, Any]) -> bool:
        """Whether any address of the customer is known, for any channel."""
        return bool(traits) and any(traits.get(address) for address in self.addresses)

    def address(self, channel: str, key: str, traits: Mapping[str, Any]) -> str:
        """Where a message goes: the channel's trait, or the customer's own id where the channel needs none."""
        how = self.channels[channel]
        value = traits.get(how.address) if how.address is not None else None
        return str(value) if value else key


def merge_consent(kept: Mapping[str, str], gone: Mapping[str, str]) -> dict[str, str]:
    """What two customers said who are one: a refusal of either holds, and else what the known one said."""
    refused = {name: state for name, state in gone.items() if state != GRANTED}
    return {**gone, **kept, **refused}
