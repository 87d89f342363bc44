"""Whether a channel may and can reach a customer, and why not.

Asked in one order: is there an address, what did the customer say, and is the address suppressed, whoever has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from segue.customers.consent import GRANTED, NOTHING_SAID, PENDING, WITHDRAWN, Standing, place
from segue.customers.suppression import Suppression, refusal_by

FindSuppressed = Callable[[str, str], Sequence[Suppression]]
"""The suppressions of an address: of what sort it is (the trait that holds it), and the address as the trait has it."""


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

    def refusal(
        self,
        channel: str,
        kind: str,
        traits: Mapping[str, Any],
        consent: Standing,
        suppressed: FindSuppressed | None = None,
    ) -> str | None:
        """Why the channel must not or cannot be used for this customer; None where it can."""
        how = self.channels.get(channel)
        if how is None:
            return f"no channel {channel}"
        address = traits.get(how.address) if how.address is not None else None
        nowhere = how.address is not None and address in (None, "")
        if nowhere and not (how.optional and not self.knows_address(traits)):
            return f"no {how.address}"
        state = consent.get(place(channel, kind), NOTHING_SAID).state if consent else None
        if state == WITHDRAWN:
            return f"consent withdrawn for {kind} {channel}"
        if kind != "transactional":
            if state == PENDING:
                return f"consent for {kind} {channel} is not confirmed yet"
            if how.consent == "opt-in" and state != GRANTED:
                return f"no consent for {kind} {channel}"
        if suppressed is not None and how.address is not None and not nowhere:
            return refusal_by(suppressed(how.address, str(address)), channel, kind)
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
